"""Two seats of one agent meet at aivle_gym's barrier, each in a process of its own."""
import multiprocessing
import pickle
from multiprocessing import Process, Queue

import gym
from aivle_gym.agent_env import AgentEnv
from aivle_gym.env_serializer import SampleSerializer
from aivle_gym.judge_multi_env import JudgeMultiEnv

from aivle_grader.evaluator import RewardEvaluator
from aivle_grader.test_case import ReinforcementLearningTestCase
from aivle_grader.test_suite import TestSuite
from agent import create_agent


class Matching(gym.Env):
    """Seat 0 earns a point where both play the same, seat 1 where they do not."""

    action_space = gym.spaces.Discrete(3)
    observation_space = gym.spaces.Discrete(10)
    n_agents = 2

    def reset(self):
        self.turn = 0
        return [0, 0]

    def step(self, actions):
        self.turn += 1
        same = float(actions[0] == actions[1])
        over = self.turn == 9
        return [self.turn, self.turn], [same, 1.0 - same], [over, over], {"turn": self.turn}


class JudgeEnv(JudgeMultiEnv):
    def __init__(self):
        self.env = Matching()
        super().__init__(
            SampleSerializer(), self.env.action_space, self.env.observation_space, (0, 1), 2, {0: 0, 1: 1}
        )

    def step(self, action):
        return self.env.step(action)

    def reset(self):
        return self.env.reset()

    def render(self, mode="human"):
        pass

    def close(self):
        pass

    def seed(self, seed=None):
        pass


def run_judge(return_queue):
    judge_env = JudgeEnv()
    return_queue.put(judge_env.bind())
    judge_env.start()


def execute(uid, queue, port):
    env = AgentEnv(SampleSerializer(), Matching.action_space, Matching.observation_space, (0, 1), uid=uid, port=port)
    case = ReinforcementLearningTestCase(
        t_max=100,
        env=env,
        evaluator=RewardEvaluator(),
        agent_init={"uid": uid},
        seeds=[],
        case_id=uid,
        time_limit=60,
        n_runs=2,
    )
    queue.put(TestSuite(suite_id="matching_%d" % uid, cases=[case]).run(create_agent))


def main():
    queue = Queue()
    return_queue = multiprocessing.Manager().Queue()
    judge = Process(target=run_judge, args=(return_queue,))
    judge.start()
    try:
        port = return_queue.get(timeout=30)
        players = [Process(target=execute, args=(uid, queue, port)) for uid in (0, 1)]
        for player in players:
            player.start()
        suites = [queue.get(timeout=60) for _ in players]
        for player in players:
            player.join()
        results = sorted((suite["results"][0] for suite in suites), key=lambda result: result["case_id"])
        print(pickle.dumps({"suite_id": "matching", "results": results}))
    finally:
        judge.terminate()


if __name__ == "__main__":
    main()
