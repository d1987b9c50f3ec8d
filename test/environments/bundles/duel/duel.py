import numpy
from gymnasium import spaces
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv


class Duel(ParallelEnv):
    metadata = {"name": "duel"}
    possible_agents = ["a", "b", "c"]

    def __init__(self):
        self.spaces = {agent: spaces.MultiDiscrete([4, 2]) for agent in self.possible_agents}

    def action_space(self, agent):
        return self.spaces[agent]

    def observation_space(self, agent):
        return spaces.Box(-9, 9, (len(self.possible_agents),), numpy.float32)

    def observe(self):
        return {agent: self.points.astype(numpy.float32) for agent in self.agents}

    def reset(self, seed=None, options=None):
        self.draw, _ = seeding.np_random(seed)
        self.agents = list(self.possible_agents)
        self.points = self.draw.uniform(3, 9, 3)
        return self.observe(), {agent: {} for agent in self.agents}

    def step(self, actions):
        assert set(actions) == set(self.agents)
        hits = {agent: float(action[0] * 0.7 + action[1]) for agent, action in actions.items()}
        for seat, agent in enumerate(self.possible_agents):
            if agent in actions:
                self.points[seat] -= sum(hit for other, hit in hits.items() if other != agent) * self.draw.uniform()
        out = {agent: bool(self.points[self.possible_agents.index(agent)] < 0) for agent in self.agents}
        rewards = {agent: -1.0 if out[agent] else hits[agent] for agent in self.agents}
        observations = self.observe()
        alive = [agent for agent in self.agents if not out[agent]]
        won = {agent: len(alive) <= 1 for agent in self.agents}
        over = {agent: out[agent] or won[agent] for agent in self.agents}
        infos = {agent: {} for agent in self.agents}
        truncations = {agent: False for agent in self.agents}
        self.agents = [agent for agent in alive if not over[agent]]
        return observations, rewards, over, truncations, infos
