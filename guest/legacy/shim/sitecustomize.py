"""Runs before a bundle's own code in each Python of its box, since its folder stands first in PYTHONPATH.

It answers imports of the agent's modules with proxies (lanista_shim/remote.py), and lets ZeroMQ's local TCP endpoints be
Unix sockets (lanista_shim/local_zmq.py), for a box has no TCP. Then it makes way for the sitecustomize that would have
been imported without it.
"""

import os
import sys


def chain():
    here = os.path.dirname(os.path.abspath(__file__))
    rest = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(sys.modules[__name__])


try:
    from lanista_shim import hook

    hook.install()
finally:
    chain()
