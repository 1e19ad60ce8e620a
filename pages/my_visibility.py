"""My visibility: who has looked at my caseload, and what do they see?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import streamlit as st
from sqlalchemy import Connection

from dashboard import runtime
from dashboard.access import Role, Scope, Viewer, narrowed, scope_for
from dashboard.downloads import link
from dashboard.errors import NotAllowed
from dashboard.looking import says_purpose
from dashboard.reach import staff_scope
from dashboard.seeing import DIRECTOR, SUPERVISOR, Group, Row, groups, supervisors_of, what_they_see
from dashboard.ui.frame import current_viewer
from dashboard.ui.look_words import KIND_WORDS
from dashboard.ui.purpose import change_purpose
from dashboard.ui.show import show, show_blocks
from dashboard.ui.view import Block, Download, Fold, Heading, Para, Slot, View
from dashboard.ui.visibility_blocks import (
    LOG_NOTE,
    WHOLE_NOTE,
    acts_table,
    counts_table,
    heading_of_preview,
    lead,
    looks_table,
    seen_table,
    who_they_are,
)
from dashboard.ui.words import day
from pages import BY_NAME
from pages import caseload as caseload_page
from queries import caseload, visibility
from queries.acting import widening
from queries.engine import reading
from queries.frames import read_frame

PAGE = BY_NAME["my_visibility"]
AT_ONCE = 25  # project default: rows of the log drawn at a time
PERIODS = {"7 days": 7, "30 days": 30, "a year": 365, "all": 0}
USUAL = "30 days"
EVERYTHING = "Everything"


@dataclass(frozen=True)
class Asking:
    """What the pickers say: since how many days (0: always), which kinds, whether one's own acts too, how many rows."""

    days: int = PERIODS[USUAL]
    kinds: tuple[str, ...] = visibility.KINDS
    own_too: bool = False
    count: int = AT_ONCE

    def since(self, today: date) -> datetime | None:
        """The beginning of the period; null: always."""
        return datetime(today.year, today.month, today.day) - timedelta(days=self.days) if self.days else None

    @property
    def words(self) -> str:
        """The period within a sentence."""
        return (
            "so far" if not self.days else "in the last year" if self.days == 365 else f"in the last {self.days} days"
        )


@dataclass(frozen=True)
class Mine:
    """What the page reads for somebody with a caseload of their own."""

    looks: list[dict[str, Any]]
    counted: pl.DataFrame
    above: list[dict[str, Any]]
    them: list[Group]
    seen: list[Row]


def own_scope(viewer: Viewer) -> Scope | None:
    """The viewer's own rows and nobody else's; null for somebody without a caseload of their own, or an administrator."""
    if viewer.clinician_id is None:
        return None
    try:
        return narrowed(scope_for(viewer), viewer.clinician_id)
    except NotAllowed:
        return None


def load(connection: Connection, viewer: Viewer, scope: Scope, asked: Asking, first_days: int, today: date) -> Mine:
    """Reads who looked and what others see, of the viewer's own rows."""
    besides = None if asked.own_too else viewer.username
    since = asked.since(today)
    found = visibility.looks(scope, besides=besides, kinds=asked.kinds, since=since, limit=asked.count)
    counted = visibility.looks_counted(scope, besides=besides, kinds=asked.kinds, since=since)
    them = groups(connection, viewer, scope, today)
    assert viewer.clinician_id is not None  # noqa: S101 - own_scope gave a scope
    return Mine(
        read_frame(connection, found).to_dicts(),
        read_frame(connection, counted),
        supervisors_of(connection, scope, today),
        them,
        what_they_see(connection, them, viewer.clinician_id, first_days, today),
    )


def build(viewer: Viewer, mine: Mine, asked: Asking, *, today: date, download: str) -> View:
    """Who looked, what they see, and a preview; ``download`` is the address of the list as a file."""
    total = int(mine.counted["looks"].sum()) if mine.counted.height else 0
    blocks: list[Block] = [
        lead(mine.counted, asked.words),
        Slot("purpose"),
        Slot("choose"),
        *counts_table(mine.counted),
    ]
    if mine.looks:
        rest = f"The newest {len(mine.looks)} of {total}. " if total > len(mine.looks) else f"All {total} of them. "
        blocks += [
            Heading("Who looked", f"The newest first, {asked.words}"),
            looks_table(mine.looks, "Who looked, at what, when and why", rest + WHOLE_NOTE),
            Slot("more"),
        ]
    blocks += [
        Download("Your whole list as a CSV file", download),
        Fold("What is in this list, and what cannot be", [Para(LOG_NOTE)]),
        Heading("What they see"),
        *who_they_are(mine.them, mine.above),
        *seen_table(mine.them, mine.seen),
        Slot("preview"),
        Slot("acts"),
    ]
    said = f"You are seeing: what was done with your own episodes · as of {day(today)}"
    return View(PAGE.title, PAGE.question, said, today, blocks)


