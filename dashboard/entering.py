"""Entering by hand: permission, questions, checks, storing with its audit row in one transaction; then the signals again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from dashboard.access import NO_EPISODE, Viewer, check_can_enter, scope_for
from dashboard.entry.questions import Asked, Plan, score_plan, session_questions
from dashboard.entry.record import Occasion, occasions
from dashboard.entry.rows import (
    Rows,
    appointment_key,
    batch_of,
    next_key,
    rows_again,
    session_rows,
    together,
    withdrawals,
)
from dashboard.entry.session_form import NEW, Measure, SessionForm
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.evaluation import evaluate
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.settings import Settings
from queries import entries, load, practices, store_entries
from queries.engine import writing
from queries.frames import read_frame
from queries.keys import BY_HAND, of_source

OVERTAKEN = "Somebody changed this since you opened it. It is shown as it is now: look, and enter your change again."


@dataclass(frozen=True)
class Room:
    """An episode that somebody enters something into, inside one write transaction."""

    connection: Connection
    viewer: Viewer
    episode: Mapping[str, Any]
    occasions: Sequence[Occasion]
    instruments: dict[str, Instrument]

    @property
    def key(self) -> str:
        """How a row entered by hand names this episode, wherever it came from."""
        return of_source(self.episode["source"], self.episode["source_id"])

    def occasion(self, ref: str) -> Occasion:
        """The occasion with that opaque word. Raises UnusableInput where it is gone."""
        found = next((one for one in self.occasions if one.ref == ref), None)
        if found is None:
            raise UnusableInput(OVERTAKEN)
        return found


def new_token() -> str:
    """Names one opening of a form, so that what it sends twice is one entry."""
    return secrets.token_hex(8)


def occasions_of(connection: Connection, viewer: Viewer, public_id: str) -> list[Occasion]:
    """Sessions and scores of an episode in scope, latest first."""
    scope = scope_for(viewer)
    secret = practices.secret_of(connection, viewer.practice_id)
    slots = read_frame(connection, entries.appointments(scope, public_id=public_id))
    return occasions(slots, read_frame(connection, entries.scores(scope, public_id=public_id)), secret, BY_HAND)


@contextmanager
def room_of(engine: Engine, viewer: Viewer, public_id: str) -> Iterator[Room]:
    """The episode, to write into. Raises NotAllowed where the viewer may not see it, or not enter anything."""
    scope = scope_for(viewer)
    with writing(engine) as connection:
        found = read_frame(connection, entries.episodes(scope, public_id=public_id)).to_dicts()
        if not found:
            raise NotAllowed(NO_EPISODE)
        check_can_enter(viewer, found[0]["clinician_id"])
        instruments = registry(load.own_instruments(connection, scope))
        yield Room(connection, viewer, found[0], occasions_of(connection, viewer, public_id), instruments)


def _narrowed(form: SessionForm, plan: Plan) -> SessionForm:
    """The form without the values that are there already."""
    measures = []
    for one in form.measures:
        values = {scale: v for scale, v in one.values.items() if (one.instrument, scale, one.respondent) in plan.kept}
        measures.append(Measure(one.instrument, one.respondent, values))
    return replace(form, measures=tuple(measures))


def _target(room: Room, form: SessionForm) -> tuple[SessionForm, Occasion | None, str | None]:
    """The form with what an imported session says of itself, the occasion it changes, and the id that scores are put to."""
    if form.appointment == NEW:
        return form, None, appointment_key(form.token) if form.has_session else None
    found = room.occasion(form.appointment)
    if form.seen is not None and found.fingerprint != form.seen:
        raise UnusableInput(OVERTAKEN)
    if found.session is None:
        return replace(form, status="scores_only"), found, None
    if not found.session_by_hand:
        starts = found.session["starts_at"]
        fixed = replace(form, day=f"{starts:%Y-%m-%d}", time=f"{starts:%H:%M}", status="scores_only")
        return fixed, found, found.session["source_id"]
    return form, found, found.session["source_id"]


def enter_session(
    engine: Engine, settings: Settings, viewer: Viewer, public_id: str, form: SessionForm, now: datetime
) -> bool:
    """Saves a session and its scores, new or changed; false where all of it was there already.

    Raises Asked where something wants a yes first, UnusableInput for what cannot be, NotAllowed outside one's caseload.
    Nothing is saved then.
    """
    with room_of(engine, viewer, public_id) as room:
        form, target, appointment = _target(room, form)
        changed = target if form.seen is not None else None
        key = appointment or ""
        plan = score_plan(form, room.occasions, changed, BY_HAND, room.instruments)
        asked = [*session_questions(form, room.episode, room.occasions, key, next_key(form.token)), *plan.questions]
        if open_ones := [one for one in asked if one[0] not in form.agreed]:
            raise Asked(open_ones)
        own = session_rows(_narrowed(form, plan), room.key, appointment)
        given = together(own, withdrawals(room.key, [], plan.withdrawn))
        what = "session entered" if changed is None else "session changed"
        result = stored(room, settings, given, now, what=what)
    return evaluated(engine, settings, viewer, result, now)


def stored(
    room: Room, settings: Settings, given: Rows, now: datetime, *, what: str, detail: str = ""
) -> store_entries.Stored:
    """Rows through the checks of files into the tables, with the audit row. Raises UnusableInput where one cannot be."""
    keys = [str(row["appointment_id"]) for row in given.get("appointments", ())]
    if store_entries.taken_elsewhere(room.connection, room.viewer.practice_id, keys, room.episode["episode_id"]):
        raise UnusableInput(OVERTAKEN)
    batch = batch_of(given, today=now.date(), timezone=settings.timezone, instruments=room.instruments)
    return store_entries.store(
        room.connection, room.viewer, batch, now=now, action=what, episode_id=room.episode["episode_id"],
        clinician_id=room.episode["clinician_id"], detail=detail,
    )  # fmt: skip


def evaluated(engine: Engine, settings: Settings, viewer: Viewer, result: store_entries.Stored, now: datetime) -> bool:
    """The signals of the episodes that an entry touched, brought up to now; false where everything was there already."""
    if result.import_id is None:
        return False
    evaluate(
        engine, settings, viewer.practice_id, as_of=now.date(), now=now, touched=sorted(result.touched),
        import_before=result.import_before,
    )  # fmt: skip
    return True


def delete_occasion(
    engine: Engine, settings: Settings, viewer: Viewer, public_id: str, ref: str, seen: str, now: datetime
) -> None:
    """Deletes what was entered by hand of a session or of a day's scores; it stays as a version and can be brought back.

    Raises UnusableInput where it changed since ``seen``, or where all of it came from a file.
    """
    with room_of(engine, viewer, public_id) as room:
        one = room.occasion(ref)
        if one.fingerprint != seen:
            raise UnusableInput(OVERTAKEN)
        if not one.can_be_changed:
            raise UnusableInput("This came from a file. Its source corrects it.")
        slots = [one.session] if one.session is not None and one.session_by_hand else []
        gone = withdrawals(room.key, slots, one.scores_by_hand)
        result = stored(room, settings, gone, now, what=store_entries.DELETED, detail=str(one.day))
    evaluated(engine, settings, viewer, result, now)


def bring_back(engine: Engine, settings: Settings, viewer: Viewer, public_id: str, now: datetime) -> None:
    """Undoes the last deletion in an episode. Raises UnusableInput where there is none, or its place was taken since."""
    with room_of(engine, viewer, public_id) as room:
        last = store_entries.last_deletion(room.connection, viewer.practice_id, room.episode["episode_id"])
        if last is None:
            raise UnusableInput("Nothing is left to bring back. The list shows what stands.")
        slots, scores = last.appointments.to_dicts(), last.scores.to_dicts()
        there = {
            (row["taken_on"], row["instrument"], row["respondent"]) for one in room.occasions for row in one.scores
        }
        if any((row["taken_on"], row["instrument"], row["respondent"]) in there for row in scores):
            raise UnusableInput("Other scores were entered in its place since. Delete those first, or enter it again.")
        given = rows_again(room.key, slots, scores)
        result = stored(room, settings, given, now, what=store_entries.BROUGHT_BACK)
        store_entries.mark_brought_back(room.connection, result, last)
    evaluated(engine, settings, viewer, result, now)
