"""Random playouts of OpenSpiel's two-seat board games, without chance, as golden episodes."""

import importlib.metadata
import random
import re

import pyspiel

SOURCE = "open_spiel " + importlib.metadata.version("open-spiel")
# Black moves first.
CELLS = str.maketrans("-bw", ".xo")


def perft(state, depth):
    """Leaves at exactly `depth`: a finished game has none below it."""
    if depth == 0:
        return 1
    if state.is_terminal():
        return 0
    actions = state.legal_actions()
    return len(actions) if depth == 1 else sum(perft(state.child(a), depth - 1) for a in actions)


def board(state):
    """The rows of cells, out of whatever OpenSpiel prints around them: headings, coordinates, blanks. (Rows after
    the ninth are labelled with the characters that follow 9.)"""
    lines = (re.sub(r"[ 0-C]", "", line) for line in str(state).split("\n"))
    return [line.translate(CELLS) for line in lines if re.fullmatch(r"[-.xobw]+", line)]


def same(action):
    return action


def playout(golden, game, rng, prefer=None, number=same):
    """One game of uniformly random moves. `prefer(state)` may name an action to be played where it can be;
    `number(action)` is our number of OpenSpiel's action.

    The board is written now and then and at the end: a full one alone would not tell free cells from the other's."""
    state = game.new_initial_state()

    def legal():
        return [number(action) for action in state.legal_actions()]

    golden.episode(seat=state.current_player(), legal=legal())
    while not state.is_terminal():
        wanted = prefer(state) if prefer else None
        action = wanted if wanted in state.legal_actions() else rng.choice(state.legal_actions())
        state.apply_action(action)
        if state.is_terminal():
            golden.step(number(action), reward=state.rewards())
        else:
            now_and_then = board(state) if state.move_number() % 10 == 1 else None
            golden.step(number(action), seat=state.current_player(), legal=legal(), board=now_and_then)
    golden.end("terminated", board=board(state), **{"return": state.returns()})


def section(golden, name, options, spiel, seed, episodes, depth=0, prefer=None, number=same):
    """`spiel` is OpenSpiel's game string for the environment `name` with these options."""
    game = pyspiel.load_game(spiel)
    rng = random.Random(seed)
    golden.env(name, **options)
    if depth:
        golden.perft(perft(game.new_initial_state(), d) for d in range(1, depth + 1))
    for _ in range(episodes):
        playout(golden, game, rng, prefer, number)
