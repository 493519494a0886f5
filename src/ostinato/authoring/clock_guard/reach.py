"""Which of the author's code a task can come to: its function, and what that mentions, and what those mention.

The code at the top of a module runs whenever the module is imported, so it counts, and so does what it mentions. Where it
is not certain that something is reached, it is taken to be; what nothing mentions is not looked at.
"""

import ast
from collections.abc import Iterator, Sequence

from msgspec import Struct

from .names import Module, Names, Project, parameters
from .rewrite import arguments

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Mention(Struct, frozen=True):
    """A name that code mentions, in full. ``arguments`` is how many it is called with, None if it is not called."""

    name: str
    node: ast.expr
    arguments: int | None


class Text(Struct, frozen=True):
    """A text in the code; what is put together at run time has a ``p`` in place of each part that is not known."""

    text: str
    node: ast.expr


class Unit:
    """A function, a class, or the top of a module: what is reached as a whole."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.mentions: list[Mention] = []
        self.texts: list[Text] = []
        self.is_root = False


def reached(project: Project) -> list[Unit]:
    """All units that tasks come to."""
    units = _units(project)
    todo = [unit for unit in units.values() if unit.is_root]
    found = dict.fromkeys(todo)
    while todo:
        for mention in todo.pop().mentions:
            for name in _mentioned(mention.name, units, project):
                if (unit := units[name]) not in found:
                    found[unit] = None
                    todo.append(unit)
    return list(found)


def _mentioned(name: str, units: dict[str, Unit], project: Project) -> Iterator[str]:
    """The units behind a name. Who mentions a whole module may mean anything in it."""
    if name in project.modules:
        yield from (unit for unit in units if unit.rpartition(".")[0] == name)
    while name:
        if name in units:
            yield name
        name = name.rpartition(".")[0]


def _units(project: Project) -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for module in project.modules.values():
        top = units[module.name] = Unit(module)
        top.is_root = True
        reader = _Reader(project, top, units)
        for statement in module.tree.body:
            reader.visit(statement)
    return units


class _Reader(ast.NodeVisitor):
    """Notes what the code of a unit mentions. ``units`` takes the definitions at a module's top; None within them."""

    def __init__(self, project: Project, unit: Unit, units: dict[str, Unit] | None) -> None:
        self._project = project
        self._unit = unit
        self._units = units
        self._scopes: list[Names] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._definition(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._definition(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        self._within(dict.fromkeys(parameters(node.args), ""), [node.body])

    def visit_If(self, node: ast.If) -> None:
        """What runs only as a program is no task."""
        match node.test:
            case ast.Compare(left=ast.Name(id="__name__"), comparators=[ast.Constant(value="__main__")]):
                self._all(node.orelse)
            case _:
                self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A text that stands alone is a remark."""
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self._mention(node.func, arguments(node))
        name = self._project.full_name(node, self._unit.module, self._scopes)
        if name:
            self._unit.mentions.append(Mention(name, node, None))
        self._all([*node.args, *node.keywords])

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._mention(node, None)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._mention(node, None)

    def visit_Constant(self, node: ast.Constant) -> None:
        self._text(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._text(node)
        self._all([part.value for part in node.values if isinstance(part, ast.FormattedValue)])

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Texts that are added are one text."""
        if isinstance(node.op, ast.Add) and any(map(_is_text, _added(node))):
            self._text(node)
            self._all([part for part in _added(node) if not _is_text(part)])
        else:
            self.generic_visit(node)

    def _mention(self, node: ast.expr, arguments: int | None) -> None:
        name = self._project.full_name(node, self._unit.module, self._scopes)
        if name:
            self._unit.mentions.append(Mention(name, node, arguments))
        elif isinstance(node, ast.Attribute):
            self.visit(node.value)
        elif not isinstance(node, ast.Name):
            self.visit(node)

    def _text(self, node: ast.expr) -> None:
        text = "".join(map(_written, _added(node)))
        if text.strip("p "):
            self._unit.texts.append(Text(text, node))

    def _definition(self, node: Definition) -> None:
        self._all(node.decorator_list)
        if not isinstance(node, ast.ClassDef):
            self._defaults(node.args)
        if self._units is None:
            self.body(node)
            return
        unit = Unit(self._unit.module)
        unit.is_root = any(self._is_ours(decorator) for decorator in node.decorator_list)
        self._units[f"{self._unit.module.name}.{node.name}"] = unit
        _Reader(self._project, unit, None).body(node)

    def body(self, node: Definition) -> None:
        """Read what is within a definition."""
        module = self._unit.module
        if isinstance(node, ast.ClassDef):
            self._all([*node.bases, *node.keywords, *node.body])
            return
        inner = dict.fromkeys(parameters(node.args), "")
        bound = self._project.bound(node.body, module, [*self._scopes, inner])
        self._all([one.annotation for one in ast.walk(node.args) if isinstance(one, ast.arg) and one.annotation])
        self._within(bound | inner, node.body)

    def _within(self, names: Names, nodes: Sequence[ast.AST]) -> None:
        self._scopes.append(names)
        self._all(nodes)
        self._scopes.pop()

    def _defaults(self, arguments: ast.arguments) -> None:
        self._all([*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)])

    def _is_ours(self, decorator: ast.expr) -> bool:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = self._project.full_name(function, self._unit.module, self._scopes)
        return name is not None and name.partition(".")[0] == "ostinato"

    def _all(self, nodes: Sequence[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)


def _added(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_added(node.left), *_added(node.right)]
    return [node]


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _written(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(_written, parts))
        case _:
            return "p"
