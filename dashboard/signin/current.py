"""Who a session belongs to at this moment, and whether everything is done that has to come first. For pages and routes alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from dashboard.access import Viewer
from dashboard.settings import Settings
from dashboard.sign_in_rules import second_factor_roles
from dashboard.viewing import viewer_now
from queries import second_factors, sessions
from queries.engine import reading


@dataclass(frozen=True)
class Current:
    """A live session: its viewer, whether its last use wants noting, and what it was opened with."""

    viewer: Viewer
    stale: bool
    method: str

    @property
    def by_provider(self) -> bool:
        """Whether single sign-on opened it: then nobody asked for a password of ours."""
        return self.method.startswith(sessions.PROVIDER)


def current(engine: Engine, settings: Settings, session_id: str, now: datetime) -> Current | None:
    """Whose session it is, by the database alone; null for anybody without one that is good."""
    with reading(engine) as connection:
        live = sessions.username_of(
            connection,
            session_id,
            now,
            idle_minutes=settings.session_idle_minutes,
            absolute_hours=settings.session_absolute_hours,
        )
        viewer = None if live is None else viewer_now(connection, settings, live.username, now)
        if live is None or viewer is None:
            return None
        viewer = replace(viewer, purpose=live.purpose)
        found = Current(viewer, live.stale, live.method)
        if found.by_provider:
            viewer = replace(viewer, must_change=False)
        elsewhere = found.by_provider and settings.oidc_second_factor == "provider"
        if viewer.role in second_factor_roles(settings) and not elsewhere:
            factor = second_factors.factor_of(connection, viewer.username)
            viewer = replace(viewer, must_set_up=factor is None or not factor.confirmed)
    return replace(found, viewer=viewer)
