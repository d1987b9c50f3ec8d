"""OpenSpiel numbers a move by cell, one of six directions (three a player) and whether it takes; ours leave out what the
board and the player tell already."""

from golden import Golden

from ._open_spiel import SOURCE, section


def ours(action):
    """OpenSpiel's number is ((cell × 6) + direction) × 2 + taking; directions 3, 4, 5 go up as 0, 1, 2 go down."""
    cell, direction = divmod(action // 2, 6)
    return 3 * cell + direction % 3


def write(out):
    with Golden(out, "breakthrough", SOURCE) as golden:
        boards = [(8, 8, 12, 4), (6, 5, 10, 4), (5, 6, 10, 4), (3, 2, 10, 4), (4, 3, 15, 8), (7, 2, 15, 6), (19, 19, 1, 0)]
        for seed, (rows, columns, episodes, depth) in enumerate(boards):
            options = {"rows": rows, "columns": columns}
            spiel = f"breakthrough(rows={rows},columns={columns})"
            section(golden, "breakthrough", options, spiel, seed, episodes, depth, number=ours)
