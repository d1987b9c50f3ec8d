"""Matches of ConnectX in kaggle-environments: its own random agents, in this process, with nothing isolated."""

from serve import serve  # first: see there

from kaggle_environments import make


def match(env):
    env.run(["random", "random"])
    # The first entry is the position before the first move.
    return 1, len(env.steps) - 1


def reused():
    env = make("connectx")
    return lambda: match(env)


serve({"fresh": lambda: lambda: match(make("connectx")), "reused": reused})
