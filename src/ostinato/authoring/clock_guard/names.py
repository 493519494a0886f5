"""What the names in the author's modules mean: ``dt.now`` is ``datetime.datetime.now`` after the right imports."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Final

from ostinato.authoring.imports import absolute
from ostinato.model.spec import Source

from .table import ASKING

_MOST_HOPS: Final = 20
_IMPORTERS: Final = frozenset({"__import__", "importlib.import_module"})

_KNOWN: Final = (*ASKING, "ostinato.dag", "ostinato.sensor", "ostinato.task")
"""What ``import *`` is taken to bring of modules that are not the author's."""

Names = dict[str, str]
"""Full names by the names they go by; empty for a name that is bound to something else."""


class Module:
    """One of the author's files: its name, its syntax tree, and what the names at its top mean."""

    def __init__(self, name: str, path: str, code: bytes) -> None:
        self.name = name
        self.path = path
        self.code = code
        self.tree = ast.parse(code)
        is_package = PurePath(path).name == "__init__.py"
        self.package = name if is_package else name.rpartition(".")[0]
        self.stars: list[str] = []
        self.names: Names = {}


class Project:
    """All the author's files that a compile gathered."""

    def __init__(self, source: Source) -> None:
        file = Module(PurePath(source.file).stem, source.file, source.code)
        others = [Module(name, path, code) for name, path, code in source.modules]
        self.modules = {module.name: module for module in (*others, file)}
        for module in self.modules.values():
            module.names = self.bound(module.tree.body, module, [])

    def bound(self, body: list[ast.stmt], module: Module, outer: list[Names]) -> Names:
        """What the statements of a module or a function bind, those of functions within left out."""
        names: Names = {}
        aliases: list[tuple[str, ast.expr]] = []
        for node in _of_one_scope(body):
            match node:
                case ast.Import() | ast.ImportFrom():
                    names.update(_imported(node, module))
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    names.setdefault(name, "" if outer else f"{module.name}.{name}")
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in names:
                    aliases.append((name, value))
                case _:
                    pass
        for name, value in aliases:
            names[name] = self.full_name(value, module, [*outer, names]) or ""
        for node in _of_one_scope(body):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.setdefault(node.id, "" if outer else f"{module.name}.{node.id}")
        return names

    def full_name(self, node: ast.expr, module: Module, scopes: list[Names]) -> str | None:
        """The full name that an expression stands for, if it is one. ``scopes`` are those around it, outermost first."""
        match node:
            case ast.Name(id=name):
                return self._lookup(name, module, scopes)
            case ast.Attribute(value=value, attr=attr):
                return self._member(value, attr, module, scopes)
            case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(attr)), *_]):
                return self._member(value, attr, module, scopes)
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                plain = function.id if isinstance(function, ast.Name) else None
                called = self.full_name(function, module, scopes) or plain
                return name if called in _IMPORTERS else None
            case _:
                return None

    def _member(self, value: ast.expr, attr: str, module: Module, scopes: list[Names]) -> str | None:
        owner = self.full_name(value, module, scopes)
        return self.settled(f"{owner}.{attr}") if owner else None

    def _lookup(self, name: str, module: Module, scopes: list[Names]) -> str | None:
        for names in (*reversed(scopes), module.names):
            if name in names:
                return self.settled(names[name]) if names[name] else None
        return next(filter(None, (self._through_star(star, name) for star in module.stars)), None)

    def _through_star(self, star: str, name: str) -> str | None:
        full = f"{star}.{name}"
        if star in self.modules:
            settled = self.settled(full)
            return settled if name in self.modules[star].names or settled != full else None
        return full if any(known == full or known.startswith(f"{full}.") for known in _KNOWN) else None

    def settled(self, full: str) -> str:
        """A full name after following what the author's modules import from elsewhere and pass on."""
        for _ in range(_MOST_HOPS):
            module, rest = self._split(full)
            if module is None or not rest:
                return full
            head, _, tail = rest.partition(".")
            known = module.names.get(head)
            if known is None:
                known = next(filter(None, (self._through_star(star, head) for star in module.stars)), None)
            if not known or known == f"{module.name}.{head}":
                return full
            full = f"{known}.{tail}" if tail else known
        return full

    def _split(self, full: str) -> tuple[Module | None, str]:
        """The module that a full name lies in, and the rest of the name."""
        name = full
        while name:
            if name in self.modules:
                return self.modules[name], full[len(name) + 1 :]
            name = name.rpartition(".")[0]
        return None, ""


def parameters(arguments: ast.arguments) -> Iterator[str]:
    """The names that a function's parameters have."""
    for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if one is not None:
            yield one.arg


def _imported(node: ast.Import | ast.ImportFrom, module: Module) -> Mapping[str, str]:
    if isinstance(node, ast.Import):
        return {one.asname or one.name.partition(".")[0]: _module_named(one) for one in node.names}
    base = absolute(node, module.package)
    if base is None:
        return {}
    module.stars += [base for one in node.names if one.name == "*"]
    return {one.asname or one.name: f"{base}.{one.name}" if base else one.name for one in node.names}


def _module_named(one: ast.alias) -> str:
    return one.name if one.asname else one.name.partition(".")[0]


def _of_one_scope(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """All nodes of a body but for what is within functions and classes."""
    todo: list[ast.AST] = list(reversed(body))
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            todo.extend(reversed(list(ast.iter_child_nodes(node))))
