"""Gymnasium's spaces and their values in JSON, and back. A space is known by its class's name, so that any library's will do that keeps
to Gymnasium's names. Floats are written so that they are read back as the very same; those that JSON has no word for are the texts
"NaN", "Infinity" and "-Infinity". Values of Box, MultiDiscrete and MultiBinary are flat, row-major; those of Tuple and Dict are lists of their
parts, in the space's order."""

import math
import operator
import sys

LARGEST = 2**53  # integers beyond it are not exact in JSON
INTEGRAL = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = INTEGRAL + ("float16", "float32", "float64")
KNOWN = ("Discrete", "MultiDiscrete", "MultiBinary", "Box", "Text", "Tuple", "Dict")


def import_numpy():
    try:
        import numpy
    except ImportError:
        return None
    return numpy if hasattr(numpy, "array") else None


def kind_of(space):
    for base in type(space).__mro__:
        if base.__name__ in KNOWN:
            return base.__name__
    raise TypeError("the space %s is none of %s: wrap the environment so that it has one of them" % (space, ", ".join(KNOWN)))


def shape_of(space):
    shape = space.shape
    return [shape] if isinstance(shape, int) else [int(extent) for extent in shape]


def count(shape):
    size = 1
    for extent in shape:
        size *= extent
    return size


def dtype_of(space):
    dtype = space.dtype
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    if name not in DTYPES:
        raise TypeError("a Box of the type %s: it must be one of %s" % (name, ", ".join(DTYPES)))
    return name


def flatten(value):
    """A nested list's or array's elements, in order."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return [value]
    return [one for part in value for one in flatten(part)]


def number(value):
    """A float as JSON can say it."""
    if math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def integer(value):
    try:
        exact = operator.index(value)
    except TypeError:
        exact = int(value)
        if exact != value:
            raise ValueError("%r is no integer" % (value,))
    if not -LARGEST <= exact <= LARGEST:
        raise ValueError("the integer %d is beyond 2^53, which JSON cannot say exactly" % exact)
    return exact


def bounds(values, integral):
    """One bound where all are the same, else a list; integers beyond 2^53 bound nothing that can be said."""
    numbers = []
    for value in flatten(values):
        value = float(value)
        if value != value:
            raise ValueError("a bound of a Box is not a number")
        if integral and abs(value) > LARGEST:
            value = math.inf if value > 0 else -math.inf
        numbers.append(number(value))
    return numbers[0] if len(set(numbers)) == 1 else numbers


def starts(space):
    start = getattr(space, "start", 0)
    return [integer(one) for one in flatten(start)]


def space_json(space):
    kind = kind_of(space)
    if kind == "Discrete":
        told = {"type": kind, "n": integer(space.n)}
        start = starts(space)[0]
        return dict(told, start=start) if start != 0 else told
    if kind == "MultiDiscrete":
        told = {"type": kind, "shape": shape_of(space), "nvec": [integer(n) for n in flatten(space.nvec)]}
        start = starts(space)
        return dict(told, start=start) if any(start) else told
    if kind == "MultiBinary":
        return {"type": kind, "shape": shape_of(space)}
    if kind == "Box":
        dtype = dtype_of(space)
        integral = dtype in INTEGRAL
        low, high = bounds(space.low, integral), bounds(space.high, integral)
        return {"type": kind, "shape": shape_of(space), "dtype": dtype, "low": low, "high": high}
    if kind == "Text":
        return text_json(space)
    if kind == "Tuple":
        return {"type": kind, "spaces": [space_json(one) for one in space.spaces]}
    return {"type": kind, "spaces": [[str(key), space_json(one)] for key, one in space.spaces.items()]}


def text_json(space):
    told = {"type": "Text", "max_length": integer(space.max_length)}
    least = getattr(space, "min_length", 0)
    if least != 0:
        told["min_length"] = integer(least)
    characters = getattr(space, "character_set", None)
    if characters is not None:
        told["charset"] = "".join(sorted(characters))
    return told


def box_writer(shape, dtype):
    numpy = sys.modules.get("numpy")
    size, integral = count(shape), dtype in INTEGRAL
    shape = tuple(shape)

    def plain(value):
        values = flatten(value)
        if len(values) != size:
            raise ValueError("an observation of %d numbers, where its space has %d" % (len(values), size))
        return [integer(one) for one in values] if integral else [number(float(one)) for one in values]

    if numpy is None:
        return plain
    wanted = numpy.dtype(dtype)

    def write(value):
        array = numpy.asarray(value)
        if array.shape != shape:
            raise ValueError("an observation of the shape %s, where its space has %s" % (array.shape, shape))
        if array.dtype != wanted:
            cast = array.astype(wanted)
            if integral and not numpy.array_equal(cast, array):
                raise ValueError("an observation that %s cannot hold: %s" % (dtype, array))
            array = cast
        if integral:
            if dtype == "bool":
                array = array.astype(numpy.int8)
            flat = array.ravel().tolist()
            if dtype in ("int64", "uint64"):
                for one in flat:
                    integer(one)
            return flat
        flat = array.ravel().tolist()
        return flat if numpy.isfinite(array).all() else [number(one) for one in flat]

    return write


def integers_writer(size):
    def write(value):
        values = [integer(one) for one in flatten(value)]
        if len(values) != size:
            raise ValueError("an observation of %d numbers, where its space has %d" % (len(values), size))
        return values

    return write


def text_writer(value):
    if not isinstance(value, str):
        raise TypeError("an observation that is no text, where its space is: %r" % (value,))
    return value


def writer(space):
    """A function from a value of the space to JSON. It raises where the value does not have the space's form."""
    kind = kind_of(space)
    if kind == "Discrete":
        return integer
    if kind == "Box":
        return box_writer(shape_of(space), dtype_of(space))
    if kind in ("MultiDiscrete", "MultiBinary"):
        return integers_writer(count(shape_of(space)))
    if kind == "Text":
        return text_writer
    if kind == "Tuple":
        parts = [writer(one) for one in space.spaces]

        def write_tuple(value):
            if len(value) != len(parts):
                raise ValueError("an observation of %d parts, where its space has %d" % (len(value), len(parts)))
            return [part(one) for part, one in zip(parts, value)]

        return write_tuple
    named = [(key, writer(one)) for key, one in space.spaces.items()]

    def write_dict(value):
        if len(value) != len(named):
            raise ValueError("an observation of %d parts, where its space has %d" % (len(value), len(named)))
        return [part(value[key]) for key, part in named]

    return write_dict


def folded(flat, shape):
    """A flat list as lists within lists."""
    for extent in shape[:0:-1]:
        flat = [flat[i : i + extent] for i in range(0, len(flat), extent)]
    return flat


def action_reader(space):
    """A function from an action in JSON to what the environment is given."""
    kind = kind_of(space)
    if kind == "Discrete":
        return int
    if kind == "Text":
        return str
    if kind == "Tuple":
        parts = [action_reader(one) for one in space.spaces]
        return lambda values: tuple([part(one) for part, one in zip(parts, values)])
    if kind == "Dict":
        named = [(key, action_reader(one)) for key, one in space.spaces.items()]
        return lambda values: {key: part(one) for (key, part), one in zip(named, values)}
    shape = shape_of(space)
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return lambda flat: folded(flat, shape)
    dtype = space.dtype if kind == "Box" else getattr(space, "dtype", numpy.int64)
    return lambda flat: numpy.array(flat, dtype).reshape(shape)
