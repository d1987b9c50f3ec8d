"""What a grader holds of its agent: proxies. What they stand for never leaves the agent's box.

Values come by the codec. An object of the agent's own comes as a number, and what is done with its proxy is done there:
attributes, calls, len, items, iteration. Comparison is by identity and nothing is converted, so that no object of the
agent's can claim to be equal to an answer. A use that needs the object itself (a base class, a pickle) cannot be split.
"""

import importlib.machinery
import json
import sys
import types

from . import channel, codec
from .codec import U32

the = channel.the

IMPORT, GET, CALL, METHOD, SET, LENGTH, ITEM, LIST, TEXT, COPY, IS, NAMES = (bytes([code]) for code in b"igkcslxtrynd")
# Of dunder attributes these alone are asked for; others are probes of libraries.
ASKED = frozenset(("__name__", "__qualname__", "__doc__", "__module__", "__version__", "__all__", "__author__"))


def foreign(value):
    if isinstance(value, Remote):
        return b"R" + U32.pack(value.__dict__["_lanista"].number())
    if isinstance(value, RemoteModule):
        return b"R" + U32.pack(value.__dict__["_lanista"].number())
    if isinstance(value, Method):
        raise codec.NotCarried("a method of the agent's")
    raise codec.NotCarried(type(value).__module__ + "." + type(value).__qualname__)


encode = codec.Encoder(foreign).encode


class Link:
    """Where the object is: its number in one session; a module's attribute can be found again in another session."""

    __slots__ = ("found", "epoch", "path", "root", "methods", "kind")

    def __init__(self, number, path=None, root=False):
        self.found = number
        self.epoch = the.epoch
        self.path = path
        self.root = root

    def number(self):
        if self.epoch != the.epoch:
            if self.path is None:
                channel.unsplit("an object of the agent's is used in another process than the one that made it")
            self.found = find(self.path)
            self.epoch = the.epoch
        return self.found


def find(path):
    module, name = path
    value = request(IMPORT, (module,))
    if name is None:
        return value["number"]
    got = request(GET, (value["number"], name))
    if not isinstance(got, Remote):
        raise AttributeError("%s.%s is another one in another process" % path)
    return got.__dict__["_lanista"].found


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
        raise ValueError("an unknown tag from the agent: %r" % tag)

    return codec.Decoder(references).decode(answer)


def remote(reader, path, root):
    number = reader.u32()
    name = reader.text()
    flags = reader.text()
    methods = frozenset(reader.text() for _ in range(min(reader.count(4), 1000)))
    link = Link(number, path, root)
    made = object.__new__(remote_class(name, flags))
    made.__dict__["_lanista"] = link
    made.__dict__["_lanista_methods"] = methods
    return made


class Method:
    """A method of the agent's, called without being fetched first."""

    __slots__ = ("owner", "__name__")

    def __init__(self, owner, name):
        self.owner = owner
        self.__name__ = name

    def __call__(self, *args, **kwargs):
        return request(METHOD, (self.owner.number(), self.__name__, args, kwargs))

    def __repr__(self):
        return "<method %s of the agent's>" % self.__name__


class Remote:
    def __getattr__(self, name):
        link = self.__dict__["_lanista"]
        if name in self.__dict__["_lanista_methods"]:
            method = self.__dict__[name] = Method(link, name)
            return method
        if name.startswith("__") and name not in ASKED:
            raise AttributeError(name)
        return request(GET, (link.number(), name))

    def __setattr__(self, name, value):
        self.__dict__.pop(name, None)
        request(SET, (self.__dict__["_lanista"].number(), name, value))
        self.__dict__["_lanista_methods"] -= {name}

    def __repr__(self):
        return request(TEXT, (self.__dict__["_lanista"].number(), True))

    def __str__(self):
        return request(TEXT, (self.__dict__["_lanista"].number(), False))

    def __dir__(self):
        return request(NAMES, (self.__dict__["_lanista"].number(),))

    def __copy__(self):
        return request(COPY, (self.__dict__["_lanista"].number(), False), root=self.__dict__["_lanista"].root)

    def __deepcopy__(self, memo):
        return request(COPY, (self.__dict__["_lanista"].number(), True), root=self.__dict__["_lanista"].root)

    def __reduce_ex__(self, protocol):
        if self.__dict__["_lanista"].root or self.__dict__["_lanista"].path is not None:
            channel.unsplit("the grader pickles an object of the agent's")
        raise TypeError("an object of the agent's cannot be pickled")

    def __mro_entries__(self, bases):
        channel.unsplit("the grader derives a class from one of the agent's")


