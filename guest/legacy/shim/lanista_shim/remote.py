"""What a grader holds of its agent: proxies. What they stand for never leaves the agent's box.

Values come by the codec. An object of the agent's own comes as a number, and what is done with its proxy is done there:
attributes, calls, len, items, iteration. Comparison is by identity and nothing is converted, so that no object of the
agent's can claim to be equal to an answer. A use that needs the object itself (a base class, a pickle) cannot be split.
"""

import builtins
import sys

from . import channel, codec
from .codec import U32

the = channel.the

IMPORT, GET, CALL, METHOD, SET, TEXT, COPY, IS, NAMES = (bytes([code]) for code in b"igkcsrynd")
# Of dunder attributes these alone are asked for; others are probes of libraries.
ASKED = frozenset(("__name__", "__qualname__", "__doc__", "__module__", "__version__", "__all__", "__author__"))
AGENT_CLASS = "aivle_grader.abc.agent"
MOST_METHODS = 1000


def foreign(value):
    if isinstance(value, (Remote, RemoteModule)):
        return b"R" + U32.pack(link_of(value).number())
    raise codec.NotCarried(type(value).__module__ + "." + type(value).__qualname__)


encode = codec.Encoder(foreign).encode


def link_of(value):
    return value.__dict__["_lanista"]


class Link:
    """Where the object is: its number in one session; a module's attribute can be found again in another session.

    `root`: it was made by what a module of the agent's holds. Only such objects may make a bundle one that cannot be
    split: what an agent answers in the course of play must not decide that.
    """

    __slots__ = ("found", "epoch", "path", "root")

    def __init__(self, number, path=None, root=False):
        self.found = number
        self.epoch = the.epoch
        self.path = path
        self.root = root

    def number(self):
        if self.epoch != the.epoch:
            if self.path is not None:
                self.found = find(self.path)
            elif self.root:
                channel.unsplit("an object of the agent's is used in another process than the one that made it")
            else:
                raise TypeError("an object of the agent's belongs to the process that got it")
            self.epoch = the.epoch
        return self.found


def find(path):
    module, name = path
    number = request(IMPORT, (module,))["number"]
    if name is None:
        return number
    got = request(GET, (number, name))
    if not isinstance(got, Remote):
        raise AttributeError("%s.%s is another one in another process" % path)
    return link_of(got).found


def request(op, parts, path=None, root=False):
    """Asks the agent. `path`, `root`: of the object, if it is one that comes as the answer."""
    try:
        body = encode(parts)
    except codec.NotCarried as why:
        channel.unsplit("the grader hands the agent a %s" % why)
    try:
        answer = the.ask(op + body)
    except channel.Failed as failure:
        raise as_raised(failure.args[0]) from None

    def references(reader, tag):
        if tag == b"r":
            return remote(reader, path, root)
        if tag == b"X":
            return exception_class(reader.text(), reader.text(), reader.text())
        raise ValueError("an unknown tag from the agent: %r" % tag)

    return codec.Decoder(references).decode(answer)


def remote(reader, path, root):
    number = reader.u32()
    name = reader.text()
    flags = reader.text()
    methods = {reader.text() for _ in range(min(reader.count(4), MOST_METHODS))}
    made = object.__new__(remote_class(name, flags))
    made.__dict__["_lanista"] = Link(number, path, root)
    made.__dict__["_lanista_methods"] = methods
    return made


def method(link, name):
    def call(*args, **kwargs):
        return request(METHOD, (link.number(), name, args, kwargs))

    call.__name__ = name
    return call


class Remote:
    def __getattr__(self, name):
        link = link_of(self)
        if name in self.__dict__["_lanista_methods"]:
            made = self.__dict__[name] = method(link, name)
            return made
        if name.startswith("__") and name not in ASKED:
            raise AttributeError(name)
        return request(GET, (link.number(), name))

    def __setattr__(self, name, value):
        self.__dict__.pop(name, None)
        self.__dict__["_lanista_methods"].discard(name)
        request(SET, (link_of(self).number(), name, value))

    def __repr__(self):
        return request(TEXT, (link_of(self).number(), True))

    def __str__(self):
        return request(TEXT, (link_of(self).number(), False))

    def __dir__(self):
        return request(NAMES, (link_of(self).number(),))

    def __copy__(self):
        return request(COPY, (link_of(self).number(), False), root=link_of(self).root)

    def __deepcopy__(self, memo):
        return request(COPY, (link_of(self).number(), True), root=link_of(self).root)

    def __reduce_ex__(self, protocol):
        link = link_of(self)
        if link.root or link.path is not None:
            channel.unsplit("the grader pickles an object of the agent's")
        raise TypeError("an object of the agent's cannot be pickled")

    def __mro_entries__(self, bases):
        if link_of(self).path is None:
            raise TypeError("no class can be derived from an object of the agent's")
        channel.unsplit("the grader derives a class from one of the agent's")


