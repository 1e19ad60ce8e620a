"""Messages that no page offers: a client may send any value for a widget that it was shown. Nothing of others comes of it.

Every widget of every page that takes a choice, a list or a component's data is sent other people's ids, one at a time, together
with a press on every button of the page: what is written then is one's own, and what is shown names nobody else's client.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.settings import Settings
from dashboard.snapshot.files import Files
from queries.engine import open_engine
from tests.permissions.browsing import everything, forged, opened, session_of, visit, widgets
from tests.permissions.conftest import Trying
from tests.permissions.policy import pages as policy
from tests.permissions.policy import seen_by
from tests.permissions.test_addresses import trouble
from tests.permissions.world import PEOPLE, Own, read, without_evaluating

# page, and the address of one's own (or, for the director's meeting, of one that they may only read)
PLACES: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "clinician": (
        ("episode", {"episode": "episode"}), ("enter", {"episode": "by_hand"}), ("enter", {"new": "=episode"}),
        ("meeting", {"meeting": "meeting"}), ("snapshots", {}), ("caseload", {}), ("outcomes", {}), ("data_quality", {}),
    ),
    "supervisor": (
        ("caseload", {}), ("meeting", {}), ("meeting", {"meeting": "meeting"}), ("outcomes", {}),
        ("meeting", {"meeting": "meeting", "step": "=close"}), ("alliance", {}), ("retention", {}), ("snapshots", {}),
    ),
    "director": (("people", {}), ("snapshots", {}), ("meeting", {}), ("data_quality", {}), ("enter", {"new": "=episode"})),
    "admin": (("people", {}), ("data_quality", {}), ("about_signals", {})),
}  # fmt: skip
THEIRS = {"clinician": "colleague", "supervisor": "ended", "director": "other", "admin": "other"}
FROM = {"supervisor": "now"}  # whose things are at the address, where not one's own


@pytest.fixture(scope="module")
def browsed(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trying]:
    """A world in use by the app, in which something may be left behind."""
    path = tmp_path_factory.mktemp("forged") / "forged.sqlite"
    shutil.copy(world_file, path)
    engine = open_engine(f"sqlite:///{path}")
    runtime.configure(Settings(db=f"sqlite:///{path}", timezone="UTC"), engine)
    watch = sqlite3.connect(path)
    with without_evaluating(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashboard.snapshots.every_file", lambda *_, **__: Files({"html": b"x"}))
        yield Trying(read(engine), path, world_file, watch)
    watch.close()
    engine.dispose()
    runtime.forget()


def ids_of(own: Own) -> list[str]:
    """What names somebody's things in a widget: opaque and internal ids, as a client might guess or have seen them."""
    return [own.clinician, f"episode:{own.episode}", own.snapshot, own.username, str(own.clinician_id), own.source_id]


def of_theirs(browsed: Trying, username: str, owner: str) -> tuple[list[Any], int]:
    """Rows in which one of somebody's opaque ids stands, and how often it is on record that the sender touched their things."""
    own = browsed.world.own[owner]
    opaque = {own.clinician, own.episode, own.by_hand, own.ended, own.meeting, own.closed, own.blank, own.snapshot}
    rows = [
        (table, row)
        for table, listed in browsed.content().items()
        for row in listed
        if table not in ("user_session", "audit") and opaque & {cell for cell in row if isinstance(cell, str) and cell}
    ]
    practice = 2 if owner == "other" else 1
    noted = browsed.watch.execute(
        "SELECT count(*) FROM audit WHERE practice_id = ? AND username = ? AND clinician_id = ? AND action NOT LIKE 'refuse%'",
        (practice, username, own.clinician_id),
    ).fetchone()
    return rows, int(noted[0])


def pressed(app: AppTest) -> dict[str, Any]:
    """Every button of the page at once, but the one that leaves."""
    return {one.proto.id: True for one in app.get("button") if one.label != "Sign out" and not one.disabled}


@pytest.mark.parametrize("username", PLACES)
def test_no_value_that_a_page_did_not_offer_reaches_somebody_elses_thing(browsed: Trying, username: str) -> None:
    world, (role, own, _) = browsed.world, PEOPLE[username]
    mine, theirs = world.own[FROM.get(username, own or "clinician")], THEIRS[username]
    assert theirs not in seen_by(role.value, own)
    before = of_theirs(browsed, username, theirs)
    app, wrong, tried = opened(session_of(username)), [], 0
    for page, parameters in PLACES[username]:
        address = {k: v[1:] if v[0] == "=" else str(getattr(mine, v)) for k, v in parameters.items()}
        visit(app, page, **address)
        there = dict(app.query_params)
        for number, (widget_id, kind) in enumerate(sorted(widgets(app).items())):
            if widget_id not in widgets(app) or dict(app.query_params) != there:
                visit(app, page, **address)  # what was sent before has led elsewhere
            value = ids_of(world.own[theirs])[number % 6]
            sent: Any = (
                [value] if kind == "list" else {"draft": {"text": value, "base": 0}} if kind == "data" else value
            )
            forged(app, **{**pressed(app), widget_id: sent})
            tried += 1
            where = f"{page} {parameters}, {kind} {widget_id[:60]}"
            wrong += trouble(everything(app), username, where)
    assert tried > 3, "there is something to forge"
    rows, noted = of_theirs(browsed, username, theirs)
    gone = [one for one in before[0] if one not in rows]  # a new row may say an id that somebody typed as a text
    if gone or noted != before[1]:
        wrong.append(f"{username} changed something of {theirs}: {gone}")
    browsed.restore()
    assert not wrong, "\n".join(wrong)


def test_who_may_not_open_a_page_presses_nothing_on_it(browsed: Trying) -> None:
    app = opened(session_of("admin"))
    for name, roles in policy().items():
        if not roles["admin"]:
            assert not pressed(visit(app, name)), name
