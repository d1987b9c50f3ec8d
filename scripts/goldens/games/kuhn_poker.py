"""Every deal and every way to bet, which is the whole game: 6 deals, 5 ways each."""

import pyspiel

from golden import Golden

from ._open_spiel import SOURCE


def observations(state):
    return {f"obs{seat}": state.information_state_tensor(seat) for seat in (0, 1)}


def bettings(state):
    """All sequences of actions from `state` to an end."""
    if state.is_terminal():
        return [[]]
    return [[action] + rest for action in state.legal_actions() for rest in bettings(state.child(action))]


def play(golden, game, cards, actions):
    state = game.new_initial_state()
    for card in cards:
        state.apply_action(card)
    # Our rules draw seat 1's card as its place among those left, lowest first.
    left = [card for card in range(3) if card != cards[0]]
    chance = [cards[0], left.index(cards[1])]
    golden.episode(chance=chance, seat=state.current_player(), legal=state.legal_actions(), **observations(state))
    for action in actions:
        state.apply_action(action)
        if state.is_terminal():
            golden.step(action, reward=state.rewards(), **observations(state))
        else:
            golden.step(action, seat=state.current_player(), legal=state.legal_actions(), **observations(state))
    golden.end("terminated", **{"return": state.returns()})
    golden.comment(str(state))


def write(out):
    game = pyspiel.load_game("kuhn_poker")
    with Golden(out, "kuhn-poker", SOURCE) as golden:
        golden.env("kuhn-poker")
        for first in range(3):
            for second in range(3):
                if first == second:
                    continue
                dealt = game.new_initial_state()
                dealt.apply_action(first)
                dealt.apply_action(second)
                for actions in bettings(dealt):
                    play(golden, game, (first, second), actions)
