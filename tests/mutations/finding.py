"""Finds the checks in the program's source, and puts a switch at each; plain ``ast``, no list of places.

Kinds: ``rule`` (the body of a check_can_x), ``part`` (one condition of several in a rule), ``ask`` (a call of a check),
``refuse`` (an if that raises NotAllowed), ``narrowed``, ``first look``, ``paper`` and ``estimates`` (what is kept from whom in
scope), ``scope`` (a viewer's scope at its use), ``start`` (the scope a statement starts from), ``where`` (a condition of a
statement about practice, person, session or visibility), ``guard`` (session, link and liveness checks), ``mask`` (values kept
from administrators).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = ("dashboard", "pages", "queries")
KINDS = (  # in the order in which they are taken away: those first that everything else rests on
    "rule", "part", "ask", "refuse", "guard", "narrowed", "mask", "paper", "estimates", "first look", "where", "scope", "start",
)  # fmt: skip
SWITCH = re.compile(r"_switches\.\w+\(\d+, ")  # of a call inside, which has its switch already
ABOUT_WHO = (
    "practice_id ==", "clinician_id", "scope.", "viewer", "visible", "is_active", "revoked", "token_version", "id_hash",
    "username ==", "bind_code", "shared", "whole", "outside", "seen", "from_day", "to_day", "supervisor_id", "inside",
    "meeting_id ==", "allowed > 0", "anybody > 0", "first.shows", "ALONE", "public_id ==",
)  # fmt: skip
# Storing and undoing run for somebody who was asked before, on ids the program itself looked up.
NOT_ABOUT_WHO = (
    "queries.store", "queries.store_evaluation", "queries.store_people", "queries.store_scores", "queries.store_versions",
    "queries.store_merges", "queries.undo_", "queries.backup", "queries.restore", "queries.recipher", "queries.erase_texts",
    "queries.erased", "queries.waiting", "queries.worlds", "queries.versions", "queries.place", "queries.models", "queries.care",
    "queries.sync_marks", "queries.migrations", "queries.contents", "queries.keys", "queries.health", "queries.load",
)  # fmt: skip
GUARDED = (
    "queries.sessions", "dashboard.signin.", "dashboard.server", "dashboard.downloads", "dashboard.exporting._viewer",
    "dashboard.snapshot_command._viewer", "dashboard.digest.digest", "dashboard.saved_mappings.Shelf.__init__",
    "dashboard.web.",
)  # fmt: skip
RULES = ("dashboard.access", "dashboard.reach", "pages")
SCOPES = ("scope_for", "screen_scope", "pattern_scope")  # what makes a viewer's scope
ASKS = ("check_can_", "_check(engine, viewer", "require_own_password")


@dataclass(frozen=True)
class Check:
    """One check: its number, its kind, where it stands and its text."""

    number: int
    kind: str
    where: str
    text: str

    @property
    def name(self) -> str:
        """How it is called on the command line."""
        return f"{self.kind} {self.where}: {self.text}"


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    """Module name and file of the whole program."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(ast.Name("_switches", ast.Load()), name, ast.Load()), list(arguments), [])


