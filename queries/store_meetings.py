"""Writes of the supervision meeting: each checks who writes, and leaves an audit row in the same transaction.

The agenda and the meeting's own columns carry one version, every written box its own: a change made on an older view is refused,
never put over what somebody else wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from dashboard.access import NO_MEETING, Viewer, check_can_lead_meeting, check_can_write_in_meeting
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.meetings.agenda import Proposed
from queries import audit
from queries.keys import next_id
from queries.meeting_tables import (
    AgendaItem,
    AgreedAction,
    Meeting,
    MeetingAddition,
    MeetingField,
    MeetingSupervisee,
    SignOff,
)
from queries.meetings import visible_meetings

CHANGED = (
    "Somebody changed this agenda while you were looking at it. It is shown as it is now; do it again if it still fits."
)
ONE_SENTENCE = 60  # seconds
CLOSED = "This meeting is closed. It can be added to, never altered."


@dataclass(frozen=True)
class Known:
    """A meeting as a write needs it."""

    id: int
    public_id: str
    practice_id: int
    leader: str
    version: int
    is_closed: bool
    held_on: date
    clinician_ids: frozenset[int]


def known(connection: Connection, viewer: Viewer, public_id: str) -> Known:
    """The meeting, where the viewer may see it. Raises NotAllowed otherwise, with the same words for none."""
    visible = visible_meetings(viewer)
    row = connection.execute(select(visible).where(visible.c.public_id == public_id)).first()
    if row is None:
        raise NotAllowed(NO_MEETING)
    about = connection.execute(
        select(MeetingSupervisee.clinician_id).where(MeetingSupervisee.meeting_id == row.id)
    ).scalars()
    return Known(
        row.id, row.public_id, row.practice_id, row.leader, row.version, row.closed_at is not None, row.held_on,
        frozenset(about),
    )  # fmt: skip


def writable(connection: Connection, viewer: Viewer, public_id: str, *, leads: bool = False) -> Known:
    """A meeting that is not closed and in which the viewer may write (or, with ``leads``, which they lead)."""
    found = known(connection, viewer, public_id)
    check_can_write_in_meeting(viewer, found.leader, found.clinician_ids)
    if leads and viewer.username != found.leader:
        raise NotAllowed("Only who leads the meeting can do this.")
    if found.is_closed:
        raise UnusableInput(CLOSED)
    return found


def note(
    connection: Connection, viewer: Viewer, what: str, now: datetime, meeting: Known, *, detail: str = "",
    episode_id: int | None = None, clinician_id: int | None = None,
) -> None:  # fmt: skip
    """The audit row of a write."""
    only = next(iter(meeting.clinician_ids)) if len(meeting.clinician_ids) == 1 else None
    audit.record(
        connection, at=now, practice_id=viewer.practice_id, username=viewer.username,
        purpose=viewer.purpose, action=f"change meeting {what}",
        clinician_id=clinician_id or only, episode_id=episode_id, detail=f"{meeting.public_id} {detail}".strip(),
    )  # fmt: skip


def create(
    connection: Connection, viewer: Viewer, *, public_id: str, clinician_ids: Sequence[int], held_on: date, minutes: int,
    kind: str, data_as_of: date, rules_version: str, now: datetime,
) -> Known:  # fmt: skip
    """A new meeting without an agenda. Raises NotAllowed where the viewer may not lead it."""
    check_can_lead_meeting(viewer, frozenset(clinician_ids))
    meeting_id = next_id(connection, Meeting)
    connection.execute(
        insert(Meeting).values(
            id=meeting_id, practice_id=viewer.practice_id, public_id=public_id, leader=viewer.username, held_on=held_on,
            minutes=minutes, kind=kind, hides_names=kind == "group", data_as_of=data_as_of, rules_version=rules_version,
            version=1, created_at=now, closed_at=None,
        )
    )  # fmt: skip
    connection.execute(
        insert(MeetingSupervisee), [{"meeting_id": meeting_id, "clinician_id": one} for one in sorted(clinician_ids)]
    )
    made = known(connection, viewer, public_id)
    note(connection, viewer, "prepared", now, made, detail=f"{kind} {minutes} min on {held_on}")
    return made


def _raise_version(connection: Connection, meeting: Known, seen: int, **values: Any) -> None:
    """One UPDATE decides who was first."""
    done = connection.execute(
        update(Meeting).where(Meeting.id == meeting.id, Meeting.version == seen).values(version=seen + 1, **values)
    )
    if done.rowcount != 1:
        raise UnusableInput(CHANGED)


def put_proposal(connection: Connection, meeting: Known, proposed: Sequence[Proposed], keep: bool) -> None:
    """Writes a proposal; with ``keep`` the items that people added stay at the top, and whatever holds text stays as it is."""
    kept: list[Any] = []
    if keep:
        written = select(MeetingField.item_id).where(MeetingField.text != "")
        added = AgendaItem.added_by.is_not(None) & AgendaItem.position.is_not(None)
        kept = list(
            connection.execute(
                select(AgendaItem.id, AgendaItem.kind, AgendaItem.episode_id, AgendaItem.position)
                .where(AgendaItem.meeting_id == meeting.id, added | AgendaItem.id.in_(written))
                .order_by(AgendaItem.position)
            )
        )
    keeps = [row.id for row in kept]
    stays = [row.id for row in kept if row.position is not None]
    old = select(AgendaItem.id).where(AgendaItem.meeting_id == meeting.id, AgendaItem.id.not_in(keeps))
    connection.execute(delete(MeetingField).where(MeetingField.item_id.in_(old)))
    connection.execute(delete(AgendaItem).where(AgendaItem.meeting_id == meeting.id, AgendaItem.id.not_in(keeps)))
    there = {(row.kind if row.episode_id is None else "case", row.episode_id) for row in kept}
    first_id = next_id(connection, AgendaItem)
    rows: list[dict[str, Any]] = []
    position = 0
    for one in proposed:
        if (one.kind if one.episode_id is None else "case", one.episode_id) in there:
            continue
        on = one.left_out is None
        rows.append(
            {
                "id": first_id + len(rows), "practice_id": meeting.practice_id, "meeting_id": meeting.id, "kind": one.kind,
                "episode_id": one.episode_id, "clinician_id": one.clinician_id,
                "position": position + len(stays) + 1 if on else None, "minutes": one.minutes, "left_out": one.left_out,
                "stratum": one.stratum, "draw": one.draw, "drawn_in": one.drawn_in,
                "priority": one.priority, "signals": one.signals,
                "added_by": None, "discussed": None,
            }
        )  # fmt: skip
        position += on
    _place(connection, stays)
    if rows:
        connection.execute(insert(AgendaItem), rows)


def draws_of(connection: Connection, meeting: Known) -> dict[int, float]:
    """What has been drawn in this meeting already, by episode."""
    found = select(AgendaItem.episode_id, AgendaItem.draw).where(
        AgendaItem.meeting_id == meeting.id, AgendaItem.draw.is_not(None)
    )
    return {int(row.episode_id): float(row.draw) for row in connection.execute(found)}


def change_meeting(connection: Connection, meeting: Known, seen: int, **values: Any) -> None:
    """Other minutes, another day, names hidden or shown. Raises UnusableInput where somebody was first."""
    _raise_version(connection, meeting, seen, **values)


def discard(connection: Connection, meeting: Known, seen: int) -> None:
    """Takes a meeting back that never was: nothing may be written in it. The audit keeps that it was prepared."""
    _raise_version(connection, meeting, seen)
    own = select(AgendaItem.id).where(AgendaItem.meeting_id == meeting.id)
    written = connection.execute(
        select(func.count()).where(MeetingField.item_id.in_(own), MeetingField.text != "")
    ).scalar_one()
    if written:
        raise UnusableInput(
            "Something is written in this meeting. Close it instead; nothing that was written is thrown away."
        )
    for table, of in ((MeetingField, MeetingField.item_id.in_(own)), (AgendaItem, AgendaItem.meeting_id == meeting.id)):
        connection.execute(delete(table).where(of))
    connection.execute(delete(MeetingSupervisee).where(MeetingSupervisee.meeting_id == meeting.id))
    connection.execute(delete(Meeting).where(Meeting.id == meeting.id))


def _ordered(connection: Connection, meeting: Known) -> list[int]:
    rows = connection.execute(
        select(AgendaItem.id)
        .where(AgendaItem.meeting_id == meeting.id, AgendaItem.position.is_not(None))
        .order_by(AgendaItem.position, AgendaItem.id)
    )
    return list(rows.scalars())


def _place(connection: Connection, order: Sequence[int]) -> None:
    for position, item_id in enumerate(order, start=1):
        connection.execute(update(AgendaItem).where(AgendaItem.id == item_id).values(position=position))


def move(connection: Connection, meeting: Known, seen: int, item_id: int, step: int) -> None:
    """One place up (-1) or down (1); at the edge nothing moves."""
    _raise_version(connection, meeting, seen)
    order = _ordered(connection, meeting)
    if item_id not in order:
        raise UnusableInput(CHANGED)
    at = order.index(item_id)
    to = min(max(at + step, 0), len(order) - 1)
    order.insert(to, order.pop(at))
    _place(connection, order)


def take_off(connection: Connection, meeting: Known, seen: int, item_id: int, why: str) -> None:
    """Leaves an item out; what was written in it stays with it."""
    _raise_version(connection, meeting, seen)
    connection.execute(
        update(AgendaItem)
        .where(AgendaItem.id == item_id, AgendaItem.meeting_id == meeting.id)
        .values(position=None, left_out=why)
    )
    _place(connection, _ordered(connection, meeting))


def put_on(connection: Connection, meeting: Known, seen: int, item_id: int, minutes: int, username: str) -> None:
    """Takes a left-out item onto the agenda, at its end."""
    _raise_version(connection, meeting, seen)
    last = len(_ordered(connection, meeting)) + 1
    connection.execute(
        update(AgendaItem)
        .where(AgendaItem.id == item_id, AgendaItem.meeting_id == meeting.id)
        .values(position=last, left_out=None, minutes=minutes, added_by=username)
    )


def add_case(
    connection: Connection,
    meeting: Known,
    seen: int,
    *,
    episode_id: int,
    clinician_id: int,
    minutes: int,
    username: str,
) -> None:
    """Adds an episode of one of the supervisees; one left out is taken on instead of standing there twice."""
    there = connection.execute(
        select(AgendaItem.id, AgendaItem.position).where(
            AgendaItem.meeting_id == meeting.id, AgendaItem.episode_id == episode_id
        )
    ).first()
    if there is not None and there.position is not None:
        raise UnusableInput("This episode is on the agenda already.")
    if there is not None:
        put_on(connection, meeting, seen, there.id, minutes, username)
        return
    _raise_version(connection, meeting, seen)
    connection.execute(
        insert(AgendaItem).values(
            id=next_id(connection, AgendaItem), practice_id=meeting.practice_id, meeting_id=meeting.id, kind="own",
            episode_id=episode_id, clinician_id=clinician_id, position=len(_ordered(connection, meeting)) + 1,
            minutes=minutes, added_by=username,
        )
    )  # fmt: skip


def set_minutes(connection: Connection, meeting: Known, seen: int, item_id: int, minutes: int) -> None:
    """Another length for one item."""
    _raise_version(connection, meeting, seen)
    connection.execute(
        update(AgendaItem).where(AgendaItem.id == item_id, AgendaItem.meeting_id == meeting.id).values(minutes=minutes)
    )


def item_of(connection: Connection, meeting: Known, item_id: int) -> Any:
    """The item's episode and clinician. Raises NotAllowed for an item of another meeting."""
    row = connection.execute(
        select(AgendaItem.id, AgendaItem.episode_id, AgendaItem.clinician_id, AgendaItem.kind).where(
            AgendaItem.id == item_id, AgendaItem.meeting_id == meeting.id
        )
    ).first()
    if row is None:
        raise NotAllowed(NO_MEETING)
    return row


