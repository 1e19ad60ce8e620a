"""My visibility: who looked at what of mine, what each of them sees, and my caseload through their eyes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import Role, Viewer, first_look, narrowed, scope_for
from dashboard.downloads import link, open_link
from dashboard.errors import NotAllowed
from dashboard.estimate_view import LEAST_IN_PRACTICE
from dashboard.exporting import concerned
from dashboard.seeing import groups, what_they_see
from dashboard.ui.look_words import detail_words, what_words, who_words, why_words
from dashboard.ui.markup import markup
from dashboard.ui.view import Caseload, Slot
from pages import caseload as caseload_page
from pages import my_visibility
from queries import audit, caseload, people, visibility
from queries.engine import reading, writing
from queries.frames import read_frame
from queries.keys import next_id
from queries.tables import Audit, Episode, SupervisionLink, User
from tests.pages.conftest import words

SignIn = Callable[..., AppTest]
LONG = 400  # days of a head start within which every signal of the invented practice falls


@dataclass(frozen=True)
class Pair:
    """A clinician with open episodes, and their only supervisor."""

    clinician: Viewer
    supervisor: Viewer
    other: Viewer


def viewer_of(username: str) -> Viewer:
    with reading(runtime.engine()) as connection:
        found = people.viewer(connection, username, runtime.settings().today())
    assert found is not None
    return found


@pytest.fixture
def pair(practice: Path) -> Pair:
    """Whoever of the clinicians has most open episodes gets the supervisor alone; another clinician beside."""
    above = viewer_of("supervisor")
    with writing(runtime.engine()) as connection:
        rows = connection.execute(
            select(User.username, User.clinician_id)
            .where(User.role == "clinician", User.clinician_id != above.clinician_id)
            .order_by(User.username)
        ).all()
        held = {
            row.username: len(
                connection.execute(
                    select(Episode.id).where(Episode.clinician_id == row.clinician_id, Episode.closed_on.is_(None))
                ).all()
            )
            for row in rows
        }
        name, other = sorted(held, key=lambda one: (-held[one], one))[:2]
        own = next(row.clinician_id for row in rows if row.username == name)
        connection.execute(delete(SupervisionLink).where(SupervisionLink.supervisee_id == own))
        connection.execute(
            insert(SupervisionLink).values(
                id=next_id(connection, SupervisionLink),
                practice_id=1,
                supervisor_id=above.clinician_id,
                supervisee_id=own,
            )
        )
        connection.execute(
            delete(SupervisionLink).where(
                SupervisionLink.supervisee_id
                == select(User.clinician_id).where(User.username == other).scalar_subquery(),
                SupervisionLink.supervisor_id == above.clinician_id,
            )
        )
    return Pair(viewer_of(name), viewer_of("supervisor"), viewer_of(other))


def note(username: str, action: str, **more: object) -> None:
    with writing(runtime.engine()) as connection:
        audit.record(
            connection, at=runtime.settings().now(), practice_id=1, username=username, action=action, **more  # type: ignore[arg-type]
        )  # fmt: skip


def an_episode_of(viewer: Viewer) -> tuple[int, str, str]:
    scope = narrowed(scope_for(viewer), viewer.clinician_id or 0)
    with reading(runtime.engine()) as connection:
        row = read_frame(connection, caseload.states(scope)).row(0, named=True)
    return row["episode_id"], row["public_id"], row["client_code"]


def listed(viewer: Viewer) -> list[tuple[str, str]]:
    scope = my_visibility.own_scope(viewer)
    assert scope is not None
    with reading(runtime.engine()) as connection:
        rows = read_frame(connection, visibility.looks(scope, besides=viewer.username)).to_dicts()
    return [(row["username"], what_words(row)) for row in rows]


def test_a_look_export_or_change_by_others_is_in_the_list_of_whom_it_concerns_only(pair: Pair, sign_in: SignIn) -> None:
    episode, public, code = an_episode_of(pair.clinician)
    before = listed(pair.other)
    start = len(listed(pair.clinician))
    sign_in("supervisor", "episode", episode=public)
    note(
        "supervisor",
        "export sessions",
        clinician_id=pair.clinician.clinician_id,
        detail="12 rows, csv",
        purpose="appraisal",
    )
    note("director", "change safety check recorded", episode_id=episode, detail="checked on 2026-11-01")
    found = listed(pair.clinician)[: len(listed(pair.clinician)) - start]
    assert [one for one in found if one[1] != "looked over the caseloads"] == [
        ("director", f"changed: safety check recorded, in the episode of {code}"),
        ("supervisor", "exported sessions"),
        ("supervisor", f"opened the episode of {code}"),
    ]
    assert listed(pair.other) == before
    page = words(sign_in(pair.clinician.username, "my_visibility"))
    assert code in page
    assert "12 rows, csv" in page
    assert "appraisal" in page
    assert "not said" in page  # the episode was opened before anything was said


def test_acts_on_everything_are_in_everybodys_list_and_say_so(pair: Pair) -> None:
    note("director", "view outcomes", purpose="practice")
    note("operator", "export backup", detail="copy.backup")
    note("operator", "import", detail="files: scores.csv")
    note("director", "view data quality")
    note("director", "change rules", detail="x: 1 to 2")  # no act on anybody's rows
    for one in (pair.clinician, pair.other):
        said = listed(one)[:4]
        assert said == [
            ("director", "opened Data quality of the whole practice"),
            ("operator", "loaded files into the practice"),
            ("operator", "copied the whole database"),
            ("director", "opened Outcomes of the whole practice"),
        ]


def test_codes_are_shown_of_ones_own_episodes_only(pair: Pair, sign_in: SignIn) -> None:
    foreign, _, code = an_episode_of(pair.other)
    note("director", "change episode handed over", clinician_id=pair.clinician.clinician_id, episode_id=foreign)
    assert listed(pair.clinician)[0] == (
        "director",
        "changed: episode handed over, in the episode that is not in this scope",
    )
    page = words(sign_in(pair.clinician.username, "my_visibility"))
    assert code not in page


def test_nobody_is_said_in_words_and_ones_own_acts_are_hidden_until_asked_for(pair: Pair, sign_in: SignIn) -> None:
    _, public, code = an_episode_of(pair.clinician)
    app = sign_in(pair.clinician.username, "episode", episode=public)
    app = sign_in(pair.clinician.username, "my_visibility")
    app.segmented_control(key="visibility-kind").set_value("refused").run()
    assert "Nobody else opened, exported or changed anything of yours in the last 30 days." in words(app)
    app.segmented_control(key="visibility-kind").set_value("opened").run()
    assert f"opened the episode of {code}" not in words(app)
    app.toggle(key="visibility-own").set_value(True).run()
    assert f"opened the episode of {code}" in words(app)


def test_a_long_list_comes_in_parts_and_counts_are_of_all(pair: Pair, sign_in: SignIn) -> None:
    with writing(runtime.engine()) as connection:
        for number in range(60):
            audit.record(
                connection, at=runtime.settings().now(), practice_id=1, username="director", action="view caseload",
                clinician_id=pair.clinician.clinician_id, purpose="supervision" if number % 2 else None,
            )  # fmt: skip
    app = sign_in(pair.clinician.username, "my_visibility")
    assert "The newest 25 of " in words(app)
    assert words(app).count(">opened the caseload<") == 25
    app.button(key="visibility-more").click().run()
    assert words(app).count(">opened the caseload<") == 50
    assert ">60<" in words(app)


def test_a_preview_shows_what_that_persons_own_page_shows(pair: Pair, sign_in: SignIn) -> None:
    runtime.configure(replace(runtime.settings(), clinician_first_days=LONG), runtime.engine())
    settings = runtime.settings()
    scope = my_visibility.own_scope(pair.clinician)
    assert scope is not None
    differs = 0
    with reading(runtime.engine()) as connection:
        person = read_frame(connection, caseload.clinicians(scope)).row(0, named=True)
        own = my_visibility.preview_blocks(connection, pair.clinician, scope, LONG, settings.today())
        for other in (pair.supervisor, viewer_of("director")):
            seen = my_visibility.preview_blocks(connection, other, scope, LONG, settings.today())
            page = caseload_page.seen_by(connection, other, person, [], LONG, settings.today(), plans=False).view
            assert list(seen) == list(page.blocks)
            differs += list(seen) != list(own)
    assert differs  # their first look is another than the clinician's own
    theirs = sign_in("supervisor", "caseload", clinician=person["public_id"])
    mine = sign_in(pair.clinician.username, "my_visibility")
    rows = [re.sub(r"\s+", " ", str(one.proto.json)) for one in theirs.get("bidi_component")]
    shown = [re.sub(r"\s+", " ", str(one.proto.json)) for one in mine.get("bidi_component")]
    assert rows
    assert rows[0] in shown
    said = words(mine)
    for block in page.blocks:
        if not isinstance(block, Caseload | Slot):
            assert markup([block]) in said
    with reading(runtime.engine()) as connection:
        noted = connection.execute(
            select(Audit.action).where(Audit.username == pair.clinician.username, Audit.action.like("view %"))
        ).all()
    assert noted == []


def test_the_table_says_what_the_rules_say(pair: Pair) -> None:
    today = runtime.settings().today()
    scope = my_visibility.own_scope(pair.clinician)
    assert scope is not None
    own = pair.clinician.clinician_id or 0
    with reading(runtime.engine()) as connection:
        them = groups(connection, pair.clinician, scope, today)
        rows = {row.kind: row.cells for row in what_they_see(connection, them, own, 9, today)}
        every = read_frame(connection, caseload.states(scope, open_only=False))
        first = first_look(pair.supervisor, 9, today)
        assert first is not None
        held = read_frame(connection, caseload.held_back(scope, first)).height
    still = every.filter(every["closed_on"].is_null()).height
    assert [group.label for group in them] == [
        "Me", "My supervisor", "Clinical director", "Administrator", "Colleagues",
    ]  # fmt: skip
    assert [one.username for one in them[1].viewers] == ["supervisor"]
    counts = f"{still} open, {every.height - still} closed"
    assert [cell.what for cell in rows["Episodes, sessions, scores"]] == [counts] * 3 + ["nothing"] * 2
    assert rows["Signals"][0].what.endswith("at once")
    assert rows["Signals"][1].why.startswith(f"{held} withheld at present: you see a signal 9 days before")
    assert rows["May write"][0].what == "enter sessions, answer signals, set and share goals"
    assert [cell.what for cell in rows["May write"][1:]] == ["nothing", "enter sessions", "nothing", "nothing"]
    assert rows["The same on paper"][1].why == f"each from {LEAST_IN_PRACTICE} closed episodes on"
    assert rows["This access log"][3].what == "by an export, without episodes"


def test_a_rule_that_changes_changes_the_table(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    today = runtime.settings().today()
    scope = my_visibility.own_scope(pair.clinician)
    assert scope is not None
    monkeypatch.setattr("dashboard.seeing.can_answer_flag", lambda viewer, _one: viewer.role is Role.DIRECTOR)
    with reading(runtime.engine()) as connection:
        them = groups(connection, pair.clinician, scope, today)
        rows = {
            row.kind: row.cells for row in what_they_see(connection, them, pair.clinician.clinician_id or 0, 0, today)
        }
    assert "answer signals" in rows["May write"][2].what
    assert "answer signals" not in rows["May write"][0].what
    assert rows["Signals"][1].what.endswith("at once")  # no head start in this practice


@pytest.mark.parametrize("username", ["admin", "director"])
def test_without_a_caseload_it_says_so_and_what_others_see_of_ones_acts(
    practice: Path, sign_in: SignIn, username: str
) -> None:
    with writing(runtime.engine()) as connection:
        connection.execute(User.__table__.update().where(User.username == username).values(clinician_id=None))
    note(username, "export audit", detail="9 rows, csv")
    app = sign_in(username, "my_visibility")
    page = words(app)
    assert "nothing of yours to look at" in page or "no caseload of your own" in page
    assert "exported audit of the whole practice" in page
    assert "everybody" in page
    if username == "director":
        app.radio(key="purpose-now").set_value("appraisal").run()
        assert app.radio(key="purpose-now").value == "appraisal"
    viewer, now = viewer_of(username), runtime.settings().now()
    with pytest.raises(NotAllowed):
        open_link(runtime.engine(), viewer, link(viewer, "looks", now).rsplit("/", 1)[1], now)


def test_the_list_leaves_as_a_file_with_an_audit_row(pair: Pair) -> None:
    _, _, foreign = an_episode_of(pair.other)
    note("director", "view caseload", clinician_id=pair.clinician.clinician_id, purpose="appraisal")
    now = runtime.settings().now()
    token = link(pair.clinician, "looks", now).rsplit("/", 1)[1]
    file = open_link(runtime.engine(), pair.clinician, token, now)
    text = file.data.decode()
    assert text.splitlines()[0] == "at,username,name,role,kind,action,client_code,purpose,detail"
    assert "view caseload,,appraisal" in text
    assert foreign not in text
    with reading(runtime.engine()) as connection:
        last = connection.execute(select(Audit.action, Audit.clinician_id).order_by(Audit.id.desc()).limit(1)).one()
    assert tuple(last) == ("export my visibility", pair.clinician.clinician_id)


def test_an_export_names_everyone_in_it_or_the_whole_practice() -> None:
    whole = scope_for(Viewer("d", Role.DIRECTOR, 1))
    some = scope_for(Viewer("s", Role.SUPERVISOR, 1, 2, frozenset({1})))
    none = scope_for(Viewer("a", Role.ADMIN, 1))
    assert [list(concerned(one, "sessions")) for one in (whole, some, none)] == [[None], [1, 2], [None]]
    assert list(concerned(some, "set_aside")) == [None]


WORDS = [
    ("view meeting", "3f2a9c0d11e2b3a4", "opened a meeting", ""),
    ("change meeting agenda minutes", "3f2a9c0d11e2b3a4 12 min", "changed: meeting agenda minutes", "12 min"),
    ("export snapshot", "made html, pdf, content 3f2a9c0d11e2b3a4f00d", "exported snapshot", "made html, pdf"),
    (
        "view caseload with a reason",
        "for 60 minutes: on call",
        "opened caseload with a reason",
        "for 60 minutes: on call",
    ),
    ("refuse export episodes", None, "was refused: export episodes", ""),
]


@pytest.mark.parametrize(("action", "detail", "what", "more"), WORDS)
def test_a_row_in_words(action: str, detail: str | None, what: str, more: str) -> None:
    row = {
        "username": "d", "name": "D. Okafor", "role": "director", "action": action, "detail": detail, "purpose": None,
        "is_episode": False, "is_whole": False, "client_code": None, "kind": "opened",
    }  # fmt: skip
    assert (what_words(row), detail_words(row)) == (what, more)
    assert who_words(row) == ("D. Okafor", "clinical director")
    assert why_words(row) == "not said"
    assert why_words(row | {"role": "clinician"}) == ""
    assert who_words(row | {"username": "operator"})[0] == "Whoever holds the database"
    assert who_words(row | {"role": None}) == ("D. Okafor", "no longer signs in")
