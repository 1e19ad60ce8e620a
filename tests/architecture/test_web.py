"""What would open a way around the guard: Streamlit's public files, scripts of a page's own, routes that nobody decided on."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from starlette.routing import Mount

from dashboard import configuration
from dashboard.web.doors import PAGES, STREAMLIT, Door, Doors
from dashboard.web.routes import WAYS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for room in ("dashboard", "pages") for path in (ROOT / room).rglob("*.py")]
# served by Streamlit at /media/… to whoever knows the address, or by an iframe of its own
PUBLIC = {"download_button", "image", "audio", "video", "logo", "pdf", "camera_input", "audio_input", "iframe"}


def _calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_is_handed_to_streamlits_public_files_and_no_page_brings_a_script_of_its_own(path: Path) -> None:
    for call in _calls(path):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        owner = call.func.value.id if name and isinstance(call.func.value, ast.Name) else ""  # type: ignore[attr-defined]
        assert not (owner == "st" and name in PUBLIC), f"{path.name}:{call.lineno} uses st.{name}"
        if path.name != "scripts.py":
            given = {one.arg for one in call.keywords}
            assert "unsafe_allow_javascript" not in given, f"{path.name}:{call.lineno}: use dashboard.ui.scripts"


def _installed() -> list[tuple[str, set[str]]]:
    from streamlit.runtime import Runtime
    from streamlit.web import bootstrap
    from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

    from dashboard.server import app

    bootstrap.load_config_options(
        configuration.options(**{"server.enableStaticServing": True, "server.scriptHealthCheckEnabled": True})
    )
    made = None if Runtime.exists() else app._create_runtime()
    try:
        routes = create_streamlit_routes(made or Runtime.instance())
    finally:
        bootstrap.load_config_options(configuration.options())
        if made is not None:
            Runtime._instance = None
    return [(one.path, getattr(one, "methods", None) or set()) for one in routes if not isinstance(one, Mount)]


def test_every_address_of_the_installed_streamlit_is_decided() -> None:
    decided = {one.template: one for one in STREAMLIT}
    found = _installed()
    assert {path for path, _ in found} <= set(decided)
    missing = {path for path in decided if decided[path].door not in (Door.PROGRAM,)} - {path for path, _ in found}
    assert not missing, f"Streamlit has these no longer: {missing}"


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/", Door.PROGRAM), ("/home", Door.PROGRAM), ("/caseload", Door.PROGRAM), ("/caseload/", Door.PROGRAM),
        ("/static/js/index.js", Door.PROGRAM), ("/healthz", Door.OPEN), ("/download/abc", Door.OWN),
        ("/_stcore/stream", Door.STREAM), ("/_stcore/upload_file/s/f", Door.IMPORTERS),
        ("/media/abc.pdf", Door.CLOSED), ("/_stcore/metrics", Door.CLOSED), ("/_stcore/agent/mcp", Door.CLOSED),
        ("/component/a/b", Door.CLOSED), ("/app/static/x", Door.CLOSED),
    ],
)  # fmt: skip
def test_an_address_leads_through_its_door(path: str, door: Door) -> None:
    found = Doors(tuple(way.address for way in WAYS)).of(path)
    assert found is not None
    assert found.door is door


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/_stcore/agent/other", "/_stcore/", "/_stcore/new", "//caseload", "/caseload/more", "/index.html",
     "/download/a/b", "/_stcore/upload_file/s", "/caseload\n", "/healthz\n", "/.git/config"],
)  # fmt: skip
def test_what_nobody_decided_on_is_closed(path: str) -> None:
    assert Doors(tuple(way.address for way in WAYS)).of(path) is None


def test_every_page_has_its_address() -> None:
    assert {one.template for one in PAGES} >= {"/", "/caseload", "/episode", "/people"}
