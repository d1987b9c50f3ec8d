"""NAME: an environment for Lanista. Check it with: lanista env check environment.py

The game below is Nim: two seats take 1, 2 or 3 stones in turn, and whoever takes the last one wins. Change it into
yours. The rules are pure: all they know of an episode is in `state`, two flat lists that they read and write and never
keep; chance is handed in (chance.below(n), chance.uniform(low, high)) and nothing else may be random.
"""

ID = "KEBAB"
VERSION = 1  # raise it whenever the same actions could give another episode
TITLE = "NAME"
DESCRIPTION = "Nim: two seats take 1 to 3 stones in turn, and whoever takes the last wins. One sees the number of stones."
OPTIONS = {
    "stones": {"type": "integer", "minimum": 1, "maximum": 100, "default": 21, "description": "stones at the beginning"},
}

# state.ints: these are the host's words with the rules; from OWN on they are the rules' own.
ACTORS = 0  # bit i set: seat i is to act
ENDED = 2  # 0 goes on, 1 terminated
OWN = 4
STONES = OWN


class Rules:
    turn = "sequential"

    def __init__(self, options):
        self.options = options
        self.info = {
            "seats": 2,
            "ownInts": 1,  # how many integers and floats the rules keep in a state
            "ownFloats": 0,
            "actions": 3,  # an action is an integer 0 … 2
            "observation": {"type": "Discrete", "n": options["stones"] + 1},
            "returnRange": [-1, 1],
            "zeroSum": True,
            "maxSteps": None,  # a number: after that many steps the host truncates the episode
            "chance": False,  # whether `chance` is ever drawn from
            "perfectInformation": True,
        }

    def init(self, state, chance):
        """Sets up an episode; every number of the state is 0 before."""
        state.ints[STONES] = self.options["stones"]
        state.ints[ACTORS] = 1  # seat 0 begins

    def is_legal(self, state, seat, action):
        return 0 <= action < 3 and action + 1 <= state.ints[STONES]

    def mask(self, state, seat):
        return [1 if self.is_legal(state, seat, action) else 0 for action in range(3)]

    def apply(self, state, seat, action, chance):
        """Does a legal action: says who is to act next, or that it ended, and the rewards that are not zero."""
        state.ints[STONES] -= action + 1
        if state.ints[STONES] > 0:
            state.ints[ACTORS] = 1 << (1 - seat)
        else:
            state.ints[ENDED] = 1
            state.floats[seat] = 1  # state.floats[i] is seat i's reward for this step
            state.floats[1 - seat] = -1

    def observe(self, state, seat):
        """What a seat sees, as flat numbers that the observation space contains."""
        return [state.ints[STONES]]

    def render(self, state):
        return "{} ({})".format("o" * state.ints[STONES], state.ints[STONES])

    def action_name(self, action):
        return "take-{}".format(action + 1)
