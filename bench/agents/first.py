"""The first legal move: no import at all, so that a start is the runner's and the sandbox's alone."""


def act(observation):
    mask = observation["action_mask"]
    action = 0
    while not mask[action]:
        action += 1
    return action
