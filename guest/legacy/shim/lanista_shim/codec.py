"""The closed codec between a grader and its agent: what it knows is carried, by value; nothing else is.

A value is a tag of one byte and what belongs to it. Decoding makes plain values only: it imports nothing, calls nothing
of the other side's choice, and bounds depth; the frame bounds the size. Objects of the agent's own stay in its box, and
are known to the grader by number (see remote.py).
"""

import struct
import sys
from _collections import OrderedDict, deque

DEPTH = 64
LONGEST_INTEGER = 8192  # bytes

I64 = struct.Struct("<q")
F64 = struct.Struct("<d")
U32 = struct.Struct("<I")
C128 = struct.Struct("<dd")


class NotCarried(Exception):
    """A value of a kind that the codec does not know."""


class TooMuch(ValueError):
    """Nested too deeply, or too long."""


def numpy_module():
    return sys.modules.get("numpy")


def text(value):
    data = value.encode("utf-8", "surrogatepass")
    return U32.pack(len(data)) + data


class Encoder:
    """`foreign(value)` encodes what the codec does not know (bytes), or raises NotCarried."""

    def __init__(self, foreign):
        self.foreign = foreign
        self.table = {
            type(None): lambda value, put, depth: put(b"N"),
            bool: lambda value, put, depth: put(b"T" if value else b"F"),
            int: self.integer,
            float: lambda value, put, depth: put(b"d" + F64.pack(value)),
            complex: lambda value, put, depth: put(b"c" + C128.pack(value.real, value.imag)),
            str: lambda value, put, depth: put(b"s" + text(value)),
            bytes: lambda value, put, depth: put(b"b" + U32.pack(len(value)) + value),
            bytearray: lambda value, put, depth: put(b"B" + U32.pack(len(value)) + bytes(value)),
            type(Ellipsis): lambda value, put, depth: put(b"E"),
            slice: lambda value, put, depth: self.items(b":", (value.start, value.stop, value.step), put, depth),
            range: lambda value, put, depth: self.items(b"-", (value.start, value.stop, value.step), put, depth),
            list: lambda value, put, depth: self.items(b"l", value, put, depth),
            tuple: lambda value, put, depth: self.items(b"t", value, put, depth),
            set: lambda value, put, depth: self.items(b"S", value, put, depth),
            frozenset: lambda value, put, depth: self.items(b"Z", value, put, depth),
            deque: lambda value, put, depth: self.items(b"q", (value.maxlen, *value), put, depth),
            dict: lambda value, put, depth: self.pairs(b"m", value, put, depth),
            OrderedDict: lambda value, put, depth: self.pairs(b"o", value, put, depth),
        }

    def encode(self, value):
        parts = []
        self.put(value, parts.append, DEPTH)
        return b"".join(parts)

    def put(self, value, put, depth):
        known = self.table.get(type(value))
        if known is not None:
            known(value, put, depth)
        else:
            self.other(value, put, depth)

    def integer(self, value, put, depth):
        if -0x8000000000000000 <= value < 0x8000000000000000:
            put(b"i" + I64.pack(value))
            return
        size = value.bit_length() // 8 + 1
        if size > LONGEST_INTEGER:
            raise TooMuch("an integer of %d bytes" % size)
        put(b"I" + U32.pack(size) + value.to_bytes(size, "little", signed=True))

    def items(self, tag, values, put, depth):
        if depth == 0:
            raise TooMuch("values nested more than %d deep" % DEPTH)
        put(tag + U32.pack(len(values)))
        one = self.put
        for value in values:
            one(value, put, depth - 1)

    def pairs(self, tag, values, put, depth):
        if depth == 0:
            raise TooMuch("values nested more than %d deep" % DEPTH)
        put(tag + U32.pack(len(values)))
        one = self.put
        for key, value in values.items():
            one(key, put, depth - 1)
            one(value, put, depth - 1)

    def other(self, value, put, depth):
        numpy = numpy_module()
        if numpy is not None:
            if type(value) is numpy.ndarray:
                self.array(numpy, value, put, depth)
                return
            if isinstance(value, numpy.generic) and value.dtype.kind in PLAIN_KINDS:
                put(b"g" + text(value.dtype.str) + value.tobytes())
                return
        space = space_parts(value)
        if space is not None:
            put(b"G")
            self.items(b"t", space, put, depth)
            return
        if isinstance(value, BaseException) and type(value).__module__ == "builtins":
            put(b"x" + text(type(value).__name__))
            self.items(b"t", [arg if type(arg) in self.table else str(arg) for arg in value.args], put, depth)
            return
        put(self.foreign(value))

    def array(self, numpy, value, put, depth):
        kind = value.dtype.kind
        if kind in PLAIN_KINDS:
            shape = value.shape
            put(b"a" + text(value.dtype.str) + struct.pack("<B%dI" % len(shape), len(shape), *shape))
            put(value.tobytes())
        elif kind == "O":
            shape = value.shape
            put(b"A" + struct.pack("<B%dI" % len(shape), len(shape), *shape))
            self.items(b"l", value.ravel().tolist(), put, depth)
        else:
            put(self.foreign(value))


