from golden import Golden

from ._open_spiel import SOURCE, section


def swap(state):
    """Swaps in every game, so that the swap's effect on the rest is seen."""
    size = state.get_game().get_parameters()["board_size"]
    return size * size


def write(out):
    with Golden(out, "hex", SOURCE) as golden:
        for seed, (size, episodes, depth) in enumerate([(2, 6, 4), (3, 10, 9), (5, 15, 3), (9, 8, 0), (11, 2, 0), (19, 1, 0)]):
            section(golden, "hex", {"size": size, "swap": False}, f"hex(board_size={size})", seed, episodes, depth)
        for seed, (size, episodes, depth) in enumerate([(2, 6, 4), (3, 10, 7), (7, 6, 0)]):
            spiel = f"hex(board_size={size},swap=True)"
            section(golden, "hex", {"size": size, "swap": True}, spiel, seed, episodes, depth)
            section(golden, "hex", {"size": size, "swap": True}, spiel, seed, episodes, prefer=swap)
