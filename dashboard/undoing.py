"""A whole import undone: what it would change, or the undoing itself, and the evaluation of what it touched."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Engine

from dashboard.access import Viewer, check_can_import, operator_scope
from dashboard.evaluation import evaluate
from dashboard.settings import Settings
from queries import audit, practices
from queries.acting import widening
from queries.engine import reading, writing
from queries.undo import UndoResult, undo_import

NAMES = {"taken_back": "taken back", "changed": "as they were before", "new": "here again"}


@dataclass(frozen=True)
class UndoReport:
    """What an undoing did, or with ``dry_run`` would do. ``import_id`` is the undone import, ``undo_id`` the undoing's own."""

    import_id: int
    undo_id: int | None
    source: str
    files: list[str]
    imported_on: date
    counts: dict[str, dict[str, int]]
    dry_run: bool
    signals: str | None = None

    @property
    def count_lines(self) -> list[str]:
        """A line per table, in counts only: for somebody who may not see client data."""
        lines = []
        for table, count in self.counts.items():
            words = [f"{count[kind]:,} {words}" for kind, words in NAMES.items() if count.get(kind)]
            if words:
                lines.append(f"{table}: {', '.join(words)}")
        return lines or ["Nothing stands otherwise: everything it said was said elsewhere too."]

    def as_json(self) -> dict[str, Any]:
        """For ``--report``."""
        return asdict(self) | {"imported_on": str(self.imported_on)}

    @property
    def summary_lines(self) -> list[str]:
        """For the terminal and the page."""
        files = ", ".join(PurePosixPath(str(one)).name for one in self.files)
        what = f"import {self.import_id} of {self.imported_on} ({self.source}{f': {files}' if files else ''})"
        first = f"Dry run: nothing was written. Undoing {what} would give:" if self.dry_run else f"Undid {what}."
        return [first, *self.count_lines, *([self.signals] if self.signals else [])]


def undo(
    engine: Engine,
    settings: Settings,
    import_id: int,
    *,
    practice: str | None = None,
    viewer: Viewer | None = None,
    dry_run: bool = False,
    now: datetime,
) -> UndoReport:
    """Undoes an import in one transaction, with an audit row, then evaluates what it touched.

    ``viewer``: who asks on a page; a command acts for whoever holds the database. Raises NotAllowed where the viewer may not
    import, UnusableInput where the import cannot be undone (nothing is written then).
    """
    if viewer is not None:
        check_can_import(viewer.role)
        practice_id = viewer.practice_id
    else:
        with reading(engine) as connection:
            practice_id = practices.find_practice(connection, practice)
    username = None if viewer is None else viewer.username
    with widening(operator_scope(practice_id)), writing(engine) as connection:
        result = undo_import(connection, practice_id, import_id, today=now.date(), now=now, username=username)
        if dry_run:
            connection.rollback()
        else:
            audit.record(
                connection, at=now, practice_id=practice_id, username=username or "operator", action="import undone",
                purpose=None if viewer is None else viewer.purpose,
                detail=f"import {import_id} of {result.imported_on}, {result.source}"[:500],
            )  # fmt: skip
    return _report(
        import_id, result, dry_run, None if dry_run else _evaluated(engine, settings, practice_id, result, now)
    )


def _evaluated(engine: Engine, settings: Settings, practice_id: int, result: UndoResult, now: datetime) -> str:
    touched = None if result.rules_touched else sorted(result.touched_episode_ids)
    return evaluate(
        engine, settings, practice_id, as_of=now.date(), now=now, touched=touched, import_before=result.import_before
    ).line


def _report(import_id: int, result: UndoResult, dry_run: bool, signals: str | None) -> UndoReport:
    return UndoReport(
        import_id,
        None if dry_run else result.import_id,
        result.source,
        result.files,
        result.imported_on,
        result.counts,
        dry_run,
        signals,
    )
