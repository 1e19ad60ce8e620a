"""What there is to be allowed or refused, found in the code itself, so that whatever nobody listed makes a test fail."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = ("dashboard/access.py", "dashboard/reach.py", "pages/__init__.py")  # where the pairs of rules stand
WRITES = "writing"  # the one door to a transaction that changes something


@dataclass(frozen=True)
class Found:
    """A public function, ``module.function`` or ``module.Class.method`` below its package."""

    name: str
    writes: bool
    takes_viewer: bool


def sources(*packages: str) -> Iterator[tuple[str, Path, ast.Module]]:
    """Module name, file and tree of every module of some packages."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, path, tree_of(path)


@cache
def tree_of(path: Path) -> ast.Module:
    """A module's tree."""
    return ast.parse(path.read_text("utf-8"))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a module."""
    return tuple(ast.walk(tree_of(path)))


def called(node: ast.AST) -> set[str]:
    """The last names of whatever is called inside a node: ``a.b.c()`` calls ``c``."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            target = one.func
            found.add(target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", ""))
    return found


def _names_viewer(arguments: ast.arguments) -> bool:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return any(one.annotation is not None and "Viewer" in ast.unparse(one.annotation).split(" | ") for one in every)


def _holds_viewer(node: ast.ClassDef) -> bool:
    fields = any(isinstance(one, ast.AnnAssign) and "Viewer" in ast.unparse(one.annotation) for one in node.body)
    made = (one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__")
    return fields or any(_names_viewer(one.args) for one in made)


def _reaches(tree: ast.Module) -> set[str]:
    """Names of a module's functions that reach ``writing``, on their own or through another function of the module."""
    calls = {
        node.name: called(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    found = {name for name, names in calls.items() if WRITES in names}
    while more := {name for name, names in calls.items() if names & found and name not in found}:
        found |= more
    return found


def functions(*packages: str) -> list[Found]:
    """Every public function and method of public classes that writes, or is handed who asks."""
    found = []
    for module, _, tree in sources(*packages):
        below = module.partition(".")[2] or module
        writing = _reaches(tree)
        for node in tree.body:
            held = isinstance(node, ast.ClassDef) and _holds_viewer(node)
            inside = node.body if isinstance(node, ast.ClassDef) else [node]
            prefix = f"{below}.{node.name}." if isinstance(node, ast.ClassDef) else f"{below}."
            for one in inside:
                if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) or one.name.startswith("_"):
                    continue
                takes, writes = held or _names_viewer(one.args), one.name in writing
                if takes or writes:
                    found.append(Found(prefix + one.name, writes, takes))
    return found


def drafts() -> list[Found]:
    """Functions that gather a snapshot from a reader, who holds the scope."""
    return [
        Found(f"{module.partition('.')[2]}.{node.name}", False, False)
        for module, _, tree in sources("dashboard")
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.endswith("_draft")
    ]


def pairs() -> dict[str, set[str]]:
    """``can_x`` and ``check_can_x`` of the rules: which halves there are of each x."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / name for name in RULES if (ROOT / name).is_file()):
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef):
                half = "check_can_" if node.name.startswith("check_can_") else "can_"
                if node.name.startswith(half):
                    found.setdefault(node.name.removeprefix(half), set()).add(half)
    return found


@cache
def calls() -> frozenset[str]:
    """The last names of everything that the program calls."""
    return frozenset().union(*(called(tree) for _, _, tree in sources("dashboard", "queries", "pages")))


def address_parameters() -> dict[str, set[str]]:
    """What pages read out of the address: name to the modules that read it."""
    found: dict[str, set[str]] = {}
    for module, path, _ in sources("dashboard", "pages"):
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
                of = ast.unparse(node.func.value)
                if (of.endswith("query_params") or of == "address") and isinstance(node.args[0], ast.Constant):
                    found.setdefault(str(node.args[0].value), set()).add(module)
    return found