def called(self, *args, **kwargs):
    link = self.__dict__["_lanista"]
    return request(CALL, (link.number(), args, kwargs), root=link.path is not None)


def is_instance(self, value):
    if not isinstance(value, Remote):
        return False
    return request(IS, (value.__dict__["_lanista"].number(), self.__dict__["_lanista"].number()))


OPERATORS = {
    "c": {"__call__": called},
    "k": {"__instancecheck__": is_instance},
    "l": {"__len__": lambda self: request(LENGTH, (self.__dict__["_lanista"].number(),))},
    "x": {"__getitem__": lambda self, key: request(ITEM, (self.__dict__["_lanista"].number(), key))},
    "t": {"__iter__": lambda self: iter(request(LIST, (self.__dict__["_lanista"].number(),)))},
}
AGENT_CLASS = "aivle_grader.abc.agent"

classes = {}


def remote_class(name, flags):
    known = classes.get((name, flags))
    if known is None:
        members = {}
        for flag in flags:
            members.update(OPERATORS.get(flag, {}))
        known = classes[name, flags] = type(name if name.isidentifier() else "Remote", (Remote,), members)
        # Of the agent's bases one is kept: graders may ask whether it is an Agent.
        if "A" in flags and AGENT_CLASS in sys.modules:
            sys.modules[AGENT_CLASS].Agent.register(known)
    return known


class RemoteModule(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__") and name not in ASKED:
            raise AttributeError(name)
        link = self.__dict__["_lanista"]
        value = request(GET, (link.number(), name), path=(link.path[0], name), root=True)
        if isinstance(value, Remote):
            self.__dict__[name] = value
        return value

    def __setattr__(self, name, value):
        if name.startswith("__"):
            super().__setattr__(name, value)
            return
        self.__dict__.pop(name, None)
        if not isinstance(value, RemoteModule):  # a submodule that was just imported
            request(SET, (self.__dict__["_lanista"].number(), name, value))
        else:
            self.__dict__[name] = value


class Loader:
    def create_module(self, spec):
        return RemoteModule(spec.name)

    def exec_module(self, module):
        name = module.__spec__.loader_state or module.__name__
        facts = request(IMPORT, (name,))
        module.__dict__["_lanista"] = Link(facts["number"], (name, None))
        module.__dict__["__all__"] = list(facts["names"])
        module.__dict__["__doc__"] = facts["doc"]
        module.__dict__["__file__"] = facts["file"]
        if facts["package"]:
            module.__dict__["__path__"] = []


def module_spec(name, known_as=None):
    return importlib.machinery.ModuleSpec(known_as or name, Loader(), loader_state=name, is_package=False)


def as_raised(payload):
    """The agent's exception: a builtin one is itself, another one has its name and its nearest builtin base."""
    import builtins

    size = U32.unpack(payload[:4])[0]
    facts = json.loads(payload[4 : 4 + size])
    base = getattr(builtins, facts["base"], None)
    if not (isinstance(base, type) and issubclass(base, BaseException)):
        base = Exception
    arguments = codec.Decoder(refuse_reference).decode(payload[4 + size :])
    cls = base
    if facts["type"] != facts["base"]:
        cls = type(str(facts["type"]), (base,), {"__module__": "agent"})
    return codec.plain_exception(cls, arguments)


def refuse_reference(reader, tag):
    raise ValueError("an object among an exception's arguments")
