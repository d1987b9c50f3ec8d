from golden import Golden

from ._open_spiel import SOURCE, section


def write(out):
    with Golden(out, "tic-tac-toe", SOURCE) as golden:
        section(golden, "tic-tac-toe", {}, "tic_tac_toe", seed=1, episodes=40, depth=9)
