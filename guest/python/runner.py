"""Runs one Python agent behind the agent protocol (docs/agent-protocol.md). Python 3.8 or newer, standard library alone.

Theory of operation. The host writes questions to standard input and reads answers from standard output. Before anything
of the agent is loaded, both are moved to private descriptors: descriptor 0 becomes an empty input and descriptor 1 the
log, so that nothing an agent prints or reads, in Python or in C, can reach the protocol by accident. (An agent that goes
looking for the private descriptors can only speak for itself, which it may anyway.)

All imports of the runner's own happen before the first line is read: in a warm sandbox they are done when `start`
arrives. The agent's files are there only from then on.
"""

import gc
import os
import sys

try:
    # The json package is made of this and of re, which takes as long to import as Python takes to start.
    from _json import encode_basestring_ascii as quote
    from _json import make_scanner

    class JsonSettings:
        strict = True
        object_hook = object_pairs_hook = None
        parse_float = parse_constant = float
        parse_int = int

    decode = make_scanner(JsonSettings)  # decode(text, 0) gives the value and where it ended
except ImportError:
    import json

    quote, decode = json.dumps, json.JSONDecoder().raw_decode

ERROR_CHARS = 4000  # of an error's text in an answer; the log gets more
LOG_CHARS = 16000
LARGEST = 2**53  # integers beyond it are not exact in JSON


def take_stdio():
    """Moves the protocol to private descriptors; returns a line reader and the descriptor to write answers to."""
    questions = open(os.dup(0), "rb", buffering=1 << 16)
    answers = os.dup(1)
    empty, write_end = os.pipe()
    os.close(write_end)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    # A killed process loses what it has not flushed, and the last lines are the ones its author needs.
    sys.stdout.reconfigure(line_buffering=True)
    return questions, answers


def import_numpy():
    """NumPy, if this Python has a working one."""
    try:
        import numpy
    except ImportError:
        return None
    except Exception as error:
        print("NumPy is installed but cannot be imported, so observations are lists: %r" % (error,), file=sys.stderr)
        return None
    # A folder of that name without the package in it can be imported, too.
    return numpy if hasattr(numpy, "array") else None


def send(fd, data):
    while data:
        data = data[os.write(fd, data) :]


def describe(error):
    """The error as text, without the runner's own frames."""
    import traceback

    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def shorten(text, limit):
    """Keeps both ends: the last line names the error, the first frames say where it began."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return "%s\n... %d characters left out ...\n%s" % (text[:half], len(text) - 2 * half, text[-half:])


def error_answer(question, error):
    try:
        text = describe(error)
    except BaseException:  # an agent's own exception class can fail at being described
        text = type(error).__name__
    try:
        print(shorten(text, LOG_CHARS), file=sys.__stderr__, flush=True)
    except (OSError, ValueError):
        pass  # the agent closed its log
    number = "null" if question is None else question
    return ('{"id":%s,"error":%s}\n' % (number, quote(shorten(text, ERROR_CHARS)))).encode()


def accepted_arguments(factory):
    """The names of the arguments a function or class can be given, and whether it takes any name (**kwargs)."""
    function = factory.__init__ if isinstance(factory, type) else factory
    code = getattr(function, "__code__", None)
    if code is not None and not hasattr(function, "__wrapped__"):
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        return names, bool(code.co_flags & 0x08)
    import inspect  # 10 ms, so only for what has no code of its own

    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return (), False
    return tuple(parameters), any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def make_agent(factory, info):
    names, any_name = accepted_arguments(factory)
    arguments = {}
    if "player_id" in names or any_name:
        arguments["player_id"] = info.get("seat", 0)
    if "info" in names:
        arguments["info"] = info
    return factory(**arguments)


METHODS = ("act", "get_action", "predict")


def find_method(owner, names=METHODS):
    for name in names:
        method = getattr(owner, name, None)
        if callable(method):
            return method
    return None


def load_agent(info, names=METHODS):
    """Loads the agent's file; returns the object with its methods, be it an agent or the module itself."""
    folder = info["agent_dir"]
    path = os.path.join(folder, info.get("entry", "agent.py"))
    os.chdir(folder)
    sys.path[0] = folder  # in place of the runner's own folder
    sys.argv[:] = [path]
    module = load_file(path)
    factory = getattr(module, "create_agent", None)
    if not callable(factory):
        factory = getattr(module, "Agent", None)
    agent = make_agent(factory, info) if callable(factory) else module
    if find_method(agent, names) is None:
        where = path if agent is module else "the agent made by %s" % (getattr(factory, "__name__", factory),)
        raise TypeError("%s has none of the functions %s" % (where, ", ".join(name + "(observation)" for name in names)))
    return agent


