"""What an expression in a file of Python stands for, without running it. Used by validate.py. Python 3.8 or newer.

Theory of operation. validate_scopes.py says what each name is bound to; here an expression is resolved to the dotted names it
may stand for: through imports and their aliases, assignments, `getattr`, `__import__` and `import_module` with a text that is
known, `vars()`, `__dict__` and `sys.modules`. A name that the file binds itself (a function called `compile`, an argument
called `eval`) is not the built-in, and an attribute of something unknown (`model.eval()`) is nothing.

It is a reading of what is written, no proof: a program that wants to hide what it calls can.
"""

import ast
import builtins

from validate_scopes import OPAQUE, Walker

BUILTINS = frozenset(dir(builtins))
MOST_NAMES = 32  # that one expression may stand for
MOST_CHARS = 200  # of one such name
NONE = frozenset()
GLOBALS = "<globals>"
SAME_MODULE = {"posix": "os", "nt": "os", "__builtin__": "builtins", "__builtins__": "builtins"}
IMPORTERS = ("builtins.__import__", "importlib.__import__", "importlib.import_module")


class Reader(Walker):
    """One file, read."""

    def __init__(self, tree):
        self._known = {}
        self._texts = {}
        super().__init__(tree)

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


def argument(call, position, name):
    if len(call.args) > position:
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def canonical(name):
    first, dot, rest = name.partition(".")
    return SAME_MODULE.get(first, first) + dot + rest
