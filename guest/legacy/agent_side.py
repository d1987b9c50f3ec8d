"""The agent's side of a split bundle: does in this box what its grader asks for, one request at a time.

The agent's code runs in this very process: it could read or write the channel, and then speaks for itself alone, which it
may anyway. The grader's process decodes whatever comes from here with bounds, and the host only passes it on.
"""

import _thread
import importlib
import os
import select
import signal
import sys
import threading
import time

from lanista_shim import GRADING, frames
from lanista_shim.codec import U32, Decoder, Encoder, NotCarried, TooMuch, text

LONGEST_TEXT = 4000
MOST_OBJECTS = 100_000
AGENT_CLASS = "aivle_grader.abc.agent"


class Interrupted(Exception):
    """The grader waits no more: its time limit, as it would have met the agent's code in one process."""


class Objects:
    """The agent's objects that the grader knows, by number."""

    def __init__(self):
        self.by_number = {}
        self.numbers = {}

    def number(self, value):
        known = self.numbers.get(id(value))
        if known is not None:
            return known
        if len(self.by_number) >= MOST_OBJECTS:
            raise TooMuch("more than %d objects" % MOST_OBJECTS)
        number = len(self.by_number) + 1
        self.by_number[number] = value  # kept, so that its id stays its own
        self.numbers[id(value)] = number
        return number

    def get(self, number):
        return self.by_number[number]


def method_names(cls):
    return [name for name in dir(cls) if not name.startswith("_") and callable(getattr(cls, name, None))][:1000]


def flags_of(value):
    cls = type(value)
    flags = ""
    if callable(value):
        flags += "c"
    if isinstance(value, type):
        flags += "k"
    for flag, name in (("l", "__len__"), ("x", "__getitem__"), ("t", "__iter__"), ("n", "__next__")):
        if hasattr(cls, name):
            flags += flag
    if any(base.__module__ == AGENT_CLASS and base.__name__ == "Agent" for base in cls.__mro__):
        flags += "A"
    return flags


class Service:
    def __init__(self):
        self.objects = Objects()
        self.plain = Encoder(lambda value: self.foreign(value, True))
        self.whole = Encoder(lambda value: self.foreign(value, False))
        self.methods = {}
        self.operations = {
            b"i": self.load,
            b"g": lambda number, name: getattr(self.objects.get(number), name),
            b"k": lambda number, args, kwargs: self.objects.get(number)(*args, **kwargs),
            b"c": lambda number, name, args, kwargs: getattr(self.objects.get(number), name)(*args, **kwargs),
            b"s": lambda number, name, value: setattr(self.objects.get(number), name, value),
            b"r": lambda number, detailed: (repr if detailed else str)(self.objects.get(number)),
            b"y": self.duplicate,
            b"n": lambda number, cls: isinstance(self.objects.get(number), self.objects.get(cls)),
            b"d": lambda number: [name for name in dir(self.objects.get(number)) if isinstance(name, str)],
        }

    def reference(self, decoder, tag):
        if tag == b"R":
            return self.objects.get(decoder.u32())
        raise ValueError("an unknown tag: %r" % tag)

    def foreign(self, value, plain):
        """What the codec does not know. `plain`: kinds of plain values are what they are kinds of."""
        if plain:
            found = as_plain(value)
            if found is not None:
                return self.plain.encode(found[0])
        cls = type(value)
        if isinstance(value, type) and issubclass(value, BaseException):
            return b"X" + b"".join(map(text, names_of(value)))
        names = self.methods.get(cls)
        if names is None:
            names = self.methods[cls] = method_names(cls)
        number = self.objects.number(value)
        shown = str(getattr(cls, "__name__", "Remote"))[:200]
        head = b"r" + U32.pack(number) + text(shown) + text(flags_of(value)) + U32.pack(len(names))
        return head + b"".join(map(text, names))

    def load(self, name):
        module = importlib.import_module(name)
        names = getattr(module, "__all__", None)
        if names is None:
            # What the agent itself imported is not its own to hand out: the grader has these.
            names = [name for name, value in list(vars(module).items()) if is_own(name, value)]
        return {
            "number": self.objects.number(module),
            "names": [str(name) for name in names],
            "doc": module.__doc__ if isinstance(module.__doc__, str) else None,
            "file": str(getattr(module, "__file__", None)),
            "package": hasattr(module, "__path__"),
        }

    def duplicate(self, number, deep):
        import copy

        value = self.objects.get(number)
        return copy.deepcopy(value) if deep else copy.copy(value)

    def answer(self, request):
        op = request[4:5]
        parts = Decoder(self.reference).decode(request[5:])
        value = self.operations[op](*parts)
        encoder = self.plain if op in b"cg" else self.whole
        data = encoder.encode(value)
        if len(data) > frames.LARGEST - 64:
            raise TooMuch("an answer of %d bytes" % len(data))
        return data