def wrote_just_now(connection: Connection, item_id: int, field: str, username: str, now: datetime) -> bool:
    """Whether the same person saved the same box moments ago: one sentence, typed with pauses, is one line of the audit."""
    row = connection.execute(
        select(MeetingField.username, MeetingField.saved_at).where(
            MeetingField.item_id == item_id, MeetingField.field == field
        )
    ).first()
    return row is not None and row.username == username and now - row.saved_at < timedelta(seconds=ONE_SENTENCE)


def save_field(
    connection: Connection, item_id: int, field: str, text: str, *, seen: int, username: str, now: datetime
) -> int | None:
    """The box's new version, or null where somebody saved since ``seen`` (0: nothing was there)."""
    if seen == 0:
        taken = connection.execute(
            select(func.count()).where(MeetingField.item_id == item_id, MeetingField.field == field)
        ).scalar_one()
        if taken:
            return None
        connection.execute(
            insert(MeetingField).values(
                item_id=item_id, field=field, text=text, version=1, username=username, saved_at=now
            )
        )
        return 1
    done = connection.execute(
        update(MeetingField)
        .where(MeetingField.item_id == item_id, MeetingField.field == field, MeetingField.version == seen)
        .values(text=text, version=seen + 1, username=username, saved_at=now)
    )
    return seen + 1 if done.rowcount == 1 else None


