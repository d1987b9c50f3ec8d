"""Rock-paper-scissors has no peer with our observation, so this is a second implementation, from a table of who wins."""

import random

from golden import Golden

BEATS = {("paper", "rock"), ("scissors", "paper"), ("rock", "scissors")}
NAMES = ["rock", "paper", "scissors"]


def episode(golden, rng, rounds):
    played = []

    def observation(seat):
        rows = [[pair[seat], pair[1 - seat]] for pair in played] + [[-1, -1]] * (rounds - len(played))
        return [value for row in rows for value in row]

    def seen():
        return {"obs0": observation(0), "obs1": observation(1)}

    golden.episode(**seen())
    totals = [0, 0]
    for _ in range(rounds):
        pair = (rng.randrange(3), rng.randrange(3))
        played.append(pair)
        names = (NAMES[pair[0]], NAMES[pair[1]])
        reward = [1, -1] if names in BEATS else [-1, 1] if names[::-1] in BEATS else [0, 0]
        totals = [total + one for total, one in zip(totals, reward)]
        golden.step(*pair, reward=reward, **seen())
    golden.end("terminated", **{"return": totals})


def write(out):
    rng = random.Random(6)
    with Golden(out, "rock-paper-scissors", "the second implementation in scripts/goldens/games") as golden:
        for rounds, episodes in ((1, 9), (3, 6), (10, 4)):
            golden.env("rock-paper-scissors", rounds=rounds)
            for _ in range(episodes):
                episode(golden, rng, rounds)
