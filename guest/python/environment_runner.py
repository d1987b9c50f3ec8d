"""Runs one environment from a bundle behind the host's questions (docs/bundled-environments.md). Python 3.8 or newer; of packages it
uses what the bundle asks for, and NumPy where that is there.

Theory of operation. The host writes questions to standard input, one JSON object a line, and reads one line for each: `open` makes the
environment and tells of its seats and spaces, `reset` and `step` give what follows from them, `render` a text. Standard output is taken
away from the environment before anything of it is loaded, as the agents' runner does it. An adapter (environment_gymnasium.py,
environment_pettingzoo.py) makes one kind of turn out of the three interfaces; environment_spaces.py turns values into JSON and back.

How it fails: whatever the environment raises is told as an error, with its traceback; the host ends the box then. Nothing that the
environment does in here can be believed more than the environment itself.
"""

import json
import os
import random
import sys

from runner import send, shorten, take_stdio
from environment_spaces import import_numpy

ERROR_CHARS = 1800


def seed_everything(seed):
    """What an environment draws from beside its own generator: the same for the same seed."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed([seed & 0xFFFFFFFF, seed >> 32])
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


def load(entry):
    """The class or function that `module:name` names, or one that makes the environment registered as `gymnasium:<id>`."""
    module_name, name = entry.split(":", 1)
    if module_name == "gymnasium":
        import gymnasium

        return lambda **arguments: gymnasium.make(name, disable_env_checker=True, **arguments)
    import importlib

    found = importlib.import_module(module_name)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def adapter_for(api):
    if api == "gymnasium":
        from environment_gymnasium import GymnasiumAdapter

        return GymnasiumAdapter
    from environment_pettingzoo import AecAdapter, ParallelAdapter

    return AecAdapter if api == "pettingzoo-aec" else ParallelAdapter


class Runner:
    def __init__(self):
        self.environment = None
        self.adapter = None

    def open(self, question):
        make_adapter = adapter_for(question["api"])
        folder = question["dir"]
        os.chdir(folder)
        sys.path[0] = folder  # in place of the runner's own folder
        sys.argv[:] = [folder]
        import_numpy()
        seed_everything(0)
        self.environment = load(question["entry"])(**question["kwargs"])
        self.adapter = make_adapter(self.environment, question["mask"])
        return {"seats": self.adapter.seats, "views": self.adapter.views}

    def reset(self, question):
        seed = question["seed"]
        seed_everything(seed)
        self.adapter.seed_actions(seed)
        return self.adapter.reset(seed)

    def step(self, question):
        return self.adapter.step(question["actions"])

    def render(self, question):
        if getattr(self.environment, "render_mode", None) != "ansi":
            return {"text": None}
        text = self.environment.render()
        return {"text": text if text is None else str(text)}


QUESTIONS = ("open", "reset", "step", "render")


def answer(runner, question):
    if question["type"] not in QUESTIONS:
        raise ValueError("an unknown question: %s" % question["type"])
    return getattr(runner, question["type"])(question)


def describe(error):
    """The error as text, without frames of our own."""
    import traceback

    ours = os.path.dirname(os.path.abspath(__file__)) + os.sep
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(ours):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def error_text(error):
    try:
        text = describe(error)
    except BaseException:  # an exception class of the environment's can fail at being described
        text = type(error).__name__
    try:
        print(shorten(text, 16000), file=sys.__stderr__, flush=True)
    except (OSError, ValueError):
        pass  # the environment closed its log
    return shorten(text, ERROR_CHARS)


def main():
    questions, answers = take_stdio()
    runner = Runner()
    for line in iter(questions.readline, b""):
        question = json.loads(line)
        try:
            told = answer(runner, question)
            told["id"] = question["id"]
            text = json.dumps(told, allow_nan=False, separators=(",", ":"))
        except BaseException as error:
            text = json.dumps({"id": question["id"], "error": error_text(error)})
        send(answers, text.encode() + b"\n")


if __name__ == "__main__":
    main()
