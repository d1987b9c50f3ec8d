"""Every deal of three cards, each with two of the 49 ways to bet, in turn: so every deal is there and every way to bet."""

import pyspiel

from golden import Golden

from ._open_spiel import SOURCE

CARDS = range(6)


def observations(state):
    return {f"obs{seat}": state.information_state_tensor(seat) for seat in (0, 1)}


def bettings(state):
    """All sequences of the seats' actions from `state` to an end; which card is laid open makes no difference to them."""
    if state.is_terminal():
        return [[]]
    if state.is_chance_node():
        return bettings(state.child(state.legal_actions()[0]))
    return [[action] + rest for action in state.legal_actions() for rest in bettings(state.child(action))]


def fields(state):
    if state.is_terminal():
        return {"reward": state.rewards(), **observations(state)}
    return {"seat": state.current_player(), "legal": state.legal_actions(), **observations(state)}


def play(golden, game, first, second, third, actions):
    """Our rules draw a card as its place among those left, lowest first."""
    state = game.new_initial_state()
    state.apply_action(first)
    left = state.legal_actions()
    state.apply_action(second)
    golden.episode(chance=[first, left.index(second)], **fields(state))
    for action in actions:
        state.apply_action(action)
        drawn = None
        if state.is_chance_node():
            drawn = [state.legal_actions().index(third)]
            state.apply_action(third)
        golden.step(action, chance=drawn, **fields(state))
    golden.end("terminated", **{"return": state.returns()})


def write(out):
    game = pyspiel.load_game("leduc_poker")
    deals = [(a, b, c) for a in CARDS for b in CARDS for c in CARDS if len({a, b, c}) == 3]
    dealt = game.new_initial_state().child(0).child(1)
    ways = bettings(dealt)
    with Golden(out, "leduc-poker", SOURCE) as golden:
        golden.env("leduc-poker")
        for index, deal in enumerate(deals):
            for turn in (2 * index, 2 * index + 1):
                play(golden, game, *deal, ways[turn % len(ways)])