def called(self, *args, **kwargs):
    link = link_of(self)
    return request(CALL, (link.number(), args, kwargs), root=link.path is not None)


def is_instance(self, value):
    return isinstance(value, Remote) and request(IS, (link_of(value).number(), link_of(self).number()))


def forwarded(name):
    def call(self, *args):
        return request(METHOD, (link_of(self).number(), name, args, {}))

    return {name: call}


OPERATORS = {
    "c": {"__call__": called},
    "k": {"__instancecheck__": is_instance},
    "l": forwarded("__len__"),
    "x": forwarded("__getitem__"),
    "t": forwarded("__iter__"),
    "n": forwarded("__next__"),
}
classes = {}


def remote_class(name, flags):
    known = classes.get((name, flags))
    if known is None:
        members = {"__bool__": lambda self: True}
        for flag in flags:
            members.update(OPERATORS.get(flag, {}))
        known = type(name if name.isidentifier() else "Remote", (Remote,), members)
        # Of the agent's bases one is kept: graders may ask whether it is an Agent.
        if "A" in flags and AGENT_CLASS in sys.modules:
            sys.modules[AGENT_CLASS].Agent.register(known)
        if len(classes) < MOST_METHODS:
            classes[name, flags] = known
    return known


class RemoteModule(type(sys)):
    def __getattr__(self, name):
        if name.startswith("__") and name not in ASKED:
            raise AttributeError(name)
        link = link_of(self)
        value = request(GET, (link.number(), name), path=(link.path[0], name), root=True)
        if isinstance(value, (Remote, type)):
            self.__dict__[name] = value
        return value

    def __setattr__(self, name, value):
        if name.startswith("__") or isinstance(value, RemoteModule):  # by the import system
            self.__dict__[name] = value
            return
        self.__dict__.pop(name, None)
        request(SET, (link_of(self).number(), name, value))


class Loader:
    def create_module(self, spec):
        return RemoteModule(spec.name)

    def exec_module(self, module):
        name = module.__spec__.loader_state
        facts = request(IMPORT, (name,))
        module.__dict__["_lanista"] = Link(facts["number"], (name, None))
        module.__dict__["__all__"] = list(facts["names"])
        module.__dict__["__doc__"] = facts["doc"]
        module.__dict__["__file__"] = facts["file"]
        if facts["package"]:
            module.__dict__["__path__"] = []


exceptions = {}


def exception_class(module, name, base):
    """The class that both sides have, or one of that name with the nearest builtin base."""
    builtin = getattr(builtins, base, None)
    if not (isinstance(builtin, type) and issubclass(builtin, BaseException)):
        builtin = Exception
    if module == "builtins":
        return builtin
    home = sys.modules.get(module)
    found = None if home is None or isinstance(home, RemoteModule) else home.__dict__.get(name)
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    known = exceptions.get((module, name, base))
    if known is None:
        known = type(name, (builtin,), {"__module__": module})
        if len(exceptions) < MOST_METHODS:
            exceptions[module, name, base] = known
        # Pickled by its name, as it would be where the agent is in this process.
        if isinstance(home, RemoteModule):
            home.__dict__.setdefault(name, known)
    return known


def as_raised(payload):
    """The agent's exception: one that both sides have is itself, another has its name and its nearest builtin base."""
    import json

    size = U32.unpack(payload[:4])[0]
    facts = json.loads(payload[4 : 4 + size])
    arguments = codec.Decoder(refuse_reference).decode(payload[4 + size :])
    return codec.plain_exception(exception_class(facts["module"], facts["type"], facts["base"]), arguments)


def refuse_reference(reader, tag):
    raise ValueError("an object among an exception's arguments")
