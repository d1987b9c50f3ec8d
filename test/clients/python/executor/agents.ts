/** Agents as RL Arena's users write them: good ones, and each way of being a bad one. */

/** Follows the ball; plays either seat. */
export const PONG = `
class Agent:
    def __init__(self, player_id):
        self.player = player_id
    def act(self, obs):
        paddle = float(obs[4 + self.player])
        return 0 if obs[1] < paddle - 0.02 else 2 if obs[1] > paddle + 0.02 else 1
`;

/** Never moves. */
export const STILL = "def get_action(obs):\n    return 1\n";

/** Takes the leftmost column that is free: four in a row upwards, against nobody who minds. */
export const LEFTMOST = `
def create_agent(player_id=0):
    class One:
        def predict(self, obs):
            return [i for i, legal in enumerate(obs["action_mask"]) if legal][0]
    return One()
`;

/** The same from the right. */
export const RIGHTMOST = `
class Agent:
    def get_action(self, obs):
        return [i for i, legal in enumerate(obs["action_mask"]) if legal][-1]
`;

/** Answers out of range, each time. */
export const CHEAT = "def get_action(obs):\n    return 99\n";

/** Its program ends in the middle of the match. */
export const CRASH = `
import os
count = 0
def get_action(obs):
    global count
    count += 1
    if count > 3:
        os._exit(3)
    return 0
`;

/** Raises, again and again, and lives. */
export const RAISES = "def get_action(obs):\n    raise ValueError('no idea')\n";

export const HANG = "import time\ndef get_action(obs):\n    time.sleep(3600)\n";
export const HANG_AT_IMPORT = "import time\ntime.sleep(3600)\n";

/** Thinks so long for its first move, and not at all for the others; always goes up. */
export const lateAtFirst = (seconds: number): string => `
import time
count = 0
def get_action(obs):
    global count
    count += 1
    if count == 1:
        time.sleep(${seconds})
    return 0
`;

/** Thinks so long for each move, and answers well; its process bears the name, for whoever looks at /proc. */
export const slow = (seconds: number, name = "lanista-slow"): string => `
import time
try:
    open("/proc/self/comm", "w").write(${JSON.stringify(name)})
except OSError:
    pass
def get_action(obs):
    time.sleep(${seconds})
    return 1
`;
