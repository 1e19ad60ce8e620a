"""Data quality: how far can I trust what I see?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Any

import polars as pl
from sqlalchemy import Connection

from dashboard import runtime
from dashboard.access import Role, Scope, Viewer, can_import, counting_scope, scope_for
from dashboard.charts.completeness import completeness_by_month
from dashboard.counting import Counts, counts
from dashboard.downloads import link
from dashboard.ui.assistant import asked_for, assistant
from dashboard.ui.frame import current_viewer
from dashboard.ui.keeping_blocks import keeping_blocks
from dashboard.ui.opened import note_page
from dashboard.ui.reading import Standing, standing
from dashboard.ui.show import show, theme
from dashboard.ui.undo_block import undo_block
from dashboard.ui.upload_form import upload_form
from dashboard.ui.view import Block, Cell, Download, Facts, Figure, Fold, Heading, Lead, Notice, Para, Slot, Table, View
from dashboard.ui.words import MISSING, day, plural, share
from pages import BY_NAME
from queries import quality
from queries.acting import within
from queries.engine import reading
from queries.frames import read_frame

PAGE = BY_NAME["data_quality"]
MONTHS = 12  # months shown
IMPORTS = 5  # imports listed
DID = ("new", "changed", "taken_back")


@dataclass(frozen=True)
class Data:
    """Counts of the practice, of the viewer's own scope where that is less, and what was loaded."""

    now: Standing
    practice: Counts
    own: Counts | None
    own_words: str
    lacking: pl.DataFrame
    imports: list[dict[str, Any]]
    set_aside: pl.DataFrame


def load(connection: Connection, viewer: Viewer, scope: Scope, today: date) -> Data:
    """Reads the page. Counts are of the whole practice; rows are of the viewer's scope only."""
    since = (today.replace(day=1) - timedelta(days=31 * (MONTHS - 1))).replace(day=1)
    everyone = counting_scope(viewer)
    own = None if scope.clinician_ids is None or scope.is_empty else counts(connection, scope, since)
    words = "your episodes" if viewer.role is Role.CLINICIAN else "your own and your supervisees' episodes"
    with within(connection, everyone):
        practice = counts(connection, everyone, since)
        set_aside = read_frame(connection, quality.set_aside_count(scope))
    return Data(
        now=standing(connection, scope),
        practice=practice,
        own=own,
        own_words=words,
        lacking=read_frame(connection, quality.without_baseline(scope)),
        imports=read_frame(connection, quality.imports(scope, IMPORTS)).to_dicts(),
        set_aside=set_aside,
    )


def _did(counted: dict[str, dict[str, int]]) -> str:
    parts = []
    for table, count in counted.items():
        words = [f"{count[kind]:,} {kind.replace('_', ' ')}" for kind in DID if count.get(kind)]
        if words:
            parts.append(f"{table}: {', '.join(words)}")
    return "; ".join(parts) or "nothing new"


def _told(row: dict[str, Any]) -> str | Cell:
    """What an import did, and whether it still counts."""
    did = _did(json.loads(row["counts"]))
    if row["kind"] == "undo":
        return Cell(f"undid number {row['undoes_id']}", sub=did)
    return did if row["undone_by"] is None else Cell(did, sub=f"undone by number {row['undone_by']}")


def _imports(rows: list[dict[str, Any]]) -> Table:
    made: list[list[str | Cell]] = []
    for row in rows:
        files = json.loads(row["files"])
        made.append(
            [
                Cell(day(row["imported_at"].date()), sub=f"{row['imported_at']:%H:%M}, number {row['id']}"),
                row["username"] or "command line",
                Cell(row["source"], sub=", ".join(PurePosixPath(str(name)).name for name in files)),
                _told(row),
                str(row["set_aside"]),
            ]
        )
    columns = ("When", "By", "Source and files", "What it did", "Set aside")
    return Table("The last imports", columns, made, numeric=frozenset({4}))


def _intake(numbers: dict[str, int | float | None]) -> list[Block]:
    episodes, seen = int(numbers["episodes"] or 0), int(numbers["seen"] or 0)
    median, most = numbers["median_days"], numbers["ninth_in_ten_days"]
    waited = int(numbers["waited"] or 0)
    return [
        Heading("Intake", f"Episodes opened in the last {MONTHS} months, whole practice"),
        Facts(
            [
                ("Opened", plural(episodes, "episode")),
                ("With a referral date", share(int(numbers["referred"] or 0), episodes)),
                ("Seen at least once", share(seen, episodes)),
                ("Never seen", share(int(numbers["never_seen"] or 0), episodes)),
                (
                    "Referral to first session",
                    MISSING
                    if median is None
                    else f"half within {median:.0f} days, nine in ten within {most:.0f} (n = {waited})",
                ),
            ]
        ),
    ]