def is_own(name, value):
    if name.startswith("_") or isinstance(value, type(sys)):
        return False
    home = getattr(value, "__module__", None)
    if not (isinstance(value, type) or callable(value)) or not isinstance(home, str):
        return True
    file = getattr(sys.modules.get(home), "__file__", None) or ""
    return file.startswith(os.getcwd() + os.sep)


def as_plain(value):
    """(value,) as what it is a kind of: an enumeration's integer, a named tuple, a tensor; None for other objects."""
    for base in (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset):
        if isinstance(value, base):
            return (base(value),) if base is not int else (int.__index__(value),)
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.ndarray):
        return (numpy.array(value, copy=True, subok=False),)
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        return (value.detach().cpu().numpy(),)
    return None


def names_of(cls):
    """An exception class by its module and name, and the name of its nearest builtin base."""
    base = next((one for one in cls.__mro__ if one.__module__ == "builtins"), Exception)
    return str(cls.__module__)[:200], cls.__name__[:200], base.__name__


def failure(number, error):
    import json

    if type(error) is Interrupted:
        return number + U32.pack(0)
    module, name, base = names_of(type(error))
    arguments = [one if isinstance(one, (str, int, float, bool, type(None))) else shown(one) for one in error.args[:20]]
    arguments = [one[:LONGEST_TEXT] if isinstance(one, str) else one for one in arguments]
    try:
        body = Encoder(refuse).encode(arguments)
    except Exception:
        body = Encoder(refuse).encode([])
    facts = {
        "module": module,
        "type": name,
        "base": base,
        "message": shown(error)[:LONGEST_TEXT],
        "trace": trace_of(error)[-4 * LONGEST_TEXT :],
    }
    data = json.dumps(facts).encode()
    return number + U32.pack(len(data)) + data + body


def refuse(value):
    raise NotCarried(type(value).__name__)


def shown(value):
    try:
        return str(value)
    except BaseException:  # an agent's own class can fail at being described
        return type(value).__name__


def trace_of(error):
    import traceback

    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except BaseException:
        return type(error).__name__


class Channel:
    """Frames on private descriptors. While a request is being answered, what comes can only be an interruption of it."""

    def __init__(self, reader, out):
        self.reader = reader
        self.out = out
        self.busy = None
        self.waiting = []

    def send(self, kind, payload):
        data = frames.frame(kind, 0, payload)
        while data:
            data = data[os.write(self.out, data) :]

    def next(self):
        return self.waiting.pop(0) if self.waiting else self.reader.next()

    def watch(self):
        """In a thread: wakes the main one when something comes in the middle of a long answer."""
        descriptor, last = self.descriptor, None
        while True:
            time.sleep(0.05)
            busy = self.busy
            if busy is not None and busy == last and select.select([descriptor], [], [], 0)[0]:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
            last = busy

    def on_signal(self, number, frame):
        if self.busy is None:
            return
        found = self.reader.next()
        if found is None:
            os._exit(0)
        kind, _, payload = found
        if kind == frames.INTERRUPT:
            if payload == self.busy:
                self.met = b"\1"
                raise Interrupted("the time for this is over")
        else:
            self.waiting.append(found)


def serve(reader, descriptor, out, config):
    os.chdir(GRADING)
    sys.path[:] = [GRADING] + [path for path in sys.path if path != config["guest"] and path]
    sys.argv[:] = [os.path.join(GRADING, "agent.py")]
    service = Service()
    channel = Channel(reader, out)
    channel.descriptor = descriptor
    signal.signal(signal.SIGUSR1, channel.on_signal)
    threading.stack_size(256 * 1024)
    _thread.start_new_thread(channel.watch, ())
    answered = None
    while True:
        found = channel.next()
        if found is None:
            return
        kind, _, request = found
        number = request[:4]
        if kind == frames.INTERRUPT:
            # Of a question that was never sent, for the signal came first; or of one that was answered meanwhile.
            if number != answered:
                channel.send(frames.FAILURE, failure(number, Interrupted()))
            continue
        answered = number
        try:
            channel.met = b"\0"
            channel.busy = number
            try:
                answer = service.answer(request)
            finally:
                channel.busy = None
        except BaseException as error:
            channel.busy = None
            channel.send(frames.FAILURE, failure(number, error))
            print(trace_of(error)[-16000:], file=sys.__stderr__, flush=True)
        else:
            channel.send(frames.ANSWER, number + channel.met + answer)
