"""Caseloads that open only on some days or for a reason: leave cover, and directors where the practice asks them why."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import insert, select, text, update
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import Viewer, operator_scope, scope_for, screen_scope
from dashboard.entering import room_of
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.exporting import export_table
from dashboard.opened_caseloads import open_with_reason
from dashboard.replies import reply
from dashboard.safety import record_check
from dashboard.settings import Settings
from dashboard.viewing import viewer_now
from queries import audit, caseload
from queries.engine import reading, writing
from queries.frames import read_frame
from queries.opening_tables import OpenedCaseload
from queries.tables import Audit, FlagReply, Leave
from tests.pages.conftest import APP, words

SignIn = Callable[..., AppTest]
HOSTILE = "<script>alert(1)</script> | =1+1 **bold** [x](http://x)"


@dataclass(frozen=True)
class At(Settings):
    """Settings at a moment that the test chooses."""

    moment: datetime = datetime(2000, 1, 1)

    def now(self) -> datetime:
        return self.moment


def now_is(moment: datetime, **settings: Any) -> None:
    here = runtime.settings()
    runtime.configure(At(db=here.db, timezone="UTC", moment=moment, **settings), runtime.engine())


def viewer(username: str, now: datetime | None = None) -> Viewer:
    settings = runtime.settings()
    with reading(runtime.engine()) as connection:
        found = viewer_now(connection, settings, username, now or settings.now())
    assert found is not None
    return found


def people() -> list[dict[str, Any]]:
    with reading(runtime.engine()) as connection:
        return read_frame(connection, caseload.clinicians(operator_scope(1))).to_dicts()


def states(clinician_id: int) -> list[dict[str, Any]]:
    scope = operator_scope(1)
    with reading(runtime.engine()) as connection:
        found = read_frame(connection, caseload.states(scope)).filter(pl.col("clinician_id") == clinician_id)
    return found.to_dicts()


def usernames(role: str) -> list[str]:
    with reading(runtime.engine()) as connection:
        rows = connection.execute(text("SELECT username FROM app_user WHERE role = :r ORDER BY username"), {"r": role})
        return [str(row[0]) for row in rows]


def audited(action: str) -> list[Any]:
    with reading(runtime.engine()) as connection:
        return list(connection.execute(select(Audit).where(Audit.action == action).order_by(Audit.id)).mappings())


def exported_table(username: str, table: str) -> pl.DataFrame:
    made = export_table(
        runtime.engine(), runtime.settings(), table=table, username=username, as_of=None, kind="parquet", practice=None,
        now=runtime.settings().now(),
    )  # fmt: skip
    return pl.read_parquet(io.BytesIO(made))


def exported(username: str) -> set[str]:
    return set(exported_table(username, "episodes")["client_code"])


@dataclass(frozen=True)
class Cover:
    """``who`` covers for a colleague, whose caseload is open at ``link``, on the days from ``first`` to ``last``."""

    who: str
    colleague: dict[str, Any]
    first: date
    last: date

    @property
    def codes(self) -> set[str]:
        return {row["client_code"] for row in states(self.colleague["clinician_id"])}


@pytest.fixture
def cover(practice: Path) -> Cover:
    """The first clinician covers for somebody outside their scope, from yesterday to tomorrow."""
    who = usernames("clinician")[0]
    me = viewer(who)
    colleague = next(row for row in people() if row["clinician_id"] != me.clinician_id and states(row["clinician_id"]))
    today = runtime.settings().today()
    found = Cover(who, colleague, today - timedelta(days=1), today + timedelta(days=1))
    with writing(runtime.engine()) as connection:
        connection.execute(
            insert(Leave).values(
                id=90_001, practice_id=1, clinician_id=colleague["clinician_id"], from_day=found.first, to_day=found.last,
                cover_id=me.clinician_id, known_from=found.first, import_id=None,
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize(("days", "open_"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_cover_reads_from_the_first_to_the_last_day_of_the_leave(cover: Cover, days: int, open_: bool) -> None:
    now = datetime.combine(runtime.settings().today() + timedelta(days=days), datetime.min.time())
    there = viewer(cover.who, now)
    assert (cover.colleague["clinician_id"] in (screen_scope(there).clinician_ids or ())) is open_
    assert cover.colleague["clinician_id"] not in (scope_for(there).clinician_ids or ())
    assert there.until == now + timedelta(days=1)


def test_the_page_says_for_whom_somebody_covers_and_leads_there(cover: Cover, sign_in: SignIn) -> None:
    said = unescape(words(sign_in(cover.who)))
    until = f"until {cover.last.day} {cover.last:%b %Y}"
    assert f"covering for {cover.colleague['display_name']} {until}" in said
    assert f"clinician={cover.colleague['public_id']}" in said
    there = unescape(words(sign_in(cover.who, "caseload", clinician=cover.colleague["public_id"])))
    assert f"you cover for {cover.colleague['display_name']} {until}" in there
    assert any(code in there for code in cover.codes)
    looked = audited("view caseload")
    assert [(row["username"], row["clinician_id"], row["detail"]) for row in looked] == [
        (cover.who, cover.colleague["clinician_id"], f"you cover for {cover.colleague['display_name']} {until}")
    ]


def test_a_cover_opens_an_episode_with_that_reason_and_only_reads_it(cover: Cover, sign_in: SignIn) -> None:
    row = states(cover.colleague["clinician_id"])[0]
    app = sign_in(cover.who, "episode", episode=row["public_id"])
    assert row["client_code"] in unescape(words(app))
    assert "you cover for" in audited("view episode")[-1]["detail"]
    offered = {one.label for one in (*app.expander, *app.toggle, *app.button)}
    assert not [
        label for label in offered if "Answer" in label or "supervision" in label.lower() or "snapshot" in label.lower()
    ]
    with pytest.raises(NotAllowed), room_of(runtime.engine(), viewer(cover.who), row["public_id"]):
        pass


def test_a_cover_answers_no_signal(cover: Cover) -> None:
    settings = runtime.settings()
    with reading(runtime.engine()) as connection:
        flags = read_frame(connection, caseload.flags(operator_scope(1))).filter(pl.col("family") != "safety")
        whole = read_frame(connection, caseload.states(operator_scope(1)))
    flag = flags.join(whole.select("episode_id", "public_id", "clinician_id"), on="episode_id").row(0, named=True)
    with writing(runtime.engine()) as connection:
        connection.execute(update(Leave).where(Leave.id == 90_001).values(clinician_id=flag["clinician_id"]))
    assert flag["clinician_id"] in (screen_scope(viewer(cover.who)).clinician_ids or ())
    with pytest.raises(UnusableInput):
        reply(
            runtime.engine(), settings, viewer(cover.who), flag["public_id"], signal=flag["signal"], kind="answered",
            reason="x", until_day=None, now=settings.now(),
        )  # fmt: skip
    with reading(runtime.engine()) as connection:
        assert connection.execute(select(FlagReply).where(FlagReply.username == cover.who)).first() is None


def test_a_cover_records_that_a_risk_answer_was_checked(cover: Cover) -> None:
    settings = runtime.settings()
    with reading(runtime.engine()) as connection:
        waiting = read_frame(connection, caseload.waiting_safety(operator_scope(1)))
    row = waiting.row(0, named=True)
    with writing(runtime.engine()) as connection:
        connection.execute(update(Leave).where(Leave.id == 90_001).values(clinician_id=row["clinician_id"]))
    stranger = next(
        one for one in usernames("clinician") if one != cover.who and viewer(one).clinician_id != row["clinician_id"]
    )
    asked = {"checked_on": settings.today(), "note": "", "now": settings.now()}
    with pytest.raises(UnusableInput):
        record_check(runtime.engine(), settings, viewer(stranger), [row["public_id"]], **asked)
    assert record_check(runtime.engine(), settings, viewer(cover.who), [row["public_id"]], **asked) == 1


def test_what_somebody_covers_never_leaves_as_a_file(cover: Cover) -> None:
    assert not exported(cover.who) & cover.codes


def test_a_leave_without_a_cover_or_for_an_administrator_opens_nothing(cover: Cover) -> None:
    with writing(runtime.engine()) as connection:
        connection.execute(text("UPDATE app_user SET role = 'admin' WHERE username = :who"), {"who": cover.who})
    assert screen_scope(viewer(cover.who)).is_empty
    with writing(runtime.engine()) as connection:
        connection.execute(text("UPDATE app_user SET role = 'clinician' WHERE username = :who"), {"who": cover.who})
        connection.execute(update(Leave).values(cover_id=None))
    assert viewer(cover.who).covers == ()


def closed_for(username: str) -> dict[str, Any]:
    """A clinician with open episodes whose caseload a director has to open."""
    mine = scope_for(viewer(username)).clinician_ids
    assert mine is not None
    return next(row for row in people() if row["clinician_id"] not in mine and states(row["clinician_id"]))


@pytest.fixture
def asking(practice: Path) -> datetime:
    """The practice asks its director for a reason; the moment it is."""
    now = runtime.settings().now().replace(hour=10, minute=0, second=0, microsecond=0)
    now_is(now, director_opens_with_reason=True)
    return now


def codes_of(person: dict[str, Any]) -> set[str]:
    return {row["client_code"] for row in states(person["clinician_id"])}


def test_without_the_setting_a_director_reads_every_caseload(practice: Path, sign_in: SignIn) -> None:
    assert scope_for(viewer("director")).clinician_ids is None
    other = next(row for row in people() if row["clinician_id"] != viewer("director").clinician_id and codes_of(row))
    said = unescape(words(sign_in("director", "caseload", clinician=other["public_id"])))
    assert any(code in said for code in codes_of(other))


def test_a_director_who_gives_reasons_sees_counts_of_all_and_rows_of_none_but_their_own(
    asking: datetime, sign_in: SignIn
) -> None:
    person = closed_for("director")
    said = unescape(words(sign_in("director")))
    assert str(person["display_name"]) in said
    with reading(runtime.engine()) as connection:
        everyone = read_frame(connection, caseload.states(operator_scope(1)))
    assert f"all {everyone.height} open episodes of the practice" in said
    assert not [code for code in codes_of(person) if code in said]
    app = sign_in("director")
    for page in ("alliance", "retention", "outcomes", "data_quality", "enter", "meeting", "snapshots", "about_signals"):
        app.switch_page(str(APP.parents[1] / "pages" / f"{page}.py")).run()
        assert not app.exception, page
        assert not [code for code in codes_of(person) if code in unescape(words(app))], page


def test_a_closed_caseload_asks_why_and_opens_for_a_while(asking: datetime, sign_in: SignIn) -> None:
    person = closed_for("director")
    app = sign_in("director", "caseload", clinician=person["public_id"])
    app.button[-1].click().run()  # without a reason
    assert "Say why" in words(app)
    assert not [code for code in codes_of(person) if code in unescape(words(app))]
    app.text_area[0].input(HOSTILE)
    app.button[-1].click().run()
    said = unescape(words(app))
    assert any(code in said for code in codes_of(person))
    assert "opened with a reason" in said
    row = audited("view caseload with a reason")[-1]
    assert (row["username"], row["clinician_id"]) == ("director", person["clinician_id"])
    assert row["detail"].startswith("for 60 minutes: <script>")
    assert any(code in exported("director") for code in codes_of(person))


def test_the_clinician_is_told_who_opened_their_caseload_and_why(asking: datetime, sign_in: SignIn) -> None:
    theirs = scope_for(viewer("director")).clinician_ids or frozenset()
    everyone = [*usernames("clinician"), *usernames("supervisor")]
    who, mine = next((one, found) for one in everyone if (found := viewer(one).clinician_id) and found not in theirs)
    open_with_reason(runtime.engine(), runtime.settings(), viewer("director"), mine, HOSTILE, asking)
    raw = words(sign_in(who))
    assert "opened your caseload on" in raw
    assert "for 60 minutes" in raw
    assert "<script>alert(1)</script>" not in raw
    assert HOSTILE in unescape(raw)
    other = next(one for one in everyone if one != who)
    assert "opened your caseload" not in words(sign_in(other))
    now_is(asking + timedelta(days=40))
    assert "opened your caseload" not in words(sign_in(who))


def test_an_opened_caseload_closes_by_itself(asking: datetime) -> None:
    person = closed_for("director")
    open_with_reason(
        runtime.engine(), runtime.settings(), viewer("director"), person["clinician_id"], "A question", asking
    )
    end = asking + timedelta(minutes=60)
    assert viewer("director").until == end
    assert person["clinician_id"] in (scope_for(viewer("director", end - timedelta(seconds=1))).clinician_ids or ())
    assert person["clinician_id"] not in (scope_for(viewer("director", end)).clinician_ids or ())


def test_the_address_of_an_episode_of_a_closed_caseload_asks_why(asking: datetime, sign_in: SignIn) -> None:
    person = closed_for("director")
    row = states(person["clinician_id"])[0]
    app = sign_in("director", "episode", episode=row["public_id"])
    assert row["client_code"] not in unescape(words(app))
    assert any("Why do you open it?" in one.label for one in app.text_area)
    app.text_area[0].input("A complaint came in")
    app.button[-1].click().run()
    assert row["client_code"] in unescape(words(app))
    assert audited("view episode")[-1]["detail"] == "opened with a reason, for a while"


def test_what_a_director_takes_away_follows_the_same_rule(asking: datetime) -> None:
    person = closed_for("director")
    assert not exported("director") & codes_of(person)
    now = runtime.settings().now()
    with writing(runtime.engine()) as connection:
        audit.record(
            connection, at=now, practice_id=1, username="x", action="view episode", clinician_id=person["clinician_id"],
            episode_id=states(person["clinician_id"])[0]["episode_id"],
        )  # fmt: skip
    looked = exported_table("director", "audit")
    assert person["source_id"] in set(looked["clinician_id"])
    assert looked["episode_id"].null_count() == looked.height


@pytest.mark.parametrize("role", ["clinician", "supervisor", "admin"])
def test_nobody_but_a_director_opens_a_caseload_with_a_reason(asking: datetime, role: str) -> None:
    who = viewer(usernames(role)[0])
    assert not who.gives_reasons
    with pytest.raises(NotAllowed):
        open_with_reason(runtime.engine(), runtime.settings(), who, people()[-1]["clinician_id"], "I wonder", asking)
    forged = replace(who, gives_reasons=True)
    with pytest.raises(NotAllowed):  # nor by claiming to be one who gives reasons
        open_with_reason(runtime.engine(), runtime.settings(), forged, people()[-1]["clinician_id"], "I wonder", asking)
    with reading(runtime.engine()) as connection:
        assert connection.execute(select(OpenedCaseload)).first() is None


def test_a_button_of_a_page_left_open_past_the_hour_does_nothing(asking: datetime, sign_in: SignIn) -> None:
    person = closed_for("director")
    open_with_reason(
        runtime.engine(), runtime.settings(), viewer("director"), person["clinician_id"], "A question", asking
    )
    app = sign_in("director", "caseload", clinician=person["public_id"])
    assert any(code in unescape(words(app)) for code in codes_of(person))
    now_is(asking + timedelta(minutes=61), director_opens_with_reason=True, session_idle_minutes=120)
    app.run()
    assert not [code for code in codes_of(person) if code in unescape(words(app))]
