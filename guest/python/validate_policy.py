"""Which of a policy's names a file of Python reaches, and where. Used by validate.py. Python 3.8 or newer."""

import ast
from fnmatch import fnmatchcase

from validate_names import BUILTINS, IMPORTERS, argument, canonical


class Policy:
    """Names that are not to be reached. A name of a built-in alone means the built-in; `*` stands for any part of a name."""

    def __init__(self, forbidden):
        self.patterns = []
        self.known = {}
        for item in forbidden:
            whole = "builtins." + item if item in BUILTINS else item
            self.patterns.append((item, canonical(whole).split(".")))

    def forbids(self, names):
        """The first item of the policy that one of the names is, or lies below; None if none is."""
        for name in names:
            if name not in self.known:
                self.known[name] = self._forbids(name.split("."))
            if self.known[name] is not None:
                return self.known[name]
        return None

    def _forbids(self, parts):
        for item, pattern in self.patterns:
            # shutil.os.system is os.system; but asyncio.subprocess is not subprocess.
            last = len(parts) - len(pattern) if len(pattern) > 1 else 0
            for start in range(0, last + 1):
                here = parts[start : start + len(pattern)]
                if len(here) == len(pattern) and all(map(fnmatchcase, here, pattern)):
                    return item
        return None


def forbidden_places(reader, policy):
    """Yields (line, what is done, the policy's item), each place once, where a forbidden name first comes into reach."""
    for one in reader.imports:
        if one.level:
            continue
        item = policy.forbids([one.module]) or (one.name and policy.forbids([one.module + "." + one.name]))
        if item:
            yield one.line, "imports", item
    for node, scope in reader.places:
        if isinstance(node, ast.Name):
            if scope.find(node.id) is None:
                item = policy.forbids(reader.resolve(node, scope))
                if item:
                    yield node.lineno, "uses", item
            continue
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            continue
        item = policy.forbids(reader.resolve(node, scope))
        if not item:
            continue
        owner = node.value if not isinstance(node, ast.Call) else node.args[0] if node.args else node
        if owner is node or not policy.forbids(reader.resolve(owner, scope)):
            yield node.lineno, "uses", item


def unknown_imports(reader):
    """Lines that import a module whose name is only known when they run."""
    for node, scope in reader.places:
        if isinstance(node, ast.Call) and set(reader.resolve(node.func, scope)) & set(IMPORTERS):
            if reader.text(argument(node, 0, "name"), scope) is None:
                yield node.lineno
