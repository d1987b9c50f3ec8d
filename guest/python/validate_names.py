"""Which names of modules and built-ins a file of Python reaches, without running it. Used by validate.py. Python 3.8 or newer.

Theory of operation. One walk over the tree builds the scopes and what each name in them is bound to, and keeps the places
that could reach a module's attribute or a built-in. Then each place is resolved to the dotted names it may stand for: through
imports and their aliases, assignments, `getattr`, `__import__` and `import_module` with a text that is known, `vars()`,
`__dict__` and `sys.modules`. A name that the file binds itself (a function called `compile`, an argument called `eval`) is
not the built-in, and an attribute of something unknown (`model.eval()`) is nothing.

It is a reading of what is written, no proof: a program that wants to hide what it calls can.
"""

import ast
import builtins
from fnmatch import fnmatchcase

BUILTINS = frozenset(dir(builtins))
MOST_NAMES = 32  # that one expression may stand for
MOST_CHARS = 200  # of one such name
NONE = frozenset()
GLOBALS = "<globals>"
OPAQUE = None
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SAME_MODULE = {"posix": "os", "nt": "os", "__builtin__": "builtins", "__builtins__": "builtins"}


class Scope:
    """Names of a module, function, class or comprehension. A binding is OPAQUE, a dotted name, or (expression, its scope)."""

    __slots__ = ("kind", "parent", "bindings", "module", "outer")

    def __init__(self, kind, parent):
        self.kind = kind
        self.parent = parent
        self.module = self if parent is None else parent.module
        self.bindings = {}
        self.outer = {}  # names declared global or nonlocal, and the scope they are of

    def bind(self, name, value):
        self.outer.get(name, self).bindings.setdefault(name, []).append(value)

    def find(self, name):
        scope, own = self, True
        while scope is not None:
            if name in scope.outer:
                scope = scope.outer[name]
                return scope if name in scope.bindings else None
            if name in scope.bindings and (own or scope.kind != "class"):
                return scope
            scope, own = scope.parent, False
        return None

    def function(self):
        """Where := in a comprehension binds."""
        scope = self
        while scope.kind == "comprehension":
            scope = scope.parent
        return scope


class Import:
    """One imported name: `module` with `level` dots before it, and `name` taken from it, where one is."""

    __slots__ = ("line", "module", "level", "name", "guarded")

    def __init__(self, line, module, level, name, guarded):
        self.line, self.module, self.level, self.name, self.guarded = line, module, level, name, guarded


