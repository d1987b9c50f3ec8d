"""Lets the host ask an environment that is written in Python, one JSON object a line: see src/python/environment.ts.

Called as: environment_runner.py ENVIRONMENT.py. What the environment prints goes to standard error.
"""
import importlib.util
import json
import os
import sys
import traceback

protocol_out = os.fdopen(os.dup(1), "w", encoding="utf-8")
protocol_in = os.fdopen(os.dup(0), "r", encoding="utf-8")
os.dup2(2, 1)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def send(message):
    protocol_out.write(json.dumps(message, allow_nan=True) + "\n")
    protocol_out.flush()


def receive():
    line = protocol_in.readline()
    if line == "":
        sys.exit(0)
    return json.loads(line)


class State:
    """An episode: two flat lists, see the environment's own comments."""

    def __init__(self, ints, floats):
        self.ints = ints
        self.floats = floats


class Chance:
    """Draws from the host's chance; the only source of randomness that an environment may use."""

    def _draw(self, kind, arguments):
        send({"draw": kind, "arguments": arguments})
        return receive()["value"]

    def below(self, n):
        return self._draw("below", [n])

    def uniform(self, low, high):
        return self._draw("uniform", [low, high])


def load(path):
    spec = importlib.util.spec_from_file_location("environment", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec.loader.exec_module(module)
    return module


# What each method is called with, beside the state; `chance` stands for the host's.
CALLS = {
    "init": ("chance",),
    "mask": ("seat",),
    "is_legal": ("seat", "action"),
    "apply": ("seat", "action", "chance"),
    "observe": ("seat",),
    "render": (),
}


def main():
    module = load(sys.argv[1])
    made = []
    chance = Chance()

    def answer(request):
        call = request["call"]
        if call == "describe":
            return {key: getattr(module, key.upper()) for key in ("id", "version", "title", "description", "options")}
        if call == "make":
            rules = module.Rules(request["options"])
            made.append(rules)
            return {
                "handle": len(made) - 1,
                "info": rules.info,
                "turn": rules.turn,
                "names": [rules.action_name(action) for action in range(rules.info["actions"])],
            }
        state = State(request["ints"], request["floats"])
        given = [chance if name == "chance" else request[name] for name in CALLS[call]]
        value = getattr(made[request["handle"]], call)(state, *given)
        return {"ints": state.ints, "floats": state.floats, "value": value}

    while True:
        request = receive()
        try:
            send({"result": answer(request)})
        except Exception:
            send({"error": traceback.format_exc()})


main()