class Switching(ast.NodeTransformer):
    """Puts the switches into one module."""

    def __init__(self, module: str, first: int) -> None:
        """``first``: the number of its first check."""
        self.module, self.first = module, first
        self.found: list[Check] = []
        self.inside: list[str] = []

    def _add(self, kind: str, node: ast.AST) -> ast.expr:
        number = self.first + len(self.found)
        text = SWITCH.sub("", " ".join(ast.unparse(node).split()))
        self.found.append(Check(number, kind, ".".join([self.module, *self.inside]), text[:110]))
        return ast.Constant(number)

    def _off(self, kind: str, node: ast.AST) -> ast.expr:
        return _call("off", self._add(kind, node))

    def _kept(self, kind: str, node: ast.expr) -> ast.expr:
        """A condition that counts as false where its check is taken away."""
        off = self._off(kind, node)
        return ast.BoolOp(ast.And(), [ast.UnaryOp(ast.Not(), off), node])

    @property
    def _here(self) -> str:
        return ".".join([self.module, *self.inside])

    @property
    def _is_rule(self) -> bool:
        return self.module in RULES and bool(self.inside)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        """Names what is inside."""
        self.inside.append(node.name)
        self.generic_visit(node)
        self.inside.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        """The body of a rule, and what is inside any function."""
        self.inside.append(node.name)
        if node.name.startswith("check_can_"):
            docstring, *rest = node.body
            gone = ast.If(self._off("rule", node.args), [ast.Return(None)], [])
            node.body = [docstring, gone, *rest]
        else:
            self.generic_visit(node)
        self.inside.pop()
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        """As any function."""
        self.inside.append(node.name)
        self.generic_visit(node)
        self.inside.pop()
        return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        """A call of a check, for its refusal alone."""
        self.generic_visit(node)
        call = node.value
        if (
            isinstance(call, ast.Call)
            and ast.unparse(call).removeprefix("pages.").startswith(ASKS)
            and not self._is_rule
        ):
            return ast.If(ast.UnaryOp(ast.Not(), self._off("ask", call)), [node], [])
        return node

    def visit_If(self, node: ast.If) -> Any:
        """An if that refuses; in the modules about sessions and links also one that returns."""
        guarded = self._here.startswith(GUARDED)
        raises = any(isinstance(one, ast.Raise) and "NotAllowed" in ast.unparse(one) for one in node.body)
        ends = any(isinstance(one, ast.Return | ast.Raise) for one in node.body)
        test = node.test
        self.generic_visit(node)
        if (raises or (guarded and ends)) and not self._is_rule:
            kind = "guard" if guarded else "refuse"
            if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
                test.values = [self._kept(kind, one) for one in test.values]
            else:
                node.test = self._kept(kind, node.test)
        if self.module == "queries.scope" and ast.unparse(test) == "scope.clinician_ids is not None":
            node.test = self._kept("where", node.test)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        """Nobody, in the modules about sessions; and what an empty scope gives."""
        self.generic_visit(node)
        if self._here.startswith(GUARDED) and isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.Or):
            node.test.values = [self._kept("guard", one) for one in node.test.values]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        """One condition of several in a rule."""
        self.generic_visit(node)
        if self._is_rule and isinstance(node.op, ast.And) and self.inside[-1].startswith(("can_", "first_look")):
            node.values = [ast.BoolOp(ast.Or(), [self._off("part", one), one]) for one in node.values]
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        """What is hidden from an administrator."""
        self.generic_visit(node)
        if self.module == "queries.exports" and ast.unparse(node.targets[0]) == "hidden":
            node.value = self._kept("mask", node.value)
        return node

    def visit_Call(self, node: ast.Call) -> Any:
        """Scopes, narrowings, looks and the conditions of statements."""
        self.generic_visit(node)
        name = _last(node.func)
        for one in node.keywords:
            if one.arg == "masked" and "viewer.role" in ast.unparse(one.value):
                one.value = self._kept("mask", one.value)
        if self.module in ("dashboard.access", "dashboard.reach"):
            return node
        match name:
            case "narrowed" if len(node.args) == 2:
                return ast.IfExp(self._off("narrowed", node), node.args[0], node)
            case "first_look":
                return ast.IfExp(self._off("first look", node), ast.Constant(None), node)
            case "on_paper":
                return ast.IfExp(self._off("paper", node), node.args[0], node)
            case "estimate_view":
                return _call("look", self._add("estimates", node), node)
            case name if name in SCOPES:
                return _call("wide", self._add("scope", node), node)
            case "visible_episodes" | "visible_clinicians" if node.args:
                node.args[0] = _call("wide", self._add("start", node), node.args[0])
            case "where" | "and_" if self.module.startswith("queries.") and not self.module.startswith(NOT_ABOUT_WHO):
                node.args = [self._condition(one) for one in node.args]
        return node

    def _condition(self, node: ast.expr) -> ast.expr:
        text = ast.unparse(node)
        if isinstance(node, ast.Starred) or "_switches" in text or not any(word in text for word in ABOUT_WHO):
            return node
        return _call("condition", self._add("where", node), node)


def switched(root: Path, write: bool) -> list[Check]:
    """Every check of the program under a folder; with ``write`` its modules are written again with a switch at each."""
    found: list[Check] = []
    for module, path in modules(root):
        tree = ast.parse(path.read_text("utf-8"))
        switching = Switching(module, len(found))
        tree = switching.visit(tree)
        if not switching.found:
            continue
        found += switching.found
        if write:
            _import_switches(tree)
            path.write_text(ast.unparse(ast.fix_missing_locations(tree)), "utf-8")
    return found


def _import_switches(tree: ast.Module) -> None:
    """After the docstring and the imports from the future."""
    place = 0
    for place, node in enumerate(tree.body):  # noqa: B007 - the place is what is looked for
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
    tree.body.insert(place, ast.Import([ast.alias("permission_switches", "_switches")]))
