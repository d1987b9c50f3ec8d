"""Plays an environment by the library itself, in this process, as its documentation says, and prints what was seen: one JSON line for each
look of a seat at its position, and one for each episode's end. The comparison in bundled.test.ts does the same through a box."""

import importlib
import json
import random
import sys

import numpy


def plain(value):
    if isinstance(value, numpy.ndarray) and value.ndim > 0:
        return [odd(one) for one in value.ravel().tolist()]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(one) for one in value]
    if isinstance(value, str):
        return value
    return odd(float(value))


def odd(value):
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def split(observation):
    """What is seen, and the mask or None."""
    if isinstance(observation, dict) and set(observation) == {"observation", "action_mask"}:
        return observation["observation"], [int(bit) for bit in observation["action_mask"]]
    return observation, None


def choose(space, mask, step):
    """The rule that the other side follows, too."""
    kind = type(space).__name__
    if kind == "Discrete":
        legal = [i for i in range(int(space.n)) if mask is None or mask[i]]
        return int(space.start) + legal[(step * 7 + 3) % len(legal)]
    if kind == "MultiDiscrete":
        return numpy.array([(step + i) % n for i, n in enumerate(space.nvec)])
    if kind == "MultiBinary":
        return numpy.array([(step + i) % 2 for i in range(space.n)], numpy.int8)
    if kind == "Text":
        characters = sorted(space.character_set)
        length = space.min_length + step % (space.max_length - space.min_length + 1)
        return "".join(characters[(step + i) % len(characters)] for i in range(length))
    if kind == "Tuple":
        return tuple(choose(one, None, step + i) for i, one in enumerate(space.spaces))
    if kind == "Dict":
        return {key: choose(one, None, step + i) for i, (key, one) in enumerate(space.spaces.items())}
    part = step * 37 % 101 / 101
    low, high = space.low.astype(float), space.high.astype(float)
    return (low + (high - low) * part).astype(space.dtype)


def say(*record):
    print(json.dumps(record))


def seed_all(seed):
    random.seed(seed)
    numpy.random.seed([seed & 0xFFFFFFFF, seed >> 32])


def gymnasium_episode(environment, seed, most):
    seed_all(seed)
    environment.action_space.seed(seed)
    observation, _ = environment.reset(seed=seed)
    reward, step = 0, 0
    while True:
        seen, mask = split(observation)
        say(0, plain(seen), mask, float(reward))
        observation, reward, terminated, truncated, _ = environment.step(choose(environment.action_space, mask, step))
        step += 1
        if terminated or truncated or step == most:
            say("end", "terminated" if terminated else "truncated", [float(reward)])
            return


def aec_episode(environment, seed, most):
    seed_all(seed)
    names = list(environment.possible_agents)
    for seat, agent in enumerate(names):
        environment.action_space(agent).seed(seed + seat)
    environment.reset(seed=seed)
    step, last, ends = 0, [0.0] * len(names), []
    for agent in environment.agent_iter():
        observation, reward, terminated, truncated, _ = environment.last()
        seat = names.index(agent)
        if terminated or truncated:
            ends.append(terminated)
            last[seat] = float(reward)
            environment.step(None)
            continue
        if step == most:
            for seat, agent in enumerate(names):
                last[seat] = float(environment._cumulative_rewards.get(agent, 0))
            break
        seen, mask = split(observation)
        say(seat, plain(seen), mask, float(reward))
        environment.step(choose(environment.action_space(agent), mask, step))
        step += 1
    say("end", "terminated" if any(ends) else "truncated", last)


def parallel_episode(environment, seed, most):
    seed_all(seed)
    names = list(environment.possible_agents)
    for seat, agent in enumerate(names):
        environment.action_space(agent).seed(seed + seat)
    observations, _ = environment.reset(seed=seed)
    step, earned = 0, [0.0] * len(names)
    while True:
        actions = {}
        for agent in sorted(environment.agents, key=names.index):
            seat = names.index(agent)
            seen, mask = split(observations[agent])
            say(seat, plain(seen), mask, earned[seat])
            earned[seat] = 0.0
            actions[agent] = choose(environment.action_space(agent), mask, step + seat)
        observations, rewards, terminations, truncations, _ = environment.step(actions)
        step += 1
        for agent, reward in rewards.items():
            earned[names.index(agent)] += float(reward)
        if not environment.agents or step == most:
            say("end", "terminated" if any(terminations.values()) else "truncated", earned)
            return


EPISODES = {"gymnasium": gymnasium_episode, "pettingzoo-aec": aec_episode, "pettingzoo-parallel": parallel_episode}


def main():
    asked = json.loads(sys.argv[1])
    sys.path.insert(0, asked["dir"])
    module, name = asked["entry"].split(":", 1)
    random.seed(0)
    numpy.random.seed([0, 0])
    if module == "gymnasium":
        import gymnasium

        environment = gymnasium.make(name, **asked["kwargs"])
    else:
        environment = getattr(importlib.import_module(module), name)(**asked["kwargs"])
    for seed in asked["seeds"]:
        EPISODES[asked["api"]](environment, seed, asked["most"])


main()
