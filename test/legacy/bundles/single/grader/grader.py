"""Cart-pole behind aivle_gym: the environment in a process of its own, the agent in this one."""
import multiprocessing
import pickle
import time
from multiprocessing import Process

import gym
import numpy
from aivle_gym.agent_env import AgentEnv
from aivle_gym.env_serializer import EnvSerializer
from aivle_gym.judge_env import JudgeEnv

from aivle_grader.evaluator import StepCountEvaluator
from aivle_grader.test_case import ReinforcementLearningTestCase
from aivle_grader.test_suite import TestSuite
from agent import CartPoleAgent

gym.logger.set_level(gym.logger.ERROR)


class CartPoleEnvSerializer(EnvSerializer):
    def action_to_json(self, action):
        return action

    def json_to_action(self, action_json):
        return action_json

    def observation_to_json(self, obs):
        return obs.tolist()

    def json_to_observation(self, obs_json):
        return numpy.array(obs_json)

    def info_to_json(self, info):
        return info

    def json_to_info(self, info_json):
        return info_json


class CartPoleJudgeEnv(JudgeEnv):
    def __init__(self):
        self.env = gym.make("CartPole-v0")
        super().__init__(
            CartPoleEnvSerializer(), self.env.action_space, self.env.observation_space, self.env.reward_range
        )
        self.next_seed = None

    def step(self, action):
        return self.env.step(action)

    def reset(self):
        # aivle_grader seeds after the reset; the same seed each time makes that no matter.
        return self.env.reset(seed=self.next_seed if self.next_seed is not None else 2333)

    def render(self, mode="human"):
        return self.env.render(mode=mode)

    def close(self):
        self.env.close()

    def seed(self, seed=None):
        self.next_seed = seed


class CartPoleAgentEnv(AgentEnv):
    def __init__(self, port):
        base_env = gym.make("CartPole-v0")
        super().__init__(
            CartPoleEnvSerializer(),
            base_env.action_space,
            base_env.observation_space,
            base_env.reward_range,
            uid=0,
            port=port,
        )


def create_agent(**kwargs):
    return CartPoleAgent()


def run_judge(return_queue):
    judge_env = CartPoleJudgeEnv()
    return_queue.put(judge_env.bind())
    judge_env.start()


def main():
    return_queue = multiprocessing.Manager().Queue()
    judge_proc = Process(target=run_judge, args=(return_queue,))
    judge_proc.start()
    port = return_queue.get(timeout=30)
    try:
        n_runs = 3
        env = CartPoleAgentEnv(port=port)
        test_case = ReinforcementLearningTestCase(
            t_max=10000,
            env=env,
            evaluator=StepCountEvaluator(),
            agent_init={},
            seeds=[2333 for _ in range(n_runs)],
            case_id=0,
            time_limit=3600,
            n_runs=n_runs,
        )
        res = TestSuite(suite_id="cart_pole_test", cases=[test_case]).run(create_agent)
        print(pickle.dumps(res))
    finally:
        judge_proc.terminate()


if __name__ == "__main__":
    main()
