"""Writes golden files: episodes played by somebody else's implementation, for our rules to replay.

A golden file is text, one statement a line; `#` starts a comment, which replaying ignores.

    env ID {OPTIONS}       what follows is of this environment, with these options
    perft 7,49,343         how many sequences of 1, 2, 3 … legal actions there are from the first state
    episode FIELDS         an episode begins; the fields are of its first state
    ACTIONS FIELDS         a step: the action, or one for each seat with commas between them, if all act at once
    end KIND FIELDS        the episode is over; KIND is terminated, truncated, or open if it was just not played on

Fields, in any number, each `key=value`; a value holds no blank:

    chance=0,0.25   the outcomes that the environment drew, in the order in which our rules draw them
    seat=0          after the statement it is this seat's turn (absent where all act at once, or nobody)
    legal=0-5,7     after the statement these actions are legal for `seat`
    reward=1,-1     each seat's reward for the step; zero where absent
    obs0=1,0,0.5    what seat 0 observes after the statement; obs1 and so on for the others
    board=.x/o.     after the statement the board looks like this, the top row first: x seat 0's, o seat 1's, . nobody's. Where
                    an environment is compared by it, it observes rows × columns × 2: one's own pieces, the other seat's
    return=1,-1     with `end`: each seat's sum of rewards

Every file is deterministic: the same versions write the same bytes.
"""

import json
from pathlib import Path


def ranges(numbers):
    """0,1,2,3,7 as 0-3,7."""
    parts = []
    for n in sorted(numbers):
        if parts and parts[-1][1] == n - 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def number(value):
    """The shortest text that reads back as the same double; whole numbers without a point."""
    value = float(value)
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def numbers(values):
    return ",".join(number(v) for v in values)


class Golden:
    """One file. Use as a context manager; it is written when the block ends without an error."""

    def __init__(self, out, name, source):
        self._path = Path(out) / f"{name}.txt"
        self._lines = [f"# Written by scripts/goldens.sh from {source}. Do not edit; the form is told in scripts/goldens/golden.py."]

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None:
            self._path.write_text("\n".join(self._lines) + "\n", encoding="utf-8")

    def comment(self, text):
        self._lines += [f"# {line}".rstrip() for line in text.rstrip().split("\n")]

    def env(self, name, **options):
        self._lines += ["", f"env {name} {json.dumps(options, separators=(',', ':'))}"]

    def perft(self, counts):
        self._lines.append("perft " + ",".join(str(n) for n in counts))

    def episode(self, **fields):
        self._statement("episode", fields)

    def step(self, *actions, **fields):
        self._statement(",".join(str(int(a)) for a in actions), fields)

    def end(self, kind, **fields):
        self._statement(f"end {kind}", fields)

    def _statement(self, head, fields):
        """Fields: lists of numbers, except seat (an integer), legal (actions, written as ranges) and board (rows of text)."""
        parts = [head]
        for key, value in fields.items():
            if value is None:
                continue
            if key == "seat":
                text = str(value)
            elif key == "legal":
                text = ranges(value)
            elif key == "board":
                text = "/".join(value)
            else:
                text = numbers(value)
                if key == "reward" and not any(value):
                    continue
            parts.append(f"{key}={text}")
        self._lines.append(" ".join(parts))
