"""Random legal play in OpenSpiel: a loop in Python, and the library's own rollouts in C++."""

from serve import serve  # first: see there

import functools
import random

import pyspiel

GAMES = {
    "hex": "hex(board_size=9)",
    "connect-four": "connect_four",
    "tic-tac-toe": "tic_tac_toe",
    "othello": "othello",
    "breakthrough": "breakthrough",
}


def python_loop(name):
    game = pyspiel.load_game(GAMES[name])
    choice = random.choice

    def play():
        state = game.new_initial_state()
        steps = 0
        while not state.is_terminal():
            state.apply_action(choice(state.legal_actions()))
            steps += 1
        return 1, steps

    return play


def cpp_rollouts(name):
    """A tree search of one simulation is nothing but its evaluator's random games from the given position, in C++.

    They do not count their steps: games times their mean length does.
    """
    game = pyspiel.load_game(GAMES[name])
    state = game.new_initial_state()
    loop = python_loop(name)
    sample = 1000
    length = sum(loop()[1] for _ in range(sample)) / sample
    rollouts = 100
    evaluator = pyspiel.RandomRolloutEvaluator(rollouts, 1)
    uct_c, simulations, megabytes, solve, seed, verbose = 1.4, 1, 1, False, 1, False
    bot = pyspiel.MCTSBot(game, evaluator, uct_c, simulations, megabytes, solve, seed, verbose)

    def play():
        bot.step(state)
        return rollouts, rollouts * length

    return play


plays = {}
for name in GAMES:
    plays["python " + name] = functools.partial(python_loop, name)
    plays["c++ " + name] = functools.partial(cpp_rollouts, name)
serve(plays)