# Booleans, integers, floats, complex numbers, texts, bytes, dates and spans of time: no objects, no records.
PLAIN_KINDS = frozenset("biufcUSMm")

SPACE_MODULES = ("gym.spaces", "gymnasium.spaces")


def space_parts(value):
    """A space of gym's or gymnasium's as plain values: (module, class, arguments)."""
    cls = type(value)
    module = next((name for name in SPACE_MODULES if cls.__module__.startswith(name)), None)
    if module is None:
        return None
    name = cls.__name__
    if name == "Discrete":
        start = int(getattr(value, "start", 0))
        return (module, name, (int(value.n), start) if start else (int(value.n),))
    if name == "Box":
        return (module, name, (value.low, value.high, tuple(int(n) for n in value.shape), value.dtype.str))
    if name == "MultiDiscrete":
        return (module, name, (value.nvec,))
    if name == "MultiBinary":
        n = value.n
        return (module, name, (int(n) if not hasattr(n, "__len__") else [int(one) for one in n],))
    if name == "Tuple":
        return (module, name, (list(value.spaces),))
    if name == "Dict":
        return (module, name, (dict(value.spaces),))
    return None


def make_space(parts):
    module, name, arguments = parts
    if module not in SPACE_MODULES or name not in ("Discrete", "Box", "MultiDiscrete", "MultiBinary", "Tuple", "Dict"):
        raise ValueError("no space: %s.%s" % (module, name))
    # By the side's own packages: the grader and the agent have the same.
    spaces = sys.modules.get(module)
    if spaces is None:
        import importlib

        spaces = importlib.import_module(module)
    if name == "Box":
        low, high, shape, dtype = arguments
        numpy = numpy_module()
        return spaces.Box(low, high, shape, numpy.dtype(dtype).type)
    return getattr(spaces, name)(*arguments)


