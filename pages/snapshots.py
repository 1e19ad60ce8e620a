"""Snapshots: what was put on paper, of whom, and is it still the same?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from dashboard import runtime
from dashboard.access import Viewer, can_delete_snapshot, scope_for
from dashboard.downloads import link, snapshot_kind
from dashboard.errors import SupervisionError
from dashboard.snapshot.compare import Difference, differences
from dashboard.snapshot.content import AUDIENCE_WORDS, Audience, read_content
from dashboard.snapshot.files import SHOWN
from dashboard.snapshots import LONGEST_REASON, delete
from dashboard.ui.frame import current_viewer
from dashboard.ui.opened import note_page, note_snapshot
from dashboard.ui.page_snapshots import practice_snapshot
from dashboard.ui.say import refused
from dashboard.ui.show import show, show_blocks
from dashboard.ui.view import Block, Cell, Heading, Para, Slot, Table, View
from dashboard.ui.words import MISSING, day, plural
from pages import BY_NAME
from queries import snapshots as stored
from queries.engine import reading
from queries.frames import read_frame

PAGE = BY_NAME["snapshots"]
SHOWN_AT_ONCE = 25  # each one's bytes are checked against their hash whenever the page is drawn
KINDS = {
    "meeting": "Meeting",
    "episode": "Episode",
    "caseload": "Caseload",
    "patterns": "Patterns",
    "practice": "Practice summary",
}


@dataclass(frozen=True)
class Row:
    """A stored snapshot: what was written down about it, and its files."""

    record: dict[str, Any]
    files: tuple[stored.StoredFile, ...]

    @property
    def is_deleted(self) -> bool:
        """Whether its files are gone."""
        return self.record["deleted_at"] is not None

    @property
    def state(self) -> str:
        """Whether what is stored is what was stored."""
        if self.is_deleted:
            return "deleted"
        return "unchanged" if all(one.is_intact for one in self.files) else "changed since"


def load(connection: Connection, viewer: Viewer, count: int) -> tuple[list[Row], int]:
    """The newest snapshots in the viewer's scope with their files, and how many there are in all."""
    scope = scope_for(viewer)
    rows = read_frame(connection, stored.listed(scope, limit=count)).to_dicts()
    total = int(read_frame(connection, stored.counted(scope))["snapshots"][0])
    return [Row(row, tuple(stored.files(connection, scope, row["public_id"]))) for row in rows], total


def build(rows: Sequence[Row], total: int, href: Callable[[str, str], str]) -> View:
    """The list; ``href`` gives the address of a file."""
    blocks: list[Block] = [Slot("make")]
    if not rows:
        blocks.append(
            Para(
                "No snapshot has been made yet of episodes you may see. Make one on an episode's page or on a caseload."
            )
        )
        return View(PAGE.title, PAGE.question, "", None, blocks)
    columns = ("What", "Data as of", "Audience", "Made", *SHOWN.values(), "State")
    blocks.append(
        Table(
            "Stored snapshots, newest first",
            columns,
            [_row(row, href) for row in rows],
            note="State: whether each file's bytes still match the hash written down when it was made. "
            + (f"{plural(total - len(rows), 'older one')} not shown. " if total > len(rows) else "")
            + "A snapshot never changes; make a new one for newer data.",
        )
    )
    blocks += [Slot("compare"), Slot("delete")]
    return View(PAGE.title, PAGE.question, "You are seeing: snapshots of episodes in your scope", None, blocks)


def _row(row: Row, href: Callable[[str, str], str]) -> list[str | Cell]:
    one = row.record
    kept = {file.format for file in row.files if file.data is not None}
    files = [Cell("Download", href=href(one["public_id"], form)) if form in kept else Cell(MISSING) for form in SHOWN]
    what = Cell(
        one["title"], sub=KINDS[one["kind"]] + (f", meeting {day(one['meeting_on'])}" if one["meeting_on"] else "")
    )
    made = Cell(one["made_by"], sub=f"{day(one['made_at'].date())} {one['made_at']:%H:%M}")
    state: str | Cell = Cell(row.state, sub=one["content_hash"][:12])
    if row.is_deleted:
        state = Cell(
            f"deleted by {one['deleted_by']} on {day(one['deleted_at'].date())}",
            sub=f"{one['deleted_reason']} · {one['content_hash'][:12]}",
        )
    elif row.state != "unchanged":
        state = Cell("changed since it was made", sub="tell your clinical director; downloads are refused")
    return [what, day(one["as_of"]), AUDIENCE_WORDS[Audience(one["audience"])], made, *files, state]


