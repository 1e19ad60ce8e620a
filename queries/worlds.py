"""Which versions of rows a day is read from: an import that was undone later still counted in between.

What stands in the tables is as if an undone import had never been. What had been known of its rows before the undoing is kept as
versions with the undo's id. An evaluation of a day from the import to the day before its undoing reads those in place of
whatever stands of the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from queries.tables import Evaluation, Import


def undone_on(connection: Connection, practice_id: int, as_of: date) -> tuple[int, ...]:
    """The undoings, by id, of imports that counted on a day and were undone later; hardly ever any."""
    undoing, undone = aliased(Import), aliased(Import)
    found = connection.execute(
        select(undoing.id)
        .join(undone, undone.id == undoing.undoes_id)
        .where(
            undoing.practice_id == practice_id,
            undoing.kind == "undo",
            undone.imported_on <= as_of,
            undoing.imported_on > as_of,
        )
        .order_by(undoing.id)
    )
    return tuple(int(one) for one in found.scalars())


def standing_on(current: Any, versions: Any, undone: Sequence[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Which current rows and which versions a day is read from, given the undoings of ``undone_on`` that day."""
    stands = versions.undo_id.is_(None)
    if not undone:
        return true(), stands
    other = aliased(versions)
    kept = select(other.id).where(other.undo_id.in_(list(undone)))
    # of a row that two undoings changed, the earlier one kept what had been said before both
    earlier = aliased(versions)
    first_kept = ~exists().where(
        earlier.id == versions.id, earlier.undo_id.in_(list(undone)), earlier.undo_id < versions.undo_id
    )
    return current.id.not_in(kept), or_(
        and_(stands, versions.id.not_in(kept)), and_(versions.undo_id.in_(list(undone)), first_kept)
    )


def told_by_evaluation(versions: Any) -> ColumnElement[bool]:
    """Versions from which an attribute is read as it was known on the day of the statement's Evaluation."""
    undoing, undone = aliased(Import), aliased(Import)
    counted = (
        select(undoing.id)
        .join(undone, undone.id == undoing.undoes_id)
        .where(
            undoing.id == versions.undo_id,
            undone.imported_on <= Evaluation.as_of,
            undoing.imported_on > Evaluation.as_of,
        )
        .correlate(versions, Evaluation)
        .exists()
    )
    return or_(versions.undo_id.is_(None), counted)


def known_then(versions: Any, value: Any, key: Any, *beside: Any) -> Any:
    """A value of the version that was in force on the day of the statement's Evaluation; null where what stands today was."""
    return (
        select(value)
        .where(
            versions.id == key,
            told_by_evaluation(versions),
            versions.superseded_on > Evaluation.as_of,
            func.coalesce(versions.known_from, Evaluation.as_of) <= Evaluation.as_of,
        )
        .order_by(versions.undo_id.is_(None), versions.superseded_on)
        .limit(1)
        .correlate(Evaluation, *beside)
        .scalar_subquery()
    )