def build_without(viewer: Viewer, *, today: date) -> View:
    """For somebody without a caseload: what others can see of what they did."""
    sees = "You see no client data and have no caseload, so there is nothing of yours to look at."
    if viewer.role is not Role.ADMIN:
        sees = "You have no caseload of your own here, so nobody can have looked at it."
    said = f"You are seeing: what you did · as of {day(today)}"
    return View(PAGE.title, PAGE.question, said, today, [Para(sees), Slot("purpose"), Slot("acts")])


def _choose() -> None:
    periods, kinds = list(PERIODS), [EVERYTHING, *visibility.KINDS]
    with st.container(horizontal=True, vertical_alignment="bottom", key="visibility-choose"):
        st.segmented_control("Since", periods, default=USUAL, required=True, key="visibility-period")
        st.segmented_control(
            "What", kinds, default=EVERYTHING, required=True, key="visibility-kind",
            format_func=lambda one: KIND_WORDS.get(one, one),
        )  # fmt: skip
        st.toggle("My own acts too", key="visibility-own")


def _asking(period: str | None, kind: str | None, own: bool) -> Asking:
    chosen = visibility.KINDS if kind in (None, EVERYTHING) else (str(kind),)
    count = st.session_state.get("visibility-count", AT_ONCE)
    return Asking(PERIODS[period or USUAL], chosen, own, count)


def _kept() -> Asking:
    """What the pickers said on the last run; they are drawn after the rows are read."""
    state = st.session_state
    return _asking(state.get("visibility-period"), state.get("visibility-kind"), bool(state.get("visibility-own")))


def _more(shown: int, total: int) -> None:
    def older() -> None:
        st.session_state["visibility-count"] = shown + AT_ONCE

    if total > shown:
        number = min(AT_ONCE, total - shown)
        st.button(f"Show {number} older", on_click=older, key="visibility-more")


def _acts(viewer: Viewer, today: date) -> None:
    with reading(runtime.engine()) as connection:
        statement = visibility.acts(scope_for(viewer), viewer.username, limit=AT_ONCE)
        rows = read_frame(connection, statement).to_dicts()
    show_blocks([Heading("What others see of what you did", f"In their own lists; the newest {AT_ONCE}")])
    if rows:
        show_blocks([acts_table(rows, "What you did, and who finds it in their list")])
    else:
        show_blocks([Para(f"Nothing until {day(today)}: you have opened, exported and changed nothing of others.")])


def previewers(them: Sequence[Group]) -> dict[str, Viewer]:
    """Whose eyes one may borrow: those of supervisors and directors who sign in, by user name."""
    seeing = [one for group in them if group.label in (SUPERVISOR, DIRECTOR) for one in group.viewers]
    return {one.username: one for one in seeing}


def preview_blocks(
    connection: Connection, other: Viewer, scope: Scope, first_days: int, today: date
) -> Sequence[Block]:
    """The caseload of the one clinician of ``scope`` as ``other`` sees it: the very blocks of their page.

    Without the line about their next meeting, which may be with somebody else.
    """
    person = read_frame(connection, caseload.clinicians(scope)).to_dicts()[0]
    return caseload_page.seen_by(connection, other, person, [], first_days, today, plans=False).view.blocks


def _preview(mine: Mine, scope: Scope, first_days: int, today: date) -> None:
    eyes = {
        name: one for name, one in previewers(mine.them).items() if one.clinician_id not in (scope.clinician_ids or ())
    }
    if not eyes:
        show_blocks([Heading("Your caseload as others see it"), Para("Nobody else who signs in sees your caseload.")])
        return
    names = {name: f"{one.name} ({one.role.value})" for name, one in eyes.items()}
    chosen = st.selectbox(
        "Through whose eyes", list(names), format_func=lambda one: names[one], key="visibility-eyes", width=320
    )
    other = eyes[chosen]
    with reading(runtime.engine()) as connection:
        blocks = preview_blocks(connection, other, scope, first_days, today)
    with st.container(key="visibility-preview"):
        show_blocks([*heading_of_preview(other.name, today), *blocks])


def render() -> None:
    """Reads the viewer's own rows of the log, and asks the rules what others see."""
    viewer = current_viewer()
    with widening(staff_scope(scope_for(viewer))):  # colleagues are named
        _render(viewer)


def _render(viewer: Viewer) -> None:
    settings = runtime.settings()
    today, first_days = settings.today(), settings.clinician_first_days
    scope = own_scope(viewer)
    slots = {"purpose": lambda: change_purpose(viewer)}
    if scope is None or says_purpose(viewer.role):
        slots["acts"] = lambda: _acts(viewer, today)
    if scope is None:
        show(build_without(viewer, today=today), slots)
        return
    asked = _kept()
    with reading(runtime.engine()) as connection:
        mine = load(connection, viewer, scope, asked, first_days, today)
    total = int(mine.counted["looks"].sum()) if mine.counted.height else 0
    slots |= {
        "choose": _choose,
        "more": lambda: _more(len(mine.looks), total),
        "preview": lambda: _preview(mine, scope, first_days, today),
    }
    show(build(viewer, mine, asked, today=today, download=link(viewer, "looks", settings.now())), slots)


if __name__ == "__main__":
    render()
