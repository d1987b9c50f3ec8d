"""Guess the number in its observation: aivle_grader's test cases, run on an environment in this process."""
import pickle

import gym

from aivle_grader.evaluator import RewardEvaluator
from aivle_grader.test_case import ReinforcementLearningTestCase
from aivle_grader.test_suite import TestSuite
from agent import create_agent


class Guess(gym.Env):
    action_space = gym.spaces.Discrete(10)
    observation_space = gym.spaces.Discrete(10)

    def __init__(self, start):
        self.start = start

    def reset(self):
        self.turn = 0
        return self.start % 10

    def seed(self, seed=None):
        pass

    def step(self, action):
        wanted = (self.start * 7 + self.turn * 3) % 10
        self.turn += 1
        following = (self.start * 7 + self.turn * 3) % 10
        return following, float(action == wanted), self.turn == 10, {}


def case(case_id, start):
    return ReinforcementLearningTestCase(
        t_max=1000,
        env=Guess(start),
        evaluator=RewardEvaluator(),
        agent_init={"case_id": case_id, "action_space": Guess.action_space},
        seeds=[1, 2],
        case_id=case_id,
        time_limit=6,
        n_runs=2,
    )


suite = TestSuite("guess", [case(0, 4), case(1, 3)])
print(pickle.dumps(suite.run(create_agent)))
