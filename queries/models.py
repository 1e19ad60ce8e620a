"""Fitted models of a practice: read, and replaced by what was learned anew."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from dashboard.replay.learning import Learned, Models
from queries.tables import Evaluation, FittedModel


def _read(row: Any) -> Models:
    content = row.content if isinstance(row.content, dict) else json.loads(row.content)
    return Models.from_dict(row.fitted_on, row.fingerprint, content)


def in_force(connection: Connection, practice_id: int, day: date) -> Models | None:
    """The stored models of a practice in force on a day; null before its first fit, when the published priors are."""
    row = connection.execute(
        select(FittedModel.fitted_on, FittedModel.fingerprint, FittedModel.content)
        .where(FittedModel.practice_id == practice_id, FittedModel.fitted_on <= day)
        .order_by(FittedModel.fitted_on.desc())
        .limit(1)
    ).first()
    return None if row is None else _read(row)


def kept(connection: Connection, practice_id: int) -> list[Models]:
    """The stored fits of a practice, in order of their days."""
    rows = connection.execute(
        select(FittedModel.fitted_on, FittedModel.fingerprint, FittedModel.content)
        .where(FittedModel.practice_id == practice_id)
        .order_by(FittedModel.fitted_on)
    )
    return [_read(row) for row in rows]


def cover(
    connection: Connection, practice_id: int, rules_version: str, data_import_id: int | None, as_of: date
) -> bool:
    """Whether the stored models are those of that day: learned from this data, under these rules, up to then or later."""
    same_data = (
        Evaluation.data_import_id.is_(None) if data_import_id is None else Evaluation.data_import_id == data_import_id
    )
    found = select(Evaluation.id).where(
        Evaluation.practice_id == practice_id,
        Evaluation.is_current,
        Evaluation.rules_version == rules_version,
        Evaluation.model_version.is_not(None),
        Evaluation.as_of >= as_of,
        same_data,
    )
    return connection.execute(found).first() is not None


def store(connection: Connection, practice_id: int, rules_version: str, learned: Learned) -> None:
    """Puts the fits in place of those of the same days and later; the first set needs no fit and is not stored."""
    fitted = list(learned.models[1:])
    connection.execute(delete(FittedModel).where(FittedModel.practice_id == practice_id))
    if fitted:
        connection.execute(
            insert(FittedModel),
            [
                {
                    "practice_id": practice_id,
                    "fitted_on": one.fitted_on,
                    "rules_version": rules_version,
                    "model_version": one.version,
                    "fingerprint": one.fingerprint,
                    "content": one.to_dict(),
                }
                for one in fitted
            ],
        )
