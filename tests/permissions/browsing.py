"""A browser without a browser: the app opened as somebody, everything that it was sent, and messages that no page offers."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from queries import sessions
from queries.engine import writing
from tests.permissions.world import OWNERS, mark, private

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"


def session_of(username: str) -> str:
    """A live session of somebody's, as after signing in."""
    session_id = secrets.token_urlsafe(16)
    with writing(runtime.engine()) as connection:
        sessions.start(connection, username, session_id, secrets.token_urlsafe(8), runtime.settings().now())
    return session_id


def opened(session_id: str | None) -> AppTest:
    """The app, open in a browser with that session."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    if session_id is not None:
        app.session_state["_session_id"] = session_id
    return app.run()


def visit(app: AppTest, page: str, **parameters: str) -> AppTest:
    """Another page, by its address."""
    app.query_params.clear()
    app.switch_page(str(APP.parents[1] / "pages" / f"{page}.py"))
    for name, value in parameters.items():
        app.query_params[name] = value
    return app._run(WidgetStates())  # a page that was just opened has sent nothing


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from _nodes(child)


def everything(app: AppTest) -> str:
    """Every byte that was sent to the browser: words, options, labels, figures, data of components."""
    parts = [node.proto.SerializeToString() for node in _nodes(app._tree) if getattr(node, "proto", None) is not None]
    return b"\n".join(parts).decode("latin-1")


def said(app: AppTest) -> str:
    """What a person reads, without what changes from look to look: the same for two addresses that are refused alike."""
    html = [str(element.proto.body) for element in app.get("html")]
    rest = [str(element.value) for kind in ("markdown", "caption", "error", "text") for element in app.get(kind)]
    return re.sub(r"/download/[\w-]+", "", "\n".join([*html, *rest]))


def named(text: str) -> set[str]:
    """Owners whose clients, or whose own goals, are named in a text."""
    low = text.lower()
    return {owner for owner in OWNERS if mark(owner) in low or private(owner) in low}


def widgets(app: AppTest) -> dict[str, str]:
    """Widgets whose value names something: id to ``text``, ``list`` or ``data`` (of a component)."""
    kinds = {
        "selectbox": "text",
        "multiselect": "list",
        "button_group": "list",
        "bidi_component": "data",
    }
    found = {}
    for name, kind in kinds.items():
        for element in app.get(name):
            if element.proto.id:
                found[element.proto.id] = kind
    return found


def forged(app: AppTest, **values: Any) -> AppTest:
    """Sends a message with widget values that the page never offered: widget id to value; true presses a button."""
    states = WidgetStates()
    for widget_id, value in values.items():
        state = WidgetState(id=widget_id)
        if value is True:
            state.trigger_value = True
        elif isinstance(value, list):
            state.string_array_value.data[:] = value
        elif isinstance(value, dict):
            state.json_value = json.dumps(value)
        else:
            state.string_value = str(value)
        states.widgets.append(state)
    return app._run(states)
