"""The numbers of a practice's signal rules: what an administrator saved stands before the settings."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime

from sqlalchemy import Connection, insert, select

from dashboard.access import Viewer, check_can_change_rules
from dashboard.settings import Rules
from queries import audit
from queries.keys import next_id
from queries.tables import PracticeRules


def in_force(connection: Connection, practice_id: int, settings: Rules) -> Rules:
    """The rules last saved for this practice; those of the settings where none were, also for numbers added since."""
    found = connection.execute(
        select(PracticeRules.rules)
        .where(PracticeRules.practice_id == practice_id)
        .order_by(PracticeRules.id.desc())
        .limit(1)
    ).scalar()
    if found is None:
        return settings
    saved = found if isinstance(found, dict) else json.loads(found)
    known = {field.name for field in fields(Rules)}
    return Rules(**(settings.as_json() | {name: value for name, value in saved.items() if name in known}))


def save(connection: Connection, viewer: Viewer, rules: Rules, before: Rules, now: datetime) -> None:
    """Writes the rules with an audit row that says what changed. Raises NotAllowed for anyone but an administrator."""
    check_can_change_rules(viewer.role)
    connection.execute(
        insert(PracticeRules).values(
            id=next_id(connection, PracticeRules),
            practice_id=viewer.practice_id,
            rules=rules.as_json(),
            saved_at=now,
            username=viewer.username,
        )
    )
    old = before.as_json()
    changed = [f"{name}: {old[name]} to {value}" for name, value in rules.as_json().items() if old[name] != value]
    audit.record(
        connection, at=now, practice_id=viewer.practice_id, username=viewer.username,
        purpose=viewer.purpose, action="change rules",
        detail="; ".join(changed),
    )  # fmt: skip
