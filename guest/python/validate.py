"""Looks through an agent's files of Python and reports what it finds (docs/validation.md). Python 3.8 or newer.

Theory of operation. It runs in a sandbox of its own, by the Python that will run the agent, and nothing of the agent runs
here: files are read as data, parsed and compiled, never imported. The host writes one line to standard input, the request;
what is found goes to standard output, one JSON object a line, each file named before it is looked at, so that the host knows
which one broke the parser if one does. The last line says that all was looked at.

The agent's folder is never on sys.path, so that no file of it can be taken for a module of ours.
"""

import ast
import importlib.machinery
import importlib.util
import json
import os
import sys
import threading
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from validate_names import Reader  # noqa: E402
from validate_policy import Policy, forbidden_places, unknown_imports  # noqa: E402
from validate_requirements import look_at_requirements  # noqa: E402

sys.path.pop(0)

MOST_FINDINGS = 300  # of all files
MOST_OF_A_KIND = 20  # in one file
MOST_TREE_BYTES = 2 * 1024 * 1024  # a longer file is compiled, and not looked through: its tree takes 100 times the memory
MESSAGE_CHARS = 300
STANDARD = getattr(sys, "stdlib_module_names", frozenset(sys.builtin_module_names))


class Report:
    def __init__(self, out):
        self.out = out
        self.path = None
        self.count = 0
        self.left_out = 0
        self.seen = {}

    def line(self, **message):
        self.out.write(json.dumps(message).encode() + b"\n")
        self.out.flush()

    def begin(self, path):
        self.path = path
        self.seen = {}
        self.line(type="file", path=path)

    def found(self, code, line, message):
        message = message if len(message) <= MESSAGE_CHARS else message[:MESSAGE_CHARS] + "…"
        kind = self.seen.setdefault(code, set())
        if (line, message) in kind:
            return
        if self.count >= MOST_FINDINGS or len(kind) >= MOST_OF_A_KIND:
            self.left_out += 1
            return
        kind.add((line, message))
        self.count += 1
        self.line(type="finding", code=code, path=self.path, line=line, message=message)


def parse(source, path, report):
    """The file's tree, None where it has none. Compiled just as the runner compiles it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            compile(source, path, "exec", dont_inherit=True)
            tree = compile(source, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        except SyntaxError as error:
            report.found("syntax", error.lineno, "%s: %s" % (type(error).__name__, error.msg))
            return None
        except RecursionError:
            report.found("syntax", None, "nested too deeply for this Python to compile")
            return None
        except (ValueError, OverflowError, MemoryError) as error:
            report.found("syntax", None, str(error) or "%s: too large or nested too deeply" % type(error).__name__)
            return None
    for warning in caught:
        if issubclass(warning.category, (SyntaxWarning, DeprecationWarning)):
            report.found("syntax_warning", warning.lineno, str(warning.message))
    return tree


class Modules:
    """Says which modules the agent will find: its own files come first, then what this Python has."""

    def __init__(self, folder):
        self.folder = folder
        self.known = {}

    def here(self, name):
        if name not in self.known:
            try:
                self.known[name] = importlib.util.find_spec(name) is not None
            except (ImportError, ValueError, AttributeError):
                self.known[name] = name in sys.modules
        return self.known[name]

    def below(self, parts, folders):
        """How many of the names, one within the other, lie below the folders."""
        for count, part in enumerate(parts):
            spec = importlib.machinery.PathFinder.find_spec(part, folders)
            if spec is None:
                return count
            if spec.submodule_search_locations is None:
                return len(parts) if count == len(parts) - 1 else count + 1
            folders = list(spec.submodule_search_locations)
        return len(parts)

    def missing(self, one, path):
        """Why an import will fail, or None where it will be found, as far as can be told."""
        parts = one.module.split(".") if one.module else []
        if one.level:
            package = path.split("/")[:-1]
            if one.level > len(package):
                return "a relative import leads out of the agent's packages; a file at the root is in none"
            folder = os.path.join(self.folder, *package[: len(package) - one.level + 1])
            found = self.below(parts, [folder])
            return None if found == len(parts) else "the agent has no %s%s" % ("." * one.level, one.module)
        found = self.below(parts, [self.folder])
        if found == len(parts) or (found == 0 and self.here(parts[0])):
            return None
        if found > 0:
            return "the agent has %s, but no %s in it" % (".".join(parts[:found]), one.module)
        return "no module %s: neither in the agent's files nor in the Python that runs it" % parts[0]


def look_through(tree, path, policy, modules, report):
    reader = Reader(tree)
    for line, does, item in forbidden_places(reader, policy):
        report.found("forbidden", line, "%s %s" % (does, item))
    for line in unknown_imports(reader):
        report.found("dynamic_import", line, "imports a module whose name is only known when it runs")
    for one in reader.imports:
        why = None if one.guarded else modules.missing(one, path)
        if why is not None:
            report.found("missing_import", one.line, why)


def in_deep_stack(function, *arguments):
    """Trees nest as deeply as the compiler allows, and reading one takes several calls a level."""
    outcome = []

    def run():
        try:
            function(*arguments)
        except BaseException as error:
            outcome.append(error)

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(60000)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    sys.setrecursionlimit(before)
    if outcome:
        raise outcome[0]


def look_at_file(path, request, policy, modules, report):
    with open(os.path.join(request["agent_dir"], path), "rb") as file:
        source = file.read()
    name = path[:-3] if path.endswith(".py") else path.split("/")[0]
    if "/" not in path and name in STANDARD:
        report.found("shadows_standard", None, "has the name of a standard module, which `import %s` may no longer get" % name)
    tree = parse(source, path, report)
    if tree is None:
        return
    if len(source) > MOST_TREE_BYTES:
        report.found("not_read", None, "over %d MiB: compiled, but its imports were not looked at" % (MOST_TREE_BYTES >> 20))
        return
    try:
        in_deep_stack(look_through, tree, path, policy, modules, report)
    except RecursionError:
        report.found("not_read", None, "nested so deeply that its imports were not looked at")


def main():
    report = Report(sys.stdout.buffer)
    report.line(type="hello", version="%d.%d.%d" % sys.version_info[:3])
    line = sys.stdin.buffer.readline()
    if not line:
        return
    request = json.loads(line)
    modules, policy = Modules(request["agent_dir"]), Policy(request["forbidden"])
    threading.stack_size(256 * 1024 * 1024)
    for path in request["files"]:
        report.begin(path)
        look_at_file(path, request, policy, modules, report)
    if request["requirements"] is not None:
        report.begin(request["requirements"])
        look_at_requirements(os.path.join(request["agent_dir"], request["requirements"]), report)
    report.line(type="done", left_out=report.left_out)


if __name__ == "__main__":
    main()
