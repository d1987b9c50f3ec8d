"""Imports that are answered in another way than Python would: the agent's modules, and zmq.

`agent` is always the agent's, even where the grader has a file of that name: it is what aiVLE lays over the grader's files.
The agent's other modules are found last, and by the grader's own files alone: no library and no module of Python's own
can be shadowed by what an agent hands in.
"""

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

from . import GRADING, OURS


class FirstFinder:
    def __init__(self, split):
        self.split = split
        self.patching = False

    def find_spec(self, name, path=None, target=None):
        if self.split and (name == "agent" or name.startswith("agent.")):
            return agent_spec(name)
        if name == "zmq" and not self.patching:
            return self.patched_zmq()
        return None

    def patched_zmq(self):
        spec = PathFinder.find_spec("zmq")
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            from . import local_zmq

            local_zmq.patch(module)

        spec.loader.exec_module = exec_module
        return spec


class LastFinder:
    def __init__(self, modules):
        self.modules = frozenset(modules)

    def find_spec(self, name, path=None, target=None):
        top, _, rest = name.partition(".")
        if top in self.modules and (rest or importer().startswith(GRADING + os.sep)):
            return agent_spec(name)
        return None


def importer():
    """The file whose import this is."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith("<frozen importlib") and file != __file__ and not file.endswith("/importlib/__init__.py"):
            return os.path.abspath(file)
        frame = frame.f_back
    return ""


def agent_spec(name, known_as=None):
    from . import remote

    return ModuleSpec(known_as or name, remote.Loader(), loader_state=name)


def install():
    try:
        with open(os.path.join(OURS, "modules"), encoding="utf-8") as file:
            modules = [name for name in file.read().split("\n") if name]
        with open(os.path.join(OURS, "files"), encoding="utf-8") as file:
            files = frozenset(name for name in file.read().split("\n") if name)
    except OSError:
        return  # not a bundle's box
    sys.meta_path.insert(0, FirstFinder(bool(files)))
    if files:
        sys.meta_path.append(LastFinder(modules))
        answer_paths(files)
        sys.addaudithook(opened(files))


def missing(path, files):
    """The agent's file that a path means, where the grader has none of that name."""
    if type(path) is not str:
        return None
    folder = GRADING + os.sep
    if path.startswith(folder):
        path = path[len(folder) :]
    elif path.startswith("/"):
        return None
    path = os.path.normpath(path)
    return path if path in files and not os.path.exists(path) else None


def opened(files):
    """A grader that opens a file of the agent's needs it beside its own: that cannot be split."""

    def hook(event, arguments):
        if event != "open":
            return
        path = missing(arguments[0], files)
        if path is not None:
            from . import channel

            channel.unsplit("the grader opens the agent's file %s" % path)

    return hook


def answer_paths(files):
    """importlib.util.spec_from_file_location("agent", "agent.py") means the agent's module as well."""
    from importlib import _bootstrap_external as external

    by_python = external.spec_from_file_location

    def spec_from_file_location(name, location=None, **named):
        path = missing(location if location is None or isinstance(location, str) else os.fspath(location), files)
        if path is not None and path.endswith(".py"):
            return agent_spec(path[:-3].replace(os.sep, "."), name)
        return by_python(name, location, **named)

    external.spec_from_file_location = spec_from_file_location
    util = sys.modules.get("importlib.util")
    if util is not None:
        util.spec_from_file_location = spec_from_file_location
