"""Which modules a source text imports, wherever in it: tasks import much of what they need only when they run."""

import ast
from collections.abc import Iterator


def imported_names(code: bytes, name: str, *, is_package: bool) -> Iterator[str]:
    """The absolute names of what the module ``name`` may import, each once it is certain what it would be called.

    ``from a import b`` may mean the module ``a.b`` or a name inside of ``a``; both are given. Code that cannot be parsed
    imports nothing.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    package = name if is_package else name.rpartition(".")[0]
    for statement in _imports(tree):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                yield from _with_parents(alias.name)
        else:
            yield from _from(statement, package)


def absolute(statement: ast.ImportFrom, package: str) -> str | None:
    """The full name of the module that ``from ... import`` names in a package, empty for its top; None beyond that."""
    base = statement.module or ""
    if not statement.level:
        return base
    parents = package.split(".") if package else []
    if statement.level - 1 > len(parents):
        return None
    kept = parents[: len(parents) - statement.level + 1]
    return ".".join([*kept, base] if base else kept)


def _from(statement: ast.ImportFrom, package: str) -> Iterator[str]:
    base = absolute(statement, package)
    if base is None:
        return
    yield from _with_parents(base)
    for alias in statement.names:
        yield f"{base}.{alias.name}" if base else alias.name


def _with_parents(name: str) -> Iterator[str]:
    """Importing ``a.b.c`` imports ``a`` and ``a.b`` first."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])


def _imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Only statements are walked: expressions import nothing, and there are many more of them."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, block, ()):
            if isinstance(child, ast.Import | ast.ImportFrom):
                yield child
            elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
                yield from _imports(child)
