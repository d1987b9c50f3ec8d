"""Runs one judge of a task, in Python, in a box of its own (docs/tasks.md, "Judges"). Python 3.8 or newer.

Theory of operation. As with agents, the protocol is moved to private descriptors before anything of the judge is loaded, so what a
judge prints goes to its log. The host tells it of a case; the judge asks questions, which the host takes to the agent in the other
box, and returns a verdict. The agent's bytes never come here: an answer is a JSON value that the host has parsed and written anew.
"""

import json
import os
import sys

from lanista_questions import plain
from runner import decode, error_answer, import_numpy, load_file, send, take_stdio

# A judge's own modules may bear these names.
for ours in ("runner", "lanista_questions"):
    del sys.modules[ours]


def read(questions):
    line = questions.readline()
    if not line:
        os._exit(0)  # the case is over, and nobody is there to be told anything
    return decode(line.decode(), 0)[0]


class Agent:
    """Whoever is graded: ask() gives the answer to a question. Both are numbers, texts, lists and dictionaries."""

    def __init__(self, wire):
        self._wire = wire

    def ask(self, question):
        return self._wire.ask(question)


class Wire:
    def __init__(self, questions, answers):
        self.questions, self.answers, self.turn = questions, answers, None

    def say(self, key, value):
        text = '{"id":%d,"%s":%s}\n' % (self.turn, key, json.dumps(plain(value), allow_nan=False))
        self.turn = None
        send(self.answers, text.encode())

    def ask(self, question):
        if self.turn is None:
            raise RuntimeError("a question is open already: ask() is called by one thread, one question at a time")
        self.say("ask", question)
        message = read(self.questions)
        self.turn = message["id"]
        return message["answer"]


def verdict_of(returned):
    """What judge() returned as the verdict's keys: a number alone is the value."""
    if isinstance(returned, dict):
        return returned
    return {"value": plain(returned)}


def main():
    questions, answers = take_stdio()
    import_numpy()
    info = read(questions)
    try:
        folder = info["agent_dir"]
        os.chdir(folder)
        sys.path[0] = folder
        path = os.path.join(folder, info["entry"])
        sys.argv[:] = [path]
        judge = getattr(load_file(path), "judge", None)
        if not callable(judge):
            raise TypeError("%s has no function judge(case, agent)" % info["entry"])
    except BaseException as error:
        send(answers, error_answer(None, error))
        return
    send(answers, b'{"type":"ready","protocol":1}\n')
    wire = Wire(questions, answers)
    message = read(questions)
    wire.turn = message["id"]
    try:
        second = message["record"] if "record" in message else Agent(wire)
        wire.say("verdict", verdict_of(judge(message["case"], second)))
    except BaseException as error:
        if wire.turn is not None:
            send(answers, error_answer(wire.turn, error))
        else:
            raise
    read(questions)


if __name__ == "__main__":
    main()