class Reader:
    """Walks one file's tree."""

    def __init__(self, tree):
        self.module = Scope("module", None)
        self.places = []  # (node, scope)
        self.imports = []
        self.stars = []  # modules of `from … import *`
        self.guarded = False
        self._known = {}
        self._texts = {}
        for node in tree.body:
            self.walk(node, self.module)

    # The walk.

    def walk(self, node, scope):
        if isinstance(node, FUNCTIONS):
            self.function(node, scope)
        elif isinstance(node, ast.Lambda):
            inner = self.arguments(node.args, scope, Scope("function", scope))
            self.walk(node.body, inner)
        elif isinstance(node, ast.ClassDef):
            scope.bind(node.name, OPAQUE)
            inner = Scope("class", scope)
            self.all(node.decorator_list + node.bases + node.keywords + getattr(node, "type_params", []), scope)
            self.all(node.body, inner)
        elif isinstance(node, COMPREHENSIONS):
            self.comprehension(node, scope)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                self.imported(node, alias.name, 0, None)
                if alias.asname:
                    scope.bind(alias.asname, alias.name)
                else:
                    top = alias.name.split(".")[0]
                    scope.bind(top, top)
        elif isinstance(node, ast.ImportFrom):
            self.import_from(node, scope)
        elif isinstance(node, ast.Assign):
            self.walk(node.value, scope)
            for target in node.targets:
                self.assign(target, node.value, scope)
        elif isinstance(node, ast.AnnAssign):
            self.walk(node.annotation, scope)
            if node.value is not None:
                self.walk(node.value, scope)
                self.assign(node.target, node.value, scope)
            else:
                self.walk(node.target, scope)
        elif isinstance(node, ast.NamedExpr):
            self.walk(node.value, scope)
            scope.function().bind(node.target.id, (node.value, scope))
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            self.declare(node, scope)
        elif isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            self.attempt(node, scope)
        elif isinstance(node, ast.If):
            self.walk(node.test, scope)
            self.under(is_about_the_host(node.test), node.body + node.orelse, scope)
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                self.places.append((node, scope))
            elif isinstance(node.ctx, ast.Store):
                scope.bind(node.id, OPAQUE)
        else:
            if isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
                self.places.append((node, scope))
            # `except … as name`, and what a match's patterns catch
            for field in ("name", "rest"):
                name = getattr(node, field, None)
                if isinstance(name, str):
                    scope.bind(name, OPAQUE)
            self.all(ast.iter_child_nodes(node), scope)

    def all(self, nodes, scope):
        for node in nodes:
            self.walk(node, scope)

    def under(self, guarded, nodes, scope):
        before, self.guarded = self.guarded, self.guarded or guarded
        self.all(nodes, scope)
        self.guarded = before

    def function(self, node, scope):
        scope.bind(node.name, OPAQUE)
        self.all(node.decorator_list, scope)
        inner = self.arguments(node.args, scope, Scope("function", scope))
        if node.returns is not None:
            self.walk(node.returns, scope)
        for parameter in getattr(node, "type_params", []):
            self.walk(parameter, inner)
        self.all(node.body, inner)

    def arguments(self, args, scope, inner):
        every = getattr(args, "posonlyargs", []) + args.args + args.kwonlyargs
        for one in every + [args.vararg, args.kwarg]:
            if one is not None:
                inner.bind(one.arg, OPAQUE)
                if one.annotation is not None:
                    self.walk(one.annotation, scope)
        self.all([default for default in args.defaults + args.kw_defaults if default is not None], scope)
        return inner

    def comprehension(self, node, scope):
        inner = Scope("comprehension", scope)
        for index, generator in enumerate(node.generators):
            self.walk(generator.iter, scope if index == 0 else inner)
            self.walk(generator.target, inner)
            self.all(generator.ifs, inner)
        self.all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt], inner)

    def imported(self, node, module, level, name):
        self.imports.append(Import(node.lineno, module, level, name, self.guarded))

    def import_from(self, node, scope):
        module = node.module or ""
        for alias in node.names:
            self.imported(node, module, node.level, alias.name)
            if alias.name == "*":
                if node.level == 0:
                    self.stars.append(module)
            else:
                # Relative: a file of the agent's own, which is looked at by itself.
                value = OPAQUE if node.level else module + "." + alias.name
                scope.bind(alias.asname or alias.name, value)

    def assign(self, target, value, scope):
        lists = (ast.Tuple, ast.List)
        if isinstance(target, ast.Name):
            scope.bind(target.id, (value, scope))
        elif isinstance(target, lists) and isinstance(value, lists) and len(target.elts) == len(value.elts):
            for one, its in zip(target.elts, value.elts):
                self.assign(one, its, scope)
        else:
            self.walk(target, scope)

    def declare(self, node, scope):
        for name in node.names:
            home = scope.module
            if isinstance(node, ast.Nonlocal):
                home = scope.parent
                while home.parent is not None and not (home.kind == "function" and name in home.bindings):
                    home = home.parent
            if home is not scope:
                scope.outer[name] = home

    def attempt(self, node, scope):
        caught = any(catches_imports(handler.type) for handler in node.handlers)
        self.under(caught, node.body, scope)
        # One of the two ways is there, or the agent's own error is raised.
        self.under(caught, node.handlers, scope)
        self.all(node.orelse + node.finalbody, scope)

    # What an expression stands for.

    def resolve(self, node, scope):
        """The dotted names that an expression may stand for; `builtins.eval` for the built-in."""
        key = id(node)
        if key not in self._known:
            self._known[key] = NONE  # what refers to itself
            names = {canonical(name) for name in self._resolve(node, scope) if len(name) <= MOST_CHARS}
            self._known[key] = frozenset(sorted(names)[:MOST_NAMES])
        return self._known[key]

    def _resolve(self, node, scope):
        if isinstance(node, ast.Name):
            return self.named(node.id, scope)
        if isinstance(node, ast.Attribute):
            return {name + "." + node.attr for name in self.resolve(node.value, scope)}
        if isinstance(node, ast.Subscript):
            index = node.slice
            if type(index).__name__ == "Index":  # before Python 3.9
                index = index.value
            return self.item(self.resolve(node.value, scope), self.text(index, scope))
        if isinstance(node, ast.Call):
            return self.called(node, scope)
        if isinstance(node, ast.IfExp):
            return self.resolve(node.body, scope) | self.resolve(node.orelse, scope)
        if isinstance(node, ast.BoolOp):
            return frozenset().union(*(self.resolve(value, scope) for value in node.values))
        if isinstance(node, ast.NamedExpr):
            return self.resolve(node.value, scope)
        return NONE

    def named(self, name, scope):
        home = scope.find(name)
        if home is None:
            if name == "__builtins__":
                return {"builtins"}
            found = {star + "." + name for star in self.stars}
            return found | {"builtins." + name} if name in BUILTINS else found
        names = set()
        for value in home.bindings[name][:MOST_NAMES]:
            if isinstance(value, str):
                names.add(value)
            elif value is not OPAQUE:
                names |= self.resolve(*value)
        return names

    def item(self, owners, key):
        """What owner[key] is, for the dictionaries that hold a module's names."""
        names = set()
        for owner in owners if key is not None else ():
            if owner == GLOBALS:
                names |= self.named(key, self.module)
            elif owner == "sys.modules":
                names.add(key)
            elif owner == "builtins":  # __builtins__ is a dictionary in every module but the first
                names.add("builtins." + key)
            elif owner.endswith(".__dict__"):
                names.add(owner[: -len("__dict__")] + key)
        return names

    def called(self, node, scope):
        names = set()
        if not node.args and not node.keywords:
            if self.resolve(node.func, scope) & {"builtins.globals", "builtins.locals", "builtins.vars"}:
                return {GLOBALS}
            return NONE
        for function in self.resolve(node.func, scope):
            if function == "builtins.getattr" and len(node.args) > 1:
                attribute = self.text(node.args[1], scope)
                if attribute is not None:
                    names |= {owner + "." + attribute for owner in self.resolve(node.args[0], scope)}
            elif function == "builtins.vars":
                names |= {owner + ".__dict__" for owner in self.resolve(node.args[0], scope)} if node.args else NONE
            elif function in IMPORTERS:
                names |= self.imported_by(node, function, scope)
            elif function.endswith((".get", ".__getitem__")) and isinstance(node.func, ast.Attribute) and node.args:
                names |= self.item(self.resolve(node.func.value, scope), self.text(node.args[0], scope))
        return names

    def imported_by(self, node, function, scope):
        module = self.text(argument(node, 0, "name"), scope)
        if not module or module.startswith("."):
            return NONE
        # __import__("a.b") gives a, unless names are wanted from it.
        whole = function == "importlib.import_module" or argument(node, 3, "fromlist") is not None
        return {module if whole else module.split(".")[0]}

    def text(self, node, scope):
        """The text that an expression is, where it can be told."""
        key = id(node)
        if key not in self._texts:
            self._texts[key] = None
            text = self._text(node, scope)
            self._texts[key] = text if text is not None and len(text) <= MOST_CHARS else None
        return self._texts[key]

    def _text(self, node, scope):
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.text(node.left, scope), self.text(node.right, scope)
            return None if left is None or right is None else left + right
        if isinstance(node, ast.JoinedStr):
            parts = [self.text(getattr(value, "value", value) if isinstance(value, ast.FormattedValue) else value, scope)
                     for value in node.values]
            return None if None in parts else "".join(parts)
        if isinstance(node, ast.Name):
            home = scope.find(node.id)
            values = home.bindings[node.id] if home is not None else []
            return self.text(*values[0]) if len(values) == 1 and isinstance(values[0], tuple) else None
        return None


IMPORTERS = ("builtins.__import__", "importlib.__import__", "importlib.import_module")


def argument(call, position, name):
    if len(call.args) > position:
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def canonical(name):
    first, dot, rest = name.partition(".")
    return SAME_MODULE.get(first, first) + dot + rest


def catches_imports(kind):
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    names = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    return any(isinstance(one, ast.Name) and one.id in names for one in kinds)


def is_about_the_host(test):
    """Of an `if`: whether what it holds may be meant for another Python, for a type checker or for the author alone."""
    words = {"TYPE_CHECKING", "version_info", "platform", "__name__"}
    return any(getattr(node, "id", getattr(node, "attr", None)) in words for node in ast.walk(test))


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
