"""Blackjack-v1. Which cards are drawn is seen on copies of Gymnasium's generator: by rank, so that a ten and a king differ."""

import copy
import random

import gymnasium
from gymnasium.envs.toy_text.blackjack import deck, sum_hand

from golden import Golden

from ._gymnasium import SOURCE, play


def drawn(rng, cards):
    """As many outcomes as `cards` were drawn, from a generator in the state that it had before."""
    ranks = [int(rng.choice(len(deck))) for _ in cards]
    assert [deck[rank] for rank in ranks] == cards
    return ranks


def section(golden, options, plays):
    """`plays`: seeds, and the policy that plays them."""
    env = gymnasium.make("Blackjack-v1", **options)
    table = env.unwrapped
    golden.env("blackjack", **options)

    def chance(env, action):
        """The coming step is taken on a copy, to see its cards."""
        ahead = copy.deepcopy(table)
        hand = ahead.player if action == 1 else ahead.dealer
        held = len(hand)
        ahead.step(action)
        return drawn(copy.deepcopy(table.np_random), hand[held:]) or None

    for seeds, policy in plays:
        for seed in seeds:
            fresh, _ = gymnasium.utils.seeding.np_random(seed)
            play(golden, env, seed, policy, lambda _: drawn(fresh, table.dealer + table.player), chance, list)


def naturals(count):
    """The first seeds that begin with an ace and a ten."""
    table = gymnasium.make("Blackjack-v1").unwrapped
    seeds = (seed for seed in range(10**6) if table.reset(seed=seed)[0][0] == 21)
    return [next(seeds) for _ in range(count)]


def write(out):
    rng = random.Random(13)

    def at_random(env):
        return rng.randrange(2)

    def to_sixteen(env):
        return int(sum_hand(env.unwrapped.player) < 17)

    def greedy(env):
        """Hits on with 20 and 21 too: so that an ace turns from 11 to 1, and hands get long."""
        return int(rng.random() < 0.9)

    def stick(env):
        return 0

    plays = [
        (range(60), at_random),
        (range(100, 160), to_sixteen),
        (range(200, 240), greedy),
        (naturals(40), stick),
    ]
    with Golden(out, "blackjack", SOURCE) as golden:
        for sab, natural in ((True, False), (False, False), (False, True), (True, True)):
            section(golden, {"natural": natural, "sab": sab}, plays)