def load_file(path):
    """Runs a participant's file as a module of its own."""
    name = os.path.splitext(os.path.basename(path))[0]
    # A file may bear a standard module's name; as sys.modules' entry it would take that module's place.
    if name in sys.modules or name in getattr(sys, "stdlib_module_names", ()) or not name.isidentifier():
        name = "lanista_agent"
    module = type(sys)(name)
    module.__file__ = path
    sys.modules[name] = module
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module


DTYPES = {"MultiDiscrete": "int64", "MultiBinary": "int8"}


def observer(space, numpy):
    """A function from the protocol's observation, in which arrays are flat lists, to what the agent sees."""
    kind = space["type"]
    if kind == "Discrete":
        return lambda flat: flat[0] if isinstance(flat, list) else flat
    if kind == "Text":
        return lambda text: text
    if kind == "Tuple":
        parts = [observer(one, numpy) for one in space["spaces"]]
        return lambda values: tuple([part(one) for part, one in zip(parts, values)])
    if kind == "Dict":
        named = [(key, observer(one, numpy)) for key, one in space["spaces"].items()]
        return lambda values: {key: part(values[key]) for key, part in named}
    shape = tuple(space["shape"])
    if numpy is not None:
        array, dtype = numpy.array, numpy.dtype(DTYPES.get(kind) or space["dtype"])
        if len(shape) == 1:
            return lambda flat: array(flat, dtype)
        return lambda flat: array(flat, dtype).reshape(shape)
    nest = nester(shape)
    if kind == "Box" and space["dtype"].startswith("float"):
        # Among floats the texts "NaN", "Infinity" and "-Infinity" stand for what JSON has no word for.
        return lambda flat: nest([float(one) if isinstance(one, str) else one for one in flat])
    return nest


def nester(shape):
    """A function that folds a flat list into lists within lists of the shape, innermost first."""
    size = 1
    for extent in shape:
        size *= extent
    levels = []
    for extent in shape[:0:-1]:
        levels.append([slice(i, i + extent) for i in range(0, size, extent)])
        size //= extent

    def nest(flat):
        for slices in levels:
            flat = list(map(flat.__getitem__, slices))
        return flat

    return nest


def to_integer(action):
    """The action as an integer: int, NumPy's integers and its arrays without dimensions. Throws a TypeError on others."""
    if type(action).__name__ not in ("bool", "bool_"):
        try:
            number = action.__index__()
            if -LARGEST < number < LARGEST:
                return number
        except (AttributeError, TypeError, ValueError):
            pass
    shown = shorten(repr(action), 200)
    raise TypeError("an action is an integer, and the agent returned %s: %s" % (type(action).__name__, shown))


def to_numbers(action):
    """The action as a flat list: of an array, a nested list or one number. Throws a TypeError on others."""
    try:
        flat = flatten(action)
        numbers = [one if type(one) is int else float(one) for one in flat]
        if all(-LARGEST <= one <= LARGEST for one in numbers):
            return numbers
    except (TypeError, ValueError, RecursionError):
        pass
    raise TypeError("an action is finite numbers, and the agent returned: %s" % shorten(repr(action), 200))


def to_text(action):
    if isinstance(action, str):
        return str(action)
    raise TypeError("an action is a text, and the agent returned: %s" % shorten(repr(action), 200))