def build(viewer: Viewer, data: Data, *, today: date, chart_theme: str, download: str | None) -> View:
    """Completeness, intake, what lacks a baseline, the last imports and what was set aside; ``download`` is a link."""
    as_of = data.now.as_of or today
    held = int(data.set_aside["rows"].sum()) if data.set_aside.height else 0
    blocks: list[Block] = []
    if stale := data.now.stale(today):
        blocks.append(Notice(stale))
    empty = data.practice.months.is_empty()
    if empty and not data.imports:
        blocks.append(
            Lead(
                "Nothing is loaded yet.",
                "Files are read all or nothing; what breaks a rule is set aside with its reason.",
            )
        )
    elif empty:
        blocks.append(Lead(f"No session was recorded in the last {MONTHS} months."))
    if not empty:
        if data.own is not None and data.own.months.height:
            own = completeness_by_month(
                data.own.months, whose=data.own_words.capitalize(), as_of=as_of, theme=chart_theme
            )
            blocks.append(Figure(own))
            whole = completeness_by_month(data.practice.months, whose="Whole practice", as_of=as_of, theme=chart_theme)
            numbers = Table(
                "Whole practice by month", whole.numbers.columns, whole.numbers.rows, numeric=frozenset({1, 2, 3})
            )
            blocks.append(Fold("The whole practice, for comparison", [numbers]))
        else:
            blocks.append(
                Figure(
                    completeness_by_month(data.practice.months, whose="Whole practice", as_of=as_of, theme=chart_theme)
                )
            )
        blocks += _intake(data.practice.intake)
    if viewer.role is not Role.ADMIN and not empty:
        blocks.append(Heading("Open episodes without any score", "There is no baseline to compare with later."))
        blocks += _lacking(data.lacking)
    if viewer.role in (Role.DIRECTOR, Role.ADMIN):
        blocks.append(Heading("Imports"))
        blocks.append(_imports(data.imports) if data.imports else Para("No import yet."))
        blocks.append(Slot("undo"))
    elif data.now.imported_on:
        blocks.append(Para(f"Data was last imported on {day(data.now.imported_on)}.", quiet=True))
    blocks += _set_aside(viewer, data.set_aside, held, download)
    blocks.append(Slot("upload"))
    return View(PAGE.title, PAGE.question, _scope_words(viewer, data), data.now.as_of, blocks)


def _scope_words(viewer: Viewer, data: Data) -> str:
    if viewer.role is Role.ADMIN:
        return "You are seeing: counts of the whole practice, no client data"
    return f"You are seeing: counts of the whole practice, rows of {_whose(viewer)} · {data.now.line}"


def _whose(viewer: Viewer) -> str:
    return {
        Role.DIRECTOR: scope_for(viewer).reason if viewer.gives_reasons else "every episode",
        Role.SUPERVISOR: "your own and your supervisees' episodes",
        Role.CLINICIAN: "your episodes",
    }.get(viewer.role, "no episode")


def _lacking(frame: pl.DataFrame) -> list[Block]:
    if frame.is_empty():
        return [Para("Every open episode with a session has a score.")]
    rows: list[list[str | Cell]] = [
        [
            Cell(row["client_code"], href=f"episode?episode={row['public_id']}"),
            str(row["display_name"] or row["source_id"]),
            day(row["opened_on"]),
            str(row["sessions"]),
        ]
        for row in frame.sort(["opened_on", "client_code"]).to_dicts()
    ]
    columns = ("Episode", "Clinician", "Opened", "Sessions so far")
    table = Table("Open episodes without any score, oldest first", columns, rows, numeric=frozenset({3}))
    return [Fold(f"Show {plural(len(rows), 'episode')}", [table])]


def _set_aside(viewer: Viewer, frame: pl.DataFrame, held: int, download: str | None) -> list[Block]:
    if not held:
        return []
    blocks: list[Block] = [
        Heading("Set aside", "Rows and values that broke a rule, kept with their reasons and left out of every number.")
    ]
    if viewer.role not in (Role.DIRECTOR, Role.ADMIN):
        return [*blocks, Para(f"{plural(held, 'row')} could not be read and {'is' if held == 1 else 'are'} left out.")]
    rows = [
        [Cell(PurePosixPath(r["file"]).name), r["column"], str(r["rows"])]
        for r in frame.sort(["rows", "file", "column"], descending=[True, False, False]).to_dicts()
    ]
    blocks.append(
        Table("What was set aside, by file and column", ("File", "Column", "Rows"), rows, numeric=frozenset({2}))
    )
    if download:
        masked = " (values withheld)" if viewer.role is Role.ADMIN else ""
        blocks.append(Download(f"Download the {plural(held, 'row')} with reasons as CSV{masked}", download))
    return blocks


def render() -> None:
    """Reads counts and rows for this viewer and shows them; directors and administrators may load files."""
    viewer = current_viewer()
    settings = runtime.settings()
    if asked_for() and can_import(viewer.role):
        assistant(viewer)
        return
    with reading(runtime.engine()) as connection:
        data = load(connection, viewer, scope_for(viewer), settings.today())
    note_page("data quality", None)
    may = can_import(viewer.role)
    address = link(viewer, "set_aside", settings.now()) if may else None
    view = build(viewer, data, today=settings.today(), chart_theme=theme(), download=address)
    standing_ones = [
        (row["id"], row["imported_at"]) for row in data.imports if row["kind"] != "undo" and row["undone_by"] is None
    ]
    slots = {"undo": lambda: undo_block(viewer, standing_ones), "upload": lambda: upload_form(viewer)}
    show(view, slots if may else {})
    keeping_blocks(viewer)


if __name__ == "__main__":
    render()
