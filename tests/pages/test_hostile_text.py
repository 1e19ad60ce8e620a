"""Imported text that means harm passes through every page as plain text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from queries.engine import writing

SignIn = Callable[..., AppTest]
HOSTILE = {
    "tag": '<img src=x onerror="alert(1)">',
    "script": "</span><script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)" x="',
    "apostrophe": "' onmouseover='alert(1)' x='",
    "entity": "&lt;script&gt;alert(1)&lt;/script&gt;",
    "markdown": "[x](javascript:alert(1)) **b** :red[x] $x$",
    "plotly": "<a href='javascript:alert(1)'>x</a><br>",
    "template": "{{7*7}} ${7*7} {0.__class__}",
}
LINKS = (Path(__file__).resolve().parents[2] / "dashboard" / "ui" / "links.js").read_text("utf-8")


class Trouble(HTMLParser):
    """Collects what no page of ours would write: scripts, images, handlers, foreign addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "img", "iframe", "object", "b"):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or ("alert" in (value or "") and name not in TEXT_ATTRIBUTES):
                self.found.append(f"{tag} {name}")
            if name in ("href", "src") and ":" in (value or ""):
                self.found.append(f"{tag} {name}={value}")


TEXT_ATTRIBUTES = ("aria-label", "title", "alt", "data-find", "data-code")


def trouble(html: str) -> list[str]:
    parser = Trouble()
    parser.feed(html)
    parser.close()
    return parser.found


def strings(value: object) -> list[str]:
    """Every text inside a component's data."""
    match value:
        case str():
            return [value]
        case dict():
            return [text for one in value.values() for text in strings(one)]
        case list():
            return [text for one in value for text in strings(one)]
        case _:
            return []


@pytest.mark.parametrize("text_kind", sorted(HOSTILE))
@pytest.mark.parametrize(
    ("role", "page"),
    [
        ("director", None),
        ("director", "episode"),
        ("director", "retention"),
        ("director", "alliance"),
        ("director", "data_quality"),
        ("director", "snapshots"),
        ("director", "about_signals"),
        ("admin", "people"),
        ("admin", "data_quality"),
    ],
)
def test_hostile_names_codes_and_problem_areas_are_shown_as_text(
    practice: Path, sign_in: SignIn, role: str, page: str | None, text_kind: str
) -> None:
    hostile = {"x": HOSTILE[text_kind]}
    with writing(runtime.engine()) as connection:
        for statement in (
            "UPDATE clinician SET display_name = :x",
            "UPDATE client SET client_code = :x || id",
            "UPDATE episode SET problem_area = :x",
            'INSERT INTO set_aside (id, practice_id, source, import_id, file, line, "column", value, reason, fingerprint) '
            "SELECT 99999, practice_id, :x, id, :x, 1, :x, :x, :x, 'f' FROM import LIMIT 1",
        ):
            connection.execute(text(statement), hostile)
        episode = connection.execute(
            text(
                "SELECT e.public_id FROM episode e JOIN appointment a ON a.episode_id = e.id "
                "WHERE e.closed_on IS NULL GROUP BY e.id ORDER BY count(*) DESC LIMIT 1"
            )
        ).scalar()
    app = sign_in(role, page, **({"episode": str(episode)} if page == "episode" else {}))
    assert not app.exception
    bodies = [
        element.proto.body.replace(f"<script>{LINKS}</script>", "").replace(f"<script>{LINKS.strip()}</script>", "")
        for element in app.get("html")
    ]
    for component in app.get("bidi_component"):
        bodies += strings(json.loads(component.proto.json or "null"))
    assert (
        any("alert" in body or "7*7" in body or "&#" in body or "&lt;" in body for body in bodies)
        or page == "about_signals"
    )
    assert [found for body in bodies if (found := trouble(body))] == []
    for figure in app.get("plotly_chart"):
        assert [one for one in strings(json.loads(figure.proto.spec)) if trouble_in_figure(one)] == []


def trouble_in_figure(label: str) -> bool:
    """Plotly reads a few tags in its texts; links and handlers are never ours."""
    return bool(re.search(r"<a\s|<script|javascript:", label, re.IGNORECASE))


@pytest.mark.parametrize("kind", ["tag", "script"])
def test_the_check_itself_sees_trouble(kind: str) -> None:
    assert trouble(f"<p>{HOSTILE[kind]}</p>")
    assert trouble(f'<p title="{HOSTILE["attribute"]}">x</p>')
    assert trouble("<a href='javascript:alert(1)'>x</a>")
