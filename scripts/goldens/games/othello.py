from golden import Golden

from ._open_spiel import SOURCE, section


def write(out):
    with Golden(out, "othello", SOURCE) as golden:
        section(golden, "othello", {}, "othello", seed=3, episodes=40, depth=5)