def action_writer(space):
    """A function from an agent's action to JSON."""
    kind = space["type"]
    if kind == "Discrete":
        return lambda action: "%d" % to_integer(action)
    if kind == "Text":
        return lambda action: quote(to_text(action))
    if kind == "Tuple":
        parts = [action_writer(one) for one in space["spaces"]]

        def write_tuple(action):
            if not isinstance(action, (tuple, list)) or len(action) != len(parts):
                shown = shorten(repr(action), 200)
                raise TypeError("an action is a tuple of %d parts, and the agent returned: %s" % (len(parts), shown))
            return "[%s]" % ",".join([part(one) for part, one in zip(parts, action)])

        return write_tuple
    if kind == "Dict":
        named = [(key, action_writer(one)) for key, one in space["spaces"].items()]

        def write_dict(action):
            try:
                chosen = [action[key] for key, _ in named] if len(action) == len(named) else None
            except (KeyError, IndexError, TypeError):
                chosen = None
            if chosen is None:
                names, shown = ", ".join([key for key, _ in named]), shorten(repr(action), 200)
                raise TypeError("an action is a dictionary of %s, and the agent returned: %s" % (names, shown))
            return "{%s}" % ",".join(["%s:%s" % (quote(key), part(one)) for (key, part), one in zip(named, chosen)])

        return write_dict
    return lambda action: "[%s]" % ",".join([repr(one) for one in to_numbers(action)])


def flatten(value):
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [one for part in value for one in flatten(part)]
    return [value]


class Episodes:
    """Tells the agent of episodes' starts and ends, where it has reset() and episode_end(reward)."""

    def __init__(self, agent):
        self.reset = find_method(agent, ("reset",))
        self.end = find_method(agent, ("episode_end",))
        self.current = None
        self.error = None

    def start(self, episode):
        self.current = episode
        if self.reset is not None:
            self.reset()

    def finish(self, message):
        self.current = None
        if self.end is None:
            return
        try:
            self.end(message["return"])
        except BaseException as error:
            # No question is open, so there is nothing to answer: the next question gets it.
            self.error = error

    def raise_pending(self):
        if self.error is not None:
            error, self.error = self.error, None
            raise error


def play(agent, info, numpy, questions, answers):
    choose = find_method(agent)
    # Stable-Baselines' predict gives the action and a state.
    paired = choose.__name__ == "predict" if hasattr(choose, "__name__") else False
    observe = observer(info["observation_space"], numpy)
    action_space = info.get("action_space", {"type": "Discrete"})
    write = None if action_space["type"] == "Discrete" else action_writer(action_space)
    masked = info.get("masked", True)
    episodes = Episodes(agent)
    readline = questions.readline
    while True:
        line = readline()
        if not line:
            return
        message = decode(line.decode(), 0)[0]
        kind = message["type"]
        if kind == "act":
            question = message["id"]
            try:
                if message["episode"] != episodes.current:
                    episodes.raise_pending()
                    episodes.start(message["episode"])
                observation = observe(message["observation"])
                if masked:
                    mask = message["action_mask"]
                    observation = {
                        "observation": observation,
                        "action_mask": mask if numpy is None else numpy.array(mask, numpy.int8),
                    }
                action = choose(observation)
                if paired and isinstance(action, tuple):
                    action = action[0]
                if write is not None:
                    send(answers, b'{"id":%d,"action":%s}\n' % (question, write(action).encode()))
                    continue
                if type(action) is not int or not -LARGEST < action < LARGEST:
                    action = to_integer(action)
                answer = b'{"id":%d,"action":%d}\n' % (question, action)
            except BaseException as error:
                answer = error_answer(question, error)
            send(answers, answer)
        elif kind == "episode_end":
            episodes.finish(message)


def main():
    questions, answers = take_stdio()
    numpy = import_numpy()
    while True:
        line = questions.readline()
        if not line:
            return
        info = decode(line.decode(), 0)[0]
        if info["type"] == "start":
            break
    task = info.get("task")
    if task is not None:
        import json

        import lanista_questions as questions_of_tasks  # before the agent's folder takes the place of this one
    names = METHODS if task is None else questions_of_tasks.CALLED[task["kind"]]
    try:
        agent = load_agent(info, names)
    except BaseException as error:
        send(answers, error_answer(None, error))
        return
    # What exists now stays: the collector need not look at it again at each full collection.
    gc.freeze()
    send(answers, b'{"type":"ready","protocol":1}\n')
    if task is None:
        play(agent, info, numpy, questions, answers)
    else:
        questions_of_tasks.answer_questions(
            find_method(agent, names),
            info,
            numpy,
            questions.readline,
            decode,
            json.dumps,
            lambda data: send(answers, data),
            error_answer,
        )


if __name__ == "__main__":
    main()
