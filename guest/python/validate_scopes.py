"""The scopes of a file of Python, and what each name in them is bound to. Used by validate_names.py. Python 3.8 or newer.

One walk over the tree builds them, and keeps the places that could reach a module's attribute or a built-in. What a name is
bound to is not worked out here.
"""

import ast

OPAQUE = None
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


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


class Walker:
    """Walks one file's tree."""

    def __init__(self, tree):
        self.module = Scope("module", None)
        self.places = []  # (node, scope)
        self.imports = []
        self.stars = []  # modules of `from … import *`
        self.guarded = False
        for node in tree.body:
            self.walk(node, self.module)

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
