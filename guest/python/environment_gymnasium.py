"""A Gymnasium environment: one seat."""

from environment_views import SeatView, Turn, end_of, finite


class GymnasiumAdapter:
    def __init__(self, environment, mask):
        self.environment = environment
        self.seats = ["agent"]
        self.view = SeatView(environment.action_space, environment.observation_space, mask)
        self.views = [self.view.described]

    def seed_actions(self, seed):
        self.view.action_space.seed(seed)

    def turn(self, observation, info, end):
        turn = Turn(1)
        turn.see(0, self.view, observation, info)
        if end is None:
            turn.actors = [0]
        return turn, [end]

    def reset(self, seed):
        observation, info = self.environment.reset(seed=seed)
        turn, ends = self.turn(observation, info, None)
        return turn.told(ends)

    def step(self, actions):
        made = self.environment.step(self.view.read_action(actions[0]))
        observation, reward, terminated, truncated, info = made
        turn, ends = self.turn(observation, info, end_of(terminated, truncated))
        turn.rewards = [finite(reward)]
        return turn.told(ends)
