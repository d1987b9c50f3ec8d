"""NAME: an agent for Lanista. Try it with: lanista match connect-four . .

It plays a random legal action in any environment. Make it better: look at what `act` is given.
What you print goes to the agent's log (lanista match … --logs DIR), never to the game.
"""
import random


class Agent:
    def __init__(self, player_id, info):
        """`info` is the host's first message: info["env"]["id"] and ["options"], info["seats"], info["action_space"], …"""
        self.seat = player_id
        self.actions = info["action_space"]["n"]
        # Randomness from the seed alone: then the same match can be played again, move by move.
        self.random = random.Random(info["seed"])

    def act(self, observation):
        """Returns an action, an integer. Is called whenever this seat is to move; a clock runs."""
        # Where not every action is always legal, one is told which are: 1 legal, 0 not.
        if isinstance(observation, dict):
            mask = observation["action_mask"]
            # observation["observation"] is the board: a NumPy array where Python has NumPy, else nested lists.
            return self.random.choice([action for action in range(self.actions) if mask[action]])
        return self.random.randrange(self.actions)