def comparison(earlier: Row, later: Row) -> list[Block]:
    """What differs between two of them, as blocks."""
    before, after = _content(earlier), _content(later)
    if before is None or after is None:
        return [Para("One of the two is no longer as it was stored, so they cannot be compared.")]
    found: list[Difference] = differences(before, after)
    if not found:
        return [Para("The two say the same of every episode on their lists.")]
    first, second = (day(row.record["as_of"]) for row in (earlier, later))
    rows = [[one.what, one.kind, one.before, one.after] for one in found]
    return [Table("What differs", ("Episode", "What", f"As of {first}", f"As of {second}"), rows)]


def _content(row: Row) -> dict[str, Any] | None:
    file = next((one for one in row.files if one.format == stored.CONTENT), None)
    if file is None or file.data is None or not file.is_intact:
        return None
    try:
        return read_content(file.data)
    except ValueError:
        return None


def _label(row: Row) -> str:
    one = row.record
    return f"{one['title']}, as of {day(one['as_of'])}, made {day(one['made_at'].date())} {one['made_at']:%H:%M}"


def _note(viewer: Viewer, public_ids: Sequence[str]) -> None:
    """Whose episodes are on screen, where they are not the viewer's own."""
    for one in public_ids:
        with reading(runtime.engine()) as connection:
            about = stored.clinicians_in(connection, scope_for(viewer), one)
        note_snapshot(one, [person for person in about if person != viewer.clinician_id])


def _compare(viewer: Viewer, rows: Sequence[Row]) -> None:
    kept = {row.record["public_id"]: row for row in rows if not row.is_deleted}
    if len(kept) < 2:
        return
    show_blocks([Heading("Compare two")])
    ids = list(kept)
    left, right = st.columns(2)
    with left:
        first = st.selectbox("Earlier", ids, index=1, format_func=lambda one: _label(kept[one]), key="compare-earlier")
    with right:
        second = st.selectbox("Later", ids, index=0, format_func=lambda one: _label(kept[one]), key="compare-later")
    if first is not None and second is not None:
        _note(viewer, (first, second))
        show_blocks(comparison(kept[first], kept[second]))


def _delete(viewer: Viewer, rows: Sequence[Row]) -> None:
    kept = {row.record["public_id"]: row for row in rows if not row.is_deleted}
    if not kept:
        return
    with st.expander("Delete a snapshot"), st.form("delete-snapshot", border=False, clear_on_submit=True):
        chosen = st.selectbox("Snapshot", list(kept), format_func=lambda one: _label(kept[one]), index=None)
        reason = st.text_input("Why (stays in its place)", max_chars=LONGEST_REASON)
        sent = st.form_submit_button("Delete its files for good")
    if not sent:
        return
    try:
        if chosen is None:
            raise SupervisionError("Choose the snapshot to delete.")
        delete(runtime.engine(), viewer, chosen, reason=reason or "", now=runtime.settings().now())
    except SupervisionError as error:
        refused(error)
        return
    st.toast("Deleted. What it was, who deleted it and why stay on the list.")
    st.rerun()


def render() -> None:
    """Reads the viewer's snapshots and shows them; a director also makes a practice summary and deletes."""
    viewer = current_viewer()
    now = runtime.settings().now()
    count = st.session_state.get("snapshots-shown", SHOWN_AT_ONCE)
    with reading(runtime.engine()) as connection:
        rows, total = load(connection, viewer, count)
    note_page("snapshots", None)
    slots: dict[str, Callable[[], None]] = {"compare": lambda: _compare(viewer, rows)}
    if can_delete_snapshot(viewer.role):
        slots["delete"] = lambda: _delete(viewer, rows)
    if scope_for(viewer).clinician_ids is None:
        slots["make"] = lambda: practice_snapshot(viewer)
    show(build(rows, total, lambda public_id, form: link(viewer, snapshot_kind(public_id, form), now)), slots)
    if total > len(rows) and st.button("Show older ones"):
        st.session_state["snapshots-shown"] = count + SHOWN_AT_ONCE
        st.rerun()


if __name__ == "__main__":
    render()
