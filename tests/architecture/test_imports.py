"""Data flows one way: who may import what, and where clock, SQL, pages and figures may live."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path for room in ("dashboard", "pages", "queries") for path in (ROOT / room).rglob("*.py") if path.stat().st_size
)

# library -> the places that may import it
LIBRARIES = {
    "streamlit": (
        "dashboard/app.py",
        "dashboard/server.py",
        "dashboard/serving.py",
        "dashboard/configuration.py",
        "dashboard/signin/",
        "dashboard/ui/",
        "dashboard/web/",
        "pages/",
    ),
    "starlette": ("dashboard/server.py", "dashboard/signin/", "dashboard/web/"),
    "uvicorn": ("dashboard/serving.py", "dashboard/web/"),
    "logging": (
        "dashboard/logs.py",
        "dashboard/log_writing.py",
    ),  # the place that writes a log line, of checked fields only
    "streamlit_authenticator": ("dashboard/signin/",),
    "sqlalchemy": ("queries/",),
    "plotly": ("dashboard/charts/", "dashboard/snapshot/", "dashboard/server.py", "dashboard/web/routes.py"),
    "typst": ("dashboard/snapshot/",),
    "kaleido": ("dashboard/snapshot/",),
}
# composition roots hold an Engine or Connection for others, as a type; they build no SQL
ENGINE_ONLY = {"Engine", "Connection"}

# room -> rooms it may not reach
FORBIDDEN = {
    "dashboard/analytics/": (
        "queries",
        "pages",
        "dashboard.ui",
        "dashboard.charts",
        "dashboard.signals",
        "dashboard.signin",
    ),
    "dashboard/signals/": ("queries", "pages", "dashboard.ui", "dashboard.charts", "dashboard.signin"),
    "dashboard/replay": ("queries", "pages", "dashboard.ui", "dashboard.charts", "dashboard.signin"),
    "dashboard/charts/": ("queries", "pages", "dashboard.ui", "dashboard.signin"),
    "dashboard/snapshot/": ("queries", "pages", "dashboard.signin", "dashboard.access"),
    "dashboard/instruments/": (
        "queries",
        "pages",
        "dashboard.ui",
        "dashboard.charts",
        "dashboard.signals",
        "dashboard.signin",
    ),
    "dashboard/access.py": ("queries", "pages", "dashboard.ui", "dashboard.charts", "dashboard.analytics"),
    "dashboard/contracts.py": ("queries", "pages", "dashboard.ui", "dashboard.charts", "dashboard.analytics"),
    "dashboard/glossary.py": ("queries", "pages", "dashboard.ui", "dashboard.charts", "dashboard.analytics"),
    "queries/": (
        "pages",
        "dashboard.ui",
        "dashboard.charts",
        "dashboard.signin",
        "dashboard.cli",
        "dashboard.evaluation",
    ),
}

CLOCK = {("datetime", "now"), ("datetime", "today"), ("date", "today"), ("datetime", "utcnow"), ("time", "time")}
CLOCK_PLACES = (
    "dashboard/app.py",
    "dashboard/cli.py",
    "dashboard/server.py",
    "dashboard/signin/",
    "dashboard/settings.py",
)


def _place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _imports(tree: ast.AST) -> list[tuple[str, set[str]]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, set()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.module, {alias.name for alias in node.names}))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=_place)
def test_a_library_is_imported_only_in_its_room(path: Path) -> None:
    place = _place(path)
    for module, names in _imports(ast.parse(path.read_text("utf-8"))):
        allowed = LIBRARIES.get(module.split(".")[0])
        if allowed is None or place.startswith(allowed):
            continue
        if module == "sqlalchemy" and names and names <= ENGINE_ONLY:
            continue
        pytest.fail(f"{place} imports {module}")


@pytest.mark.parametrize("path", SOURCES, ids=_place)
def test_no_room_reaches_against_the_flow(path: Path) -> None:
    place = _place(path)
    for room, banned in FORBIDDEN.items():
        if not place.startswith(room):
            continue
        for module, names in _imports(ast.parse(path.read_text("utf-8"))):
            targets = {module} | {f"{module}.{name}" for name in names}
            wrong = sorted(t for t in targets for b in banned if t == b or t.startswith(b + "."))
            assert not wrong, f"{place} imports {', '.join(wrong)}"


@pytest.mark.parametrize("path", SOURCES, ids=_place)
def test_only_the_edges_know_the_clock(path: Path) -> None:
    place = _place(path)
    if place.startswith(CLOCK_PLACES):
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            assert (node.func.value.id, node.func.attr) not in CLOCK, f"{place}:{node.lineno} reads the clock"


def test_no_module_is_called_utils() -> None:
    assert not [p for p in SOURCES if p.stem in ("utils", "helpers", "common", "misc")]


@pytest.mark.parametrize("path", SOURCES, ids=_place)
def test_every_public_function_and_class_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    if "migrations" not in path.parts:
        assert ast.get_docstring(tree), f"{_place(path)} has no docstring"
        assert not silent, f"{_place(path)}: no docstring on {', '.join(silent)}"
