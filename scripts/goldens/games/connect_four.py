from golden import Golden

from ._open_spiel import SOURCE, section


def write(out):
    with Golden(out, "connect-four", SOURCE) as golden:
        for seed, (rows, columns, episodes, depth) in enumerate([(6, 7, 40, 7), (4, 4, 15, 8), (5, 9, 15, 5), (10, 5, 10, 5)]):
            options = {"rows": rows, "columns": columns}
            spiel = f"connect_four(rows={rows},columns={columns})"
            section(golden, "connect-four", options, spiel, seed, episodes, depth)
