"""Reads of the mappings that a practice has saved; whoever may import may read them, and they hold no client data."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, literal, select

from dashboard.access import Scope
from queries.intake_tables import SavedMapping


def saved(scope: Scope) -> Select[str, str, datetime]:
    """Name, who saved it and when, by name."""
    return (
        select(SavedMapping.name, SavedMapping.username, SavedMapping.saved_at)
        .where(SavedMapping.practice_id == scope.practice_id)
        .order_by(SavedMapping.name)
    )


def content(scope: Scope, name: str) -> Select[str]:
    """The TOML of one saved mapping; no row where the practice has none of that name."""
    return select(SavedMapping.content).where(
        SavedMapping.practice_id == scope.practice_id, SavedMapping.name == literal(name)
    )