class Decoder:
    """`reference(reader)` makes what stands for an object of the other side, or of this one."""

    def __init__(self, references):
        self.references = references

    def decode(self, data):
        self.data = data
        self.at = 0
        value = self.value(DEPTH)
        if self.at != len(data):
            raise ValueError("bytes left over")
        return value

    def bytes(self, count):
        start = self.at
        end = start + count
        if count < 0 or end > len(self.data):
            raise ValueError("a value that is cut off")
        self.at = end
        return self.data[start:end]

    def u32(self):
        at = self.at
        self.at = at + 4
        return U32.unpack_from(self.data, at)[0]

    def text(self):
        start = self.at + 4
        end = self.at = start + U32.unpack_from(self.data, start - 4)[0]
        data = self.data[start:end]
        if end > len(self.data):
            raise ValueError("a value that is cut off")
        return data.decode("utf-8", "surrogatepass")

    def count(self, each=1):
        count = self.u32()
        if count * each > len(self.data) - self.at:
            raise ValueError("more items than bytes")
        return count

    def list(self, depth):
        if depth <= 0:
            raise ValueError("values nested too deeply")
        value = self.value
        return [value(depth - 1) for _ in range(self.count())]

    def pairs(self, depth, into):
        if depth <= 0:
            raise ValueError("values nested too deeply")
        value = self.value
        for _ in range(self.count(2)):
            key = value(depth - 1)
            into[key] = value(depth - 1)
        return into

    def value(self, depth):
        at = self.at
        # A slice: at the end it is empty, and no tag.
        tag = self.data[at : at + 1]
        self.at = at + 1
        if tag == b"i":
            self.at = at + 9
            return I64.unpack_from(self.data, at + 1)[0]
        if tag == b"s":
            return self.text()
        if tag == b"d":
            self.at = at + 9
            return F64.unpack_from(self.data, at + 1)[0]
        if tag == b"t":
            return tuple(self.list(depth))
        if tag == b"m":
            return self.pairs(depth, {})
        other = OTHERS.get(tag)
        if other is not None:
            return other(self, depth)
        return self.references(self, tag)

    def dtype(self):
        numpy = numpy_module()
        if numpy is None:
            import numpy
        dtype = numpy.dtype(self.text())
        if dtype.kind not in PLAIN_KINDS or dtype.fields is not None or dtype.subdtype is not None:
            raise ValueError("no plain dtype: %s" % dtype)
        return numpy, dtype

    def shape(self):
        dimensions = self.bytes(1)[0]
        if dimensions > 32:
            raise ValueError("an array of %d dimensions" % dimensions)
        return struct.unpack("<%dI" % dimensions, self.bytes(4 * dimensions))

    def array(self):
        numpy, dtype = self.dtype()
        shape = self.shape()
        size = dtype.itemsize
        for extent in shape:
            size *= extent
        return numpy.frombuffer(self.bytes(size), dtype).reshape(shape).copy()

    def scalar(self, depth):
        numpy, dtype = self.dtype()
        return numpy.frombuffer(self.bytes(dtype.itemsize), dtype, 1)[0]

    def objects(self, depth):
        import numpy

        shape = self.shape()
        if self.bytes(1) != b"l":
            raise ValueError("an array of objects without its list")
        values = self.list(depth)
        size = 1
        for extent in shape:
            size *= extent
        if size != len(values):
            raise ValueError("an array of objects with another number of them")
        made = numpy.empty(size, object)
        for index, value in enumerate(values):
            made[index] = value
        return made.reshape(shape)

    def integer(self, depth):
        size = self.u32()
        if size > LONGEST_INTEGER:
            raise ValueError("an integer too long")
        return int.from_bytes(self.bytes(size), "little", signed=True)

    def three(self, depth, make):
        values = self.list(depth)
        if len(values) != 3:
            raise ValueError("not three parts")
        return make(*values)

    def space(self, depth):
        if self.bytes(1) != b"t":
            raise ValueError("a space without its parts")
        parts = self.list(depth)
        if len(parts) != 3:
            raise ValueError("not three parts")
        return make_space(parts)

    def deque(self, depth):
        values = self.list(depth)
        if not values:
            raise ValueError("a deque without its length")
        return deque(values[1:], values[0])

    def exception(self, depth):
        import builtins

        cls = getattr(builtins, self.text(), None)
        if self.bytes(1) != b"t":
            raise ValueError("an exception without its arguments")
        args = self.list(depth)
        if not (isinstance(cls, type) and issubclass(cls, BaseException)):
            raise ValueError("no exception")
        return plain_exception(cls, args)


def plain_exception(cls, args):
    try:
        return cls(*args)
    except Exception:  # some, such as UnicodeDecodeError, want arguments of their own
        return RuntimeError(*args)


OTHERS = {
    b"N": lambda decoder, depth: None,
    b"T": lambda decoder, depth: True,
    b"F": lambda decoder, depth: False,
    b"l": Decoder.list,
    b"a": lambda decoder, depth: decoder.array(),
    b"g": Decoder.scalar,
    b"A": Decoder.objects,
    b"I": Decoder.integer,
    b"b": lambda decoder, depth: decoder.bytes(decoder.u32()),
    b"B": lambda decoder, depth: bytearray(decoder.bytes(decoder.u32())),
    b"c": lambda decoder, depth: complex(*C128.unpack(decoder.bytes(16))),
    b"S": lambda decoder, depth: set(decoder.list(depth)),
    b"Z": lambda decoder, depth: frozenset(decoder.list(depth)),
    b"o": lambda decoder, depth: decoder.pairs(depth, OrderedDict()),
    b"q": Decoder.deque,
    b"E": lambda decoder, depth: Ellipsis,
    b":": lambda decoder, depth: decoder.three(depth, slice),
    b"-": lambda decoder, depth: decoder.three(depth, range),
    b"G": Decoder.space,
    b"x": Decoder.exception,
}