def close(
    connection: Connection, meeting: Known, seen: int, *, discussed: Sequence[int], actions: Sequence[dict[str, Any]],
    now: datetime,
) -> None:  # fmt: skip
    """Closes a meeting: which items were talked about, and what was agreed as actions of their own."""
    _raise_version(connection, meeting, seen, closed_at=now)
    on = AgendaItem.meeting_id == meeting.id
    connection.execute(update(AgendaItem).where(on).values(discussed=False))
    if discussed:
        connection.execute(update(AgendaItem).where(on, AgendaItem.id.in_(list(discussed))).values(discussed=True))
    first = next_id(connection, AgreedAction)
    if actions:
        connection.execute(
            insert(AgreedAction),
            [
                {
                    "id": first + place, "practice_id": meeting.practice_id, "meeting_id": meeting.id,
                    "agreed_on": meeting.held_on, "state": "open", "state_on": None, "state_by": None, "version": 1,
                } | one
                for place, one in enumerate(actions)
            ],
        )  # fmt: skip


def sign(connection: Connection, meeting: Known, viewer: Viewer, part: str, now: datetime) -> None:
    """Somebody's signature. Raises UnusableInput before closing, or a second time."""
    if not meeting.is_closed:
        raise UnusableInput("A meeting is signed once it is closed.")
    there = connection.execute(
        select(func.count()).where(SignOff.meeting_id == meeting.id, SignOff.username == viewer.username)
    ).scalar_one()
    if there:
        raise UnusableInput("You have signed this meeting already.")
    connection.execute(
        insert(SignOff).values(meeting_id=meeting.id, username=viewer.username, part=part, signed_at=now)
    )


def add_after(connection: Connection, meeting: Known, viewer: Viewer, text: str, now: datetime) -> None:
    """An addition to a closed meeting, dated and named. Raises UnusableInput before closing."""
    if not meeting.is_closed:
        raise UnusableInput("This meeting is still open: write it where it belongs.")
    connection.execute(
        insert(MeetingAddition).values(
            id=next_id(connection, MeetingAddition), practice_id=meeting.practice_id, meeting_id=meeting.id, text=text,
            username=viewer.username, added_at=now,
        )
    )  # fmt: skip
