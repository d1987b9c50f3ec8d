"""Reads one result line of a grader's: a bytes literal that holds a pickle. Runs in a fresh box of its own, nothing else in it.

Standard input: the line. Standard output: one JSON document. Nothing that the pickle names is imported or called: builtin
exceptions and a few containers are made, NumPy's scalars and arrays are rebuilt here as plain numbers, and every other
class is a stub that keeps its arguments. `line` is what may be handed on to whoever unpickles it for himself: the very line
where it names nothing but builtins, a new one of plain values where it names NumPy, none where it names anything else.
"""

import ast
import base64
import builtins
import collections
import io
import json
import math
import pickle
import resource
import struct
import sys

DEPTH = 40
NODES = 200_000
LONGEST_TEXT = 20_000
LONGEST_OUTPUT = 1_000_000
SAFE_INTEGER = 2**53

CONTAINERS = ("set", "frozenset", "complex", "bytearray", "range", "slice")


class Refused(Exception):
    pass


class Opaque:
    """Stands for an object of a class that is not known here."""

    name = "?"

    def __new__(cls, *args, **kwargs):
        made = object.__new__(cls)
        made.arguments = args
        return made

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        self.state = state

    # A pickle may fill what it takes for a list or a dictionary.
    def append(self, item):
        pass

    def extend(self, items):
        pass

    def add(self, item):
        pass

    def __setitem__(self, key, value):
        pass


class Dtype:
    def __init__(self, name, *_):
        self.name = name if isinstance(name, str) else "?"
        self.order = "<"

    def __setstate__(self, state):
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self.order = state[1]

    def format(self):
        kind, size = self.name[:1], self.name[1:]
        code = {"b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q"}
        code.update({"f2": "e", "f4": "f", "f8": "d"})
        if kind + size not in code:
            raise Refused("a NumPy value of type %r" % self.name[:20])
        return (">" if self.order == ">" else "<") + code[kind + size]


def numpy_scalar(dtype, data=b""):
    if not isinstance(dtype, Dtype):
        raise Refused("a NumPy scalar without its type")
    if isinstance(data, str):
        data = data.encode("latin1")
    return struct.unpack(dtype.format(), data)[0]


class Array:
    def __init__(self, *_):
        self.values = []

    def __setstate__(self, state):
        _, shape, dtype, fortran, data = state
        if isinstance(data, str):
            data = data.encode("latin1")
        if not isinstance(dtype, Dtype) or not isinstance(data, bytes) or fortran:
            raise Refused("a NumPy array that is not plain")
        flat = [one[0] for one in struct.iter_unpack(dtype.format(), data)]
        self.values = nest(flat, shape)


def nest(flat, shape):
    if len(shape) == 0:
        return flat[0]
    for extent in shape[:0:-1]:
        flat = [flat[at : at + extent] for at in range(0, len(flat), extent)] if extent else []
    return flat


def encode_latin1(text, encoding="latin1"):
    if encoding != "latin1" or not isinstance(text, str):
        raise Refused("bytes in another encoding than the one pickles use")
    return text.encode("latin1")


class Reader(pickle.Unpickler):
    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.numpy = False
        self.opaque = set()

    def persistent_load(self, pid):
        raise Refused("a reference to something outside of it")

    def find_class(self, module, name):
        if module == "builtins":
            found = getattr(builtins, name, None)
            if name in CONTAINERS or (isinstance(found, type) and issubclass(found, BaseException)):
                return found
        if module == "collections" and name in ("OrderedDict", "deque"):
            return getattr(collections, name)
        if (module, name) == ("_codecs", "encode"):
            return encode_latin1
        if module in ("numpy.core.multiarray", "numpy._core.multiarray", "numpy"):
            known = {"scalar": numpy_scalar, "_reconstruct": lambda *_: Array(), "dtype": Dtype, "ndarray": Array}
            if name in known:
                self.numpy = True
                return known[name]
        self.opaque.add("%s.%s" % (module, name))
        return type("Opaque", (Opaque,), {"name": "%s.%s" % (module, name)})


class Plain:
    """The value as JSON can hold it."""

    def __init__(self):
        self.left = NODES

    def of(self, value, depth=DEPTH):
        self.left -= 1
        if self.left < 0 or depth < 0:
            raise Refused("a result that is too large, or nested too deeply")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if -SAFE_INTEGER <= value <= SAFE_INTEGER else str(value)[:LONGEST_TEXT]
        if isinstance(value, float):
            return value if math.isfinite(value) else repr(value)
        if isinstance(value, str):
            return value[:LONGEST_TEXT].encode("utf-8", "replace").decode()
        if isinstance(value, (bytes, bytearray)):
            return {"bytes": base64.b64encode(value[:LONGEST_TEXT]).decode()}
        if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
            return [self.of(one, depth - 1) for one in value]
        if isinstance(value, dict):
            return {self.key(key): self.of(one, depth - 1) for key, one in value.items()}
        if isinstance(value, Array):
            return self.of(value.values, depth - 1)
        if isinstance(value, BaseException):
            return {"exception": type(value).__name__, "args": self.of(value.args, depth - 1)}
        if isinstance(value, Opaque):
            return {"exception": value.name[:200], "args": self.of(value.arguments, depth - 1)}
        return {"text": repr(value)[:LONGEST_TEXT]}

    def key(self, key):
        return (key if isinstance(key, str) else str(key) if isinstance(key, (int, float, bool)) else "?")[:200]


def without_numpy(value, depth=DEPTH):
    """The same, arrays as lists: NumPy's scalars are plain numbers already."""
    if depth < 0:
        raise Refused("a result that is nested too deeply")
    if isinstance(value, Array):
        return value.values
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(without_numpy(one, depth - 1) for one in value)
    if isinstance(value, dict):
        return {key: without_numpy(one, depth - 1) for key, one in value.items()}
    return value


def read(line):
    try:
        data = ast.literal_eval(line.strip())
    except Exception:
        raise Refused("a line that is no bytes literal") from None
    if not isinstance(data, bytes):
        raise Refused("a line that is no bytes literal")
    reader = Reader(data)
    try:
        value = reader.load()
    except Refused:
        raise
    except MemoryError:
        raise Refused("a pickle that grows too large") from None
    except Exception as error:
        raise Refused("no pickle of a result: %s: %s" % (type(error).__name__, str(error)[:200])) from None
    handed_on = None
    if not reader.opaque:
        handed_on = line.strip() if not reader.numpy else repr(pickle.dumps(without_numpy(value), 4))
    plain = Plain().of(value)
    return {"ok": True, "line": handed_on, "unknown": sorted(reader.opaque)[:20], "value": plain}


def main():
    sys.setrecursionlimit(500)
    resource.setrlimit(resource.RLIMIT_AS, (256 * 1024 * 1024, 256 * 1024 * 1024))
    # For one byte of warning that there is nothing more, the host closes the input.
    line = sys.stdin.buffer.read().decode("ascii", "replace")
    try:
        answer = json.dumps(read(line), allow_nan=False)
        if len(answer) > LONGEST_OUTPUT + 2 * len(line):
            raise Refused("a result that is too large")
    except Refused as why:
        answer = json.dumps({"ok": False, "why": str(why)})
    except (MemoryError, RecursionError):
        answer = json.dumps({"ok": False, "why": "a result that is too large, or nested too deeply"})
    sys.stdout.write(answer + "\n")


if __name__ == "__main__":
    main()
