"""Stands in for an agent whose files are part of its box's image: finds them there, and offers what they offer."""

import os
import sys

# Where images of agents have their files; in the first of these that has any, the names agents' files have anywhere.
PLACES = ("/app", "/workspace", "/code", "/usr/src/app", "/opt/agent", "/home/agent")
NAMES = ("agent.py", "main.py")


def find():
    for place in PLACES:
        try:
            found = sorted(name for name in os.listdir(place) if name.endswith(".py"))
        except OSError:
            continue
        for name in NAMES + tuple(found):
            if name in found:
                return os.path.join(place, name)
    raise FileNotFoundError("the image has no agent: no .py file in any of %s" % ", ".join(PLACES))


__file__ = find()
sys.path.insert(0, os.path.dirname(__file__))
with open(__file__, "rb") as file:
    exec(compile(file.read(), __file__, "exec"), globals())
