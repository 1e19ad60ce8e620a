"""A supervisor sees a supervisee's episodes on the days of the link only, whichever way they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select
from streamlit.testing.v1 import AppTest

from dashboard import downloads, runtime
from dashboard.access import scope_for
from dashboard.errors import NotAllowed
from dashboard.supervising import Room, prepare
from dashboard.viewing import check_still_so
from queries import growth, meetings, store_growth
from queries import snapshots as stored
from queries.engine import reading, writing
from queries.frames import read_frame
from queries.meeting_tables import Meeting
from queries.tables import SupervisionLink
from tests.pages.conftest import words
from tests.pages.test_closed_caseloads import codes_of, exported, now_is, people, usernames, viewer

SignIn = Callable[..., AppTest]


@dataclass(frozen=True)
class Link:
    """The supervisor's link with one supervisee; ``last`` is its last day."""

    supervisee: dict[str, Any]
    last: date

    def at(self, days: int, hour: int = 12, minute: int = 0) -> datetime:
        """A moment some days after the last day."""
        return datetime.combine(self.last + timedelta(days=days), datetime.min.time()) + timedelta(
            hours=hour, minutes=minute
        )


@pytest.fixture
def link(practice: Path) -> Link:
    """The supervisor has one supervisee with open episodes, until today."""
    boss = viewer("supervisor")
    supervisee = next(row for row in people() if row["clinician_id"] in boss.supervisee_ids and codes_of(row))
    _only(supervisee["clinician_id"], None, runtime.settings().today())
    return Link(supervisee, runtime.settings().today())


def _only(supervisee: int, first: date | None, last: date | None, known: date | None = None) -> None:
    boss = viewer("supervisor").clinician_id
    with writing(runtime.engine()) as connection:
        connection.execute(delete(SupervisionLink).where(SupervisionLink.supervisor_id == boss))
        connection.execute(
            insert(SupervisionLink).values(
                id=90_001, practice_id=1, supervisor_id=boss, supervisee_id=supervisee, from_day=first, to_day=last,
                known_from=known, import_id=None,
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "known", "sees"),
    [
        (None, None, None, True),
        (0, 0, None, True),
        (1, None, None, False),
        (None, -1, None, False),
        (-9, 9, 0, True),
        (-9, 9, 1, False),
    ],
    ids=["open ended", "today only", "from tomorrow", "until yesterday", "known today", "known tomorrow"],
)
def test_a_link_opens_its_days_as_known_today(link: Link, first: Any, last: Any, known: Any, sees: bool) -> None:
    def on(days: int | None) -> date | None:
        return None if days is None else link.last + timedelta(days=days)

    _only(link.supervisee["clinician_id"], on(first), on(last), on(known))
    assert (link.supervisee["clinician_id"] in viewer("supervisor").supervisee_ids) is sees


def test_an_export_on_the_day_after_holds_no_episode_of_theirs(link: Link) -> None:
    assert codes_of(link.supervisee) <= exported("supervisor")
    now_is(link.at(1))
    assert not codes_of(link.supervisee) & exported("supervisor")


def test_a_meeting_one_led_closes_with_the_link_also_to_who_led_it(link: Link) -> None:
    now_is(link.at(0))
    settings = runtime.settings()
    made = prepare(
        runtime.engine(), settings, viewer("supervisor"), [link.supervisee["public_id"]], held_on=link.last, minutes=60,
        kind="one_to_one", now=settings.now(),
    )  # fmt: skip
    room = Room(runtime.engine(), settings, viewer("supervisor"), made, 0)

    def shown(who: str) -> bool:
        with reading(runtime.engine()) as connection:
            return bool(read_frame(connection, meetings.meetings(viewer(who), public_id=made)).height)

    owner = next(one for one in usernames("clinician") if viewer(one).clinician_id == link.supervisee["clinician_id"])
    assert all(shown(who) for who in ("supervisor", "director", owner))
    now_is(link.at(1))
    assert [shown(who) for who in ("supervisor", "director", owner)] == [False, True, True]
    after = Room(runtime.engine(), runtime.settings(), viewer("supervisor"), made, room.seen)
    with pytest.raises(NotAllowed):
        after.put_off(link.last + timedelta(days=7))


