"""``make figures``: counts of the package's code, as a table.

Counts with the standard library's ``ast`` and ``tokenize`` alone, so that the next reader gets the
same figures from the same code. ``--json`` prints them as one object. Exit status 1 when a goal is
missed.
"""

from __future__ import annotations

import ast
import io
import json
import re
import statistics
import sys
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
EXCEPTIONS = ("fmt: skip", "type: ignore", "noqa")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A Python file of the package, parsed."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def functions(self) -> list[Function]:
        """Its functions and methods, nested ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    def lines(self) -> int:
        """Its lines, of any kind."""
        return len(self.text.splitlines())

    def code_lines(self) -> int:
        """Its lines of code: no blank lines, comments or docstrings."""
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in NOT_CODE:
                lines.update(range(token.start[0], token.end[0] + 1))
        for docstring in _docstrings(self.tree):
            lines.difference_update(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
        return len(lines)

    def comments(self) -> Iterator[str]:
        """Its comments."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.string

    def names(self) -> Iterator[str]:
        """Each use of a name or an attribute, in order."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, ast.Attribute):
                yield node.attr


def read_package(folder: Path) -> list[Module]:
    """The modules under a folder, by path."""
    return [Module(path, path.read_text()) for path in sorted(folder.rglob("*.py"))]


def body_lines(function: Function) -> int:
    """Lines from a function's first statement to its last, without a docstring."""
    body = function.body[1:] if _is_docstring(function.body[0]) else function.body
    return ((body[-1].end_lineno or 0) - body[0].lineno + 1) if body else 0


def private_with_one_caller(modules: list[Module]) -> list[str]:
    """Private functions and methods that are used in one place, as ``path:name``.

    A private name belongs to its module, so its uses are counted there.
    """
    once = []
    for module in modules:
        uses = Counter(module.names())
        for function in module.functions:
            name = function.name
            if _is_private(name) and uses[name] == 1:
                once.append(f"{module.path.relative_to(ROOT)}:{name}")
    return once


def private_names_of_libraries(modules: list[Module]) -> dict[str, list[str]]:
    """The private attributes and imports that are not this package's own, by file."""
    own = {
        node.name
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, (Function, ast.ClassDef))
    }
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                own.add(node.attr)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                own.add(node.target.id)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                own.add(node.id)
    private: dict[str, list[str]] = {}
    for module in modules:
        names = [
            node.attr
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and _is_private(node.attr) and node.attr not in own
        ]
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("sportsapp"):
                names += [alias.name for alias in node.names if _is_private(alias.name)]
        if names:
            private[str(module.path.relative_to(ROOT))] = sorted(set(names))
    return private


def uses_ctypes(module: Module) -> bool:
    """Whether a module imports ctypes."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import) and any(name.name == "ctypes" for name in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "ctypes":
            return True
    return False


def layers_in_contract() -> int:
    """The number of floors in import-linter's contract for the folders."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return len(settings["contracts"][0]["layers"])


@dataclass(frozen=True)
class Figure:
    """A count, and the most that it should be; ``goal`` is None if there is no goal."""

    name: str
    value: float
    goal: float | None = None
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the goal is met, if there is one."""
        return self.goal is None or self.value <= self.goal

    def row(self) -> str:
        """The figure as a line of a Markdown table."""
        goal = "" if self.goal is None else f"at most {self.goal:,g}{self.unit}"
        return f"| {self.name} | {self.value:,g}{self.unit} | {goal} |"


def figures() -> list[Figure]:
    """All figures of the package, in the order of the table."""
    modules = read_package(ROOT / "sportsapp")
    functions = [function for module in modules for function in module.functions]
    bodies = sorted(body_lines(function) for function in functions)
    comments = [comment for module in modules for comment in module.comments()]
    share = round(100 * len(private_with_one_caller(modules)) / len(functions))
    root = list((ROOT / "sportsapp").glob("*.py"))
    private = [name for names in private_names_of_libraries(modules).values() for name in names]
    counts = {mark: sum(mark in comment for comment in comments) for mark in EXCEPTIONS}
    return [
        Figure("lines of code", sum(module.code_lines() for module in modules), 23_850),
        Figure("modules", len(modules)),
        Figure("lines of the longest module", max(module.lines() for module in modules), 400),
        Figure("modules at the package's root", len(root), 3),
        Figure("floors in the import contract", layers_in_contract(), 9),
        Figure("files with ctypes", sum(uses_ctypes(module) for module in modules), 1),
        Figure("private names of libraries that are read", len(private), 4),
        Figure("functions", len(functions)),
        Figure("lines of a function's body, median", statistics.median(bodies)),
        Figure("lines of a function's body, 90th percentile", bodies[len(bodies) * 9 // 10]),
        Figure("lines of the longest body", bodies[-1]),
        Figure("private functions with one caller", share, 12, " %"),
        *(
            Figure(f"`{mark}`", counts[mark], goal)
            for mark, goal in zip(EXCEPTIONS, (5, 20, 12), strict=True)
        ),
    ]


def main() -> None:
    """Print the table; with ``--list`` the names that two of its lines count."""
    if "--list" in sys.argv:
        modules = read_package(ROOT / "sportsapp")
        print(*private_with_one_caller(modules), sep="\n")
        for path, names in private_names_of_libraries(modules).items():
            print(f"{path}: {', '.join(names)}")
        return
    table = figures()
    if "--json" in sys.argv:
        print(json.dumps({figure.name: figure.value for figure in table}))
        return
    print("| figure | now | goal |\n| --- | --- | --- |")
    print(*(figure.row() for figure in table), sep="\n")
    sys.exit(not all(figure.is_met for figure in table))


def _is_private(name: str) -> bool:
    return bool(re.match(r"_(?!_)", name)) and name != "_"


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _docstrings(tree: ast.Module) -> Iterator[ast.stmt]:
    """Strings that are statements: docstrings, and the texts below constants."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            yield from (statement for statement in body if _is_docstring(statement))


if __name__ == "__main__":
    main()
