"""PettingZoo's two interfaces. Seats are its `possible_agents`, in their order; a seat that has ended is not asked any more, and takes the
steps that PettingZoo wants of it (with no action) by itself."""

from environment_views import SeatView, Turn, end_of, finite


class PettingZooAdapter:
    def __init__(self, environment, mask):
        self.environment = environment
        self.seats = [str(agent) for agent in environment.possible_agents]
        self.agents = list(environment.possible_agents)
        self.index = {agent: seat for seat, agent in enumerate(self.agents)}
        self.seat_views = [
            SeatView(environment.action_space(agent), environment.observation_space(agent), mask) for agent in self.agents
        ]
        self.views = [view.described for view in self.seat_views]
        self.ends = [None] * len(self.agents)

    def seed_actions(self, seed):
        for seat, view in enumerate(self.seat_views):
            view.action_space.seed(seed + seat)

    def mark(self, terminations, truncations):
        for agent, terminated in terminations.items():
            seat = self.index[agent]
            if self.ends[seat] is None:
                self.ends[seat] = end_of(terminated, truncations.get(agent, False))


class AecAdapter(PettingZooAdapter):
    """One agent after the other: `agent_selection` is to act."""

    def reset(self, seed):
        self.environment.reset(seed=seed)
        self.ends = [None] * len(self.agents)
        return self.turn(Turn(len(self.agents)))

    def step(self, actions):
        environment = self.environment
        agent = environment.agent_selection
        seat = self.index[agent]
        earned = dict(environment._cumulative_rewards)
        environment.step(self.seat_views[seat].read_action(actions[seat]))
        earned[agent] = 0  # it saw what it had earned before it acted
        turn = Turn(len(self.agents))
        for one, after in environment._cumulative_rewards.items():
            before = earned.get(one, 0)
            reward = environment.rewards.get(one, 0)
            # An environment that leaves old rewards standing does not add them again; what agents are told is the sum.
            turn.rewards[self.index[one]] = finite(reward if before + reward == after else after - before)
        return self.turn(turn)

    def turn(self, turn):
        environment = self.environment
        self.mark(environment.terminations, environment.truncations)
        for _ in range(4 * len(self.agents) + 4):
            if not environment.agents:
                return turn.told(self.ends)
            agent = environment.agent_selection
            seat = self.index[agent]
            dead = environment.terminations[agent] or environment.truncations[agent]
            turn.see(seat, self.seat_views[seat], environment.observe(agent), environment.infos.get(agent, {}))
            if not dead:
                turn.actors = [seat]
                return turn.told(self.ends)
            turn.masks[seat] = None
            environment.step(None)
            self.mark(environment.terminations, environment.truncations)
        raise RuntimeError("the environment goes on selecting agents that have ended")


class ParallelAdapter(PettingZooAdapter):
    """All that are in `agents` act at once."""

    def reset(self, seed):
        observations, infos = self.environment.reset(seed=seed)
        self.ends = [None] * len(self.agents)
        return self.turn(Turn(len(self.agents)), observations, infos)

    def step(self, actions):
        acting = [agent for agent in self.environment.agents if self.ends[self.index[agent]] is None]
        chosen = {}
        for agent in acting:
            seat = self.index[agent]
            chosen[agent] = self.seat_views[seat].read_action(actions[seat])
        observations, rewards, terminations, truncations, infos = self.environment.step(chosen)
        turn = Turn(len(self.agents))
        for agent, reward in rewards.items():
            turn.rewards[self.index[agent]] = finite(reward)
        self.mark(terminations, truncations)
        for agent in acting:
            # Gone without a word about why.
            if agent not in self.environment.agents and self.ends[self.index[agent]] is None:
                self.ends[self.index[agent]] = "terminated"
        return self.turn(turn, observations, infos)

    def turn(self, turn, observations, infos):
        for agent, observation in observations.items():
            seat = self.index[agent]
            turn.see(seat, self.seat_views[seat], observation, infos.get(agent, {}))
        for agent in self.environment.agents:
            seat = self.index[agent]
            if self.ends[seat] is None:
                turn.actors.append(seat)
                if turn.seen[seat] is None:
                    raise RuntimeError("%s is to act and was given no observation" % agent)
            else:
                turn.masks[seat] = None
        turn.actors.sort()
        return turn.told(self.ends)