def test_a_goal_and_a_snapshot_of_theirs_close_with_the_link(link: Link) -> None:
    now_is(link.at(0))
    owner = next(one for one in usernames("clinician") if viewer(one).clinician_id == link.supervisee["clinician_id"])
    now = runtime.settings().now()
    with writing(runtime.engine()) as connection:
        store_growth.set_goal(
            connection, viewer(owner), text="Ask", sign="outcome_at_last", value_at_start=None, n_at_start=0,
            look_again_on=link.last + timedelta(days=90), shared=True, now=now,
        )  # fmt: skip
        record = stored.Record(
            "caseload", "supervision", "Caseload", "x", link.last, None, "r", "m", "h",
            frozenset({link.supervisee["clinician_id"]}),
        )  # fmt: skip
        public = stored.store(
            connection, 1, record, {"html": ("x.html", b"x")}, username="supervisor", now=now, purpose=None
        )

    def seen() -> tuple[int, int]:
        boss = viewer("supervisor")
        with reading(runtime.engine()) as connection:
            goals = read_frame(connection, growth.goals(scope_for(boss), boss))
            papers = read_frame(connection, stored.listed(scope_for(boss), limit=9))
        return goals.height, papers.height

    address = downloads.link(viewer("supervisor"), downloads.snapshot_kind(public, "html"), link.at(0, 23, 55))
    token = address.rpartition("/")[2]
    assert seen() == (1, 1)
    assert downloads.open_link(runtime.engine(), viewer("supervisor"), token, link.at(0, 23, 58)).data == b"x"
    now_is(link.at(1, 0, 5))
    assert seen() == (0, 0)
    with pytest.raises(NotAllowed):  # the same link, still within its quarter of an hour
        downloads.open_link(runtime.engine(), viewer("supervisor"), token, link.at(1, 0, 5))


def test_a_page_left_open_over_midnight_shows_nothing_of_theirs_any_more(link: Link, sign_in: SignIn) -> None:
    now_is(link.at(0, 23, 55))
    app = sign_in("supervisor", "caseload", clinician=link.supervisee["public_id"])
    assert any(code in unescape(words(app)) for code in codes_of(link.supervisee))
    now_is(link.at(1, 0, 4))
    app.run()
    assert not [code for code in codes_of(link.supervisee) if code in unescape(words(app))]


def test_a_button_pressed_after_midnight_on_a_page_of_before_changes_nothing(link: Link, sign_in: SignIn) -> None:
    now_is(link.at(0, 23, 55))
    settings = runtime.settings()
    made = prepare(
        runtime.engine(), settings, viewer("supervisor"), [link.supervisee["public_id"]], held_on=link.last, minutes=60,
        kind="one_to_one", now=settings.now(),
    )  # fmt: skip
    app = sign_in("supervisor", "meeting", meeting=made)
    with reading(runtime.engine()) as connection:
        before = connection.execute(select(Meeting.version, Meeting.minutes)).all()
    now_is(link.at(1, 0, 4))
    next(one for one in app.button if one.label == "Propose again").click().run()
    with reading(runtime.engine()) as connection:
        assert connection.execute(select(Meeting.version, Meeting.minutes)).all() == before
    assert "a new day has begun" in words(app)
    assert not [code for code in codes_of(link.supervisee) if code in unescape(words(app))]


def test_a_day_ends_at_midnight_for_whoever_was_read_before(link: Link) -> None:
    now_is(link.at(0, 23, 55))
    boss = viewer("supervisor")
    check_still_so(boss, link.at(0, 23, 59))
    with pytest.raises(NotAllowed, match="new day"):
        check_still_so(boss, link.at(1, 0, 0))
