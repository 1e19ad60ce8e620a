"""How each act is done to somebody's thing: forged where it has to be, as a client could send it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from dashboard import (
    entering,
    entering_episodes,
    growth_goals,
    named_meetings,
    outcome_packet,
    packets,
    staffing,
    supervising,
)
from dashboard import saved_mappings as mappings
from dashboard.access import Role, Viewer, scope_for
from dashboard.assist import trying
from dashboard.entry.episode_rows import NewClient, NewEpisode
from dashboard.entry.session_form import SessionForm, read_form
from dashboard.estimate_view import estimate_view
from dashboard.intake.mapping import parse_mapping
from dashboard.intake.sources import SourceTable
from dashboard.keeping.erasing import erase_client
from dashboard.meeting_packet import meeting_draft
from dashboard.opened_caseloads import open_with_reason
from dashboard.own_reading import own_reading
from dashboard.packets import Reader
from dashboard.replies import reply
from dashboard.safety import record_check
from dashboard.signin.own import end_one
from dashboard.snapshot.compose import Draft
from dashboard.snapshots import delete, make, stored_file
from dashboard.supervising import Room
from dashboard.ui import entry_reading
from dashboard.ui.meeting_loading import sitting
from dashboard.ui.meeting_patterns import pattern_part
from dashboard.undoing import undo
from dashboard.what_if import save_rule
from pages.outcomes import Choice
from queries import people, store_patterns
from queries.engine import reading, writing
from queries.keys import BY_HAND
from queries.meeting_tables import Meeting
from tests.permissions.world import MADE_UP, SAVED, SETTINGS, Own, World, mapping_text

Act = Callable[[World, Viewer, Own], Any]
DAYS = 30


def _number(world: World, own: Own) -> int:
    """Which practice somebody's thing is in; 0 for what was made up."""
    if own is world.own[MADE_UP]:
        return 0
    return 2 if own is world.own["other"] else 1


def _form(token: str, day: Any) -> SessionForm:
    return read_form(
        {"token": token, "appointment": "new", "day": f"{day}", "time": "09:00", "status": "attended", "mode": "video",
         "nextDay": "", "nextTime": "", "measures": [], "agreed": ["same_day", "far"], "seen": ""}
    )  # fmt: skip


def _enter(world: World, viewer: Viewer, own: Own) -> Any:
    form = _form("f" * 16, world.now.date() - timedelta(days=1))
    return entering.enter_session(world.engine, SETTINGS, viewer, own.by_hand, form, world.now)


def _enter_over(world: World, viewer: Viewer, own: Own) -> Any:
    """Into an episode of one's own, under the token with which somebody else's session was entered."""
    form = _form(f"{own.token}{1:08x}", world.now.date() - timedelta(days=1))
    mine = next((one for one in world.own.values() if one.clinician_id == viewer.clinician_id), own)
    return entering.enter_session(world.engine, SETTINGS, viewer, mine.by_hand, form, world.now)


def _in_room(world: World, viewer: Viewer, own: Own) -> Any:
    with entering.room_of(world.engine, viewer, own.by_hand) as room:
        return room.key


def _open(world: World, viewer: Viewer, own: Own, *, client: bool = False, token: bool = False) -> Any:
    who = own.clinician
    if client or token:
        mine = next((one for one in world.own.values() if one.clinician_id == viewer.clinician_id), own)
        who = mine.clinician
    return entering_episodes.open_episode(
        world.engine, SETTINGS, viewer, token=f"{own.token}{0:08x}" if token else "e" * 16,
        client=own.client_id if client else NewClient("4F-210", birth_year=1980), clinician=who,
        given=NewEpisode(world.now.date() - timedelta(days=3)), now=world.now,
    )  # fmt: skip


def _hand_over(world: World, viewer: Viewer, own: Own) -> Any:
    to = world.own["colleague" if own is not world.own["colleague"] else "clinician"].clinician
    return entering_episodes.hand_over(
        world.engine, SETTINGS, viewer, own.by_hand, token="e" * 16, to=to, on=world.now.date(),
        seen=own.seen_import.get(own.by_hand), now=world.now,
    )  # fmt: skip


def _ending(name: str, world: World, viewer: Viewer, own: Own) -> Any:
    day, seen = world.now.date(), own.seen_import
    match name:
        case "end":
            return entering_episodes.end_episode(
                world.engine, SETTINGS, viewer, own.by_hand, ending="mutual", closed_on=day, seen=seen.get(own.by_hand),
                now=world.now,
            )  # fmt: skip
        case "reopen":
            entering_episodes.reopen_episode(
                world.engine, SETTINGS, viewer, own.ended, seen=seen.get(own.ended), now=world.now
            )
        case _:
            given = NewEpisode(day - timedelta(days=29), planned_sessions=9)
            entering_episodes.change_episode(
                world.engine, SETTINGS, viewer, own.by_hand, given, seen=seen.get(own.by_hand), now=world.now
            )
    return True


def _read(read: Callable[[Any, World, Viewer, Own], Any]) -> Act:
    def act(world: World, viewer: Viewer, own: Own) -> Any:
        with reading(world.engine) as connection:
            return read(connection, world, viewer, own)

    return act


def _among(name: str, value: str) -> Act:
    """Whether somebody's thing is in a list that is read."""
    calls: dict[str, Callable[[Any, World, Viewer], list[Any]]] = {
        "clinicians": lambda c, w, v: [
            row["clinician_id"] for row in entering_episodes.clinicians_for(c, v, w.now.date())
        ],
        "clients": lambda c, _, v: [row["client_id"] for row in entering_episodes.clients_for(c, v)],
        "choices": lambda c, w, v: [one.public_id for one in entry_reading.read_choices(c, v, w.now, DAYS)],
    }
    return _read(lambda c, w, v, o: getattr(o, value) in calls[name](c, w, v))


def _room(do: Callable[[Room, Own], Any], *, which: str = "meeting") -> Act:
    def act(world: World, viewer: Viewer, own: Own) -> Any:
        return do(Room(world.engine, SETTINGS, viewer, getattr(own, which), own.version), own) or True

    return act


def _mine(do: Callable[[Room, Own], Any]) -> Act:
    """In a meeting in which the viewer may do it, with what belongs to somebody else's."""

    def act(world: World, viewer: Viewer, own: Own) -> Any:
        name = "now" if viewer.role is Role.SUPERVISOR else "director" if viewer.role is Role.DIRECTOR else None
        mine = world.own[name] if name and viewer.practice_id == 1 else None
        mine = mine or next((one for one in world.own.values() if one.clinician_id == viewer.clinician_id), own)
        return do(Room(world.engine, SETTINGS, viewer, mine.meeting, mine.version), own) or True

    return act


def _add_case(room: Room, own: Own) -> Any:
    return room.add_case(own.ended, 5)


def _reader(connection: Any, world: World, viewer: Viewer) -> Reader:
    return Reader(connection, scope_for(viewer), world.now.date())


def _sat(connection: Any, world: World, own: Own) -> Any:
    """Somebody's meeting as a director of theirs sees it, given to whoever must not have it."""
    found = sitting(connection, Viewer("x", Role.DIRECTOR, _number(world, own) or 1), own.meeting, None)
    return found if found is not None else sitting(connection, world.known("director"), "0" * 16, None)


def _pattern(connection: Any, world: World, viewer: Viewer, own: Own) -> Any:
    sat = _sat(connection, world, own)
    if sat is None:
        return None
    row = {"kind": "pattern"}
    return pattern_part(connection, viewer, estimate_view(viewer), sat, row, dropout_days=42, theme="light")


def _choice(own: Own) -> Choice:
    return Choice({"clinician_id": own.clinician_id, "public_id": own.clinician, "display_name": "", "source_id": "x"})


@cache
def _draft(world: World) -> Draft:
    with reading(world.engine) as connection:
        return packets.episode_draft(
            _reader(connection, world, world.known("director")), world.own["director"].episode
        )  # fmt: skip


def _make(world: World, viewer: Viewer, own: Own) -> Any:
    draft = replace(_draft(world), clinician_ids=frozenset({own.clinician_id}), episode_id=None)
    return make(world.engine, SETTINGS, viewer, draft, None, world.now)


def _goal(name: str, world: World, viewer: Viewer, _: Own) -> Any:
    match name:
        case "set":
            growth_goals.set_goal(
                world.engine, viewer, text="Ask", sign="outcome_at_last", now=world.now, shared=False,
                look_again_on=world.now.date() + timedelta(days=60),
            )  # fmt: skip
        case "close":
            growth_goals.close_goal(world.engine, viewer, note="", now=world.now)
        case _:
            growth_goals.share_goal(world.engine, viewer, shared=True, now=world.now)
    return True


def _monitor(world: World, viewer: Viewer, own: Own) -> Any:
    with writing(world.engine) as connection:
        store_patterns.choose_monitoring(connection, viewer, own.clinician_id, False, world.now)
    return True


def _staff(name: str, world: World, viewer: Viewer, own: Own) -> Any:
    today, given = world.now.date(), {"now": world.now}
    somebody = world.own["colleague" if own is not world.own["colleague"] else "clinician"].clinician_id
    act = partial(getattr(staffing, name.partition(" ")[0]), world.engine, SETTINGS, viewer)
    match name:
        case "add_clinician":
            act(key="NEW1", name="New", started_on=None, is_trainee=False, **given)
        case "change_clinician":
            by_hand = world.by_hand.get(_number(world, own), own.clinician_id)
            act(by_hand, name="Else", started_on=None, ended_on=None, is_trainee=True, **given)
        case "add_leave":
            act(own.clinician_id, first=today, last=today, cover_id=None, **given)
        case "add_leave (cover)":
            act(somebody, first=today, last=today, cover_id=own.clinician_id, **given)
        case "add_link":
            act(somebody, own.clinician_id, first=today, **given)
        case "add_link (above)":
            act(own.clinician_id, somebody, first=today, **given)
        case _:
            act(own.link, last=today + timedelta(days=3), **given)
    return True


def _erase(world: World, viewer: Viewer, own: Own) -> Any:
    return erase_client(
        world.engine, SETTINGS, practice=None, client=f"c-{own.token}{1:08x}", source=BY_HAND, apply=False, now=world.now,
        viewer=viewer,
    )  # fmt: skip


def _undo(world: World, viewer: Viewer, own: Own) -> Any:
    import_id = world.imports.get(_number(world, own), 999_999)
    return undo(world.engine, SETTINGS, import_id, viewer=viewer, dry_run=True, now=world.now)


def _try(act: Callable[..., Any], world: World, viewer: Viewer, **more: Any) -> Any:
    rows = pl.DataFrame({"id": ["T9"], "file": ["a.csv"], "line": [2]}, schema_overrides={"line": pl.Int64})
    tables = {"a": SourceTable.of(["id"], rows)}
    mapping = parse_mapping(mapping_text("new"), "new")
    return act(world.engine, SETTINGS, viewer, tables, mapping, source="x", now=world.now, **more)


def _shelf(name: str, world: World, viewer: Viewer, own: Own) -> Any:
    number = _number(world, own)
    known = SAVED.get(number, "no such mapping")
    shelf = mappings.Shelf(world.engine, viewer.practice_id, viewer, world.now)
    match name:
        case "names":
            return known in [one.name for one in shelf.names()]
        case "text":
            return shelf.text(known)
        case "save":
            return shelf.save("new", mapping_text("new"), replace=False)
        case "rename":
            return shelf.rename(known, "renamed")
        case _:
            shelf.delete(known)
    return True


def _prepare(world: World, viewer: Viewer, own: Own) -> Any:
    return supervising.prepare(
        world.engine, SETTINGS, viewer, [own.clinician], held_on=world.now.date(), minutes=60, kind="one_to_one",
        now=world.now,
    )  # fmt: skip


def _agenda(connection: Connection, _: World, viewer: Viewer, own: Own) -> Any:
    number = connection.execute(select(Meeting.id).where(Meeting.public_id == own.meeting)).scalar_one_or_none()
    return named_meetings.agenda(connection, viewer, number or 999_999).height


def _about(connection: Connection, _: World, viewer: Viewer, own: Own) -> Any:
    number = connection.execute(select(Meeting.id).where(Meeting.public_id == own.meeting)).scalar_one_or_none()
    return number in set(named_meetings.people(connection, viewer)["meeting_id"])


def _open_with_reason(world: World, viewer: Viewer, own: Own) -> Any:
    """In a practice that asks for one."""
    with reading(world.engine) as connection:
        asked = people.viewer(connection, viewer.username, world.now.date(), asking=world.now)
    assert asked is not None
    open_with_reason(world.engine, SETTINGS, asked, own.clinician_id, "a complaint", world.now)
    return True


def _done(act: Callable[[World, Viewer, Own], Any]) -> Act:
    def acted(world: World, viewer: Viewer, own: Own) -> Any:
        act(world, viewer, own)
        return True

    return acted


ACTS: dict[str, Act] = {
    "entering.occasions_of": _read(lambda c, w, v, o: entering.occasions_of(c, v, o.by_hand)),
    "entering.room_of": _in_room,
    "entering.enter_session": _enter,
    "entering.enter_session (their token)": _enter_over,
    "entering.delete_occasion": _done(
        lambda w, v, o: entering.delete_occasion(w.engine, SETTINGS, v, o.by_hand, o.ref, o.seen, w.now)
    ),
    "entering.bring_back": _done(lambda w, v, o: entering.bring_back(w.engine, SETTINGS, v, o.by_hand, w.now)),
    "entering_episodes.open_episode": _open,
    "entering_episodes.open_episode (client)": partial(_open, client=True),
    "entering_episodes.open_episode (their token)": partial(_open, token=True),
    "entering_episodes.end_episode": _done(partial(_ending, "end")),
    "entering_episodes.reopen_episode": partial(_ending, "reopen"),
    "entering_episodes.change_episode": partial(_ending, "change"),
    "entering_episodes.hand_over": _hand_over,
    "entering_episodes.code_of": _read(lambda c, w, v, o: entering_episodes.code_of(c, v, o.by_hand)),
    "entering_episodes.clinicians_for": _among("clinicians", "clinician_id"),
    "entering_episodes.clients_for": _among("clients", "client_id"),
    "ui.entry_reading.read_episode": _read(lambda c, w, v, o: entry_reading.read_episode(c, v, o.by_hand, w.now)),
    "ui.entry_reading.read_choices": _among("choices", "by_hand"),
    "replies.reply": _done(
        lambda w, v, o: reply(
            w.engine, SETTINGS, v, o.episode, signal="reliable_worsening", kind="answered", reason="r", until_day=None,
            now=w.now,
        )
    ),
    "supervising.mark": _done(lambda w, v, o: supervising.mark(w.engine, v, o.episode, "bring", True, w.now)),
    "safety.record_check": lambda w, v, o: record_check(
        w.engine, SETTINGS, v, [o.episode], checked_on=w.now.date(), note="", now=w.now
    ),
    "ui.meeting_loading.sitting": _read(lambda c, w, v, o: sitting(c, v, o.meeting, None)),
    "meeting_packet.meeting_draft": _read(lambda c, w, v, o: meeting_draft(_reader(c, w, v), v, o.meeting, 42)),
    "ui.meeting_patterns.pattern_part": _read(_pattern),
    "supervising.prepare": _prepare,
    "supervising.scope_of": lambda w, v, o: supervising.scope_of(v, frozenset({o.clinician_id})),
    "supervising.Room.hide_names": _room(lambda room, _: room.hide_names(True)),
    "supervising.Room.put_on": _room(lambda room, o: room.put_on(o.left_out, 5)),
    "supervising.Room.add_case": _room(_add_case),
    "supervising.Room.add_case (their case)": _mine(_add_case),
    "supervising.Room.write": _room(lambda room, o: room.write(o.item, "note", "n", 0)),
    "supervising.Room.write (their item)": _mine(lambda room, o: room.write(o.item, "note", "n", 0)),
    "supervising.Room.propose_again": _room(lambda room, _: room.propose_again(60, "one_to_one")),
    "supervising.Room.put_off": _room(lambda room, _: room.put_off(room.now.date())),
    "supervising.Room.move": _room(lambda room, o: room.move(o.item, 1)),
    "supervising.Room.move (their item)": _mine(lambda room, o: room.move(o.item, 1)),
    "supervising.Room.take_off": _room(lambda room, o: room.take_off(o.item)),
    "supervising.Room.set_minutes": _room(lambda room, o: room.set_minutes(o.item, 4)),
    "supervising.Room.discard": lambda w, v, o: Room(w.engine, SETTINGS, v, o.blank, 1).discard() or True,
    "supervising.Room.close": _room(lambda room, o: room.close([o.item])),
    "supervising.Room.sign": _room(lambda room, _: room.sign(), which="closed"),
    "supervising.Room.add_after": _room(lambda room, _: room.add_after("more"), which="closed"),
    "named_meetings.listed": _read(lambda c, _, v, o: named_meetings.listed(c, v, o.meeting).height),
    "named_meetings.people": _read(_about),
    "named_meetings.agenda": _read(_agenda),
    "supervising.set_action": _done(lambda w, v, o: supervising.set_action(w.engine, v, o.action, "done", 1, w.now)),
    "packets.caseload_draft": _read(lambda c, w, v, o: packets.caseload_draft(_reader(c, w, v), [o.clinician_id])),
    "packets.episode_draft": _read(lambda c, w, v, o: packets.episode_draft(_reader(c, w, v), o.episode)),
    "packets.practice_draft": _read(lambda c, w, v, o: packets.practice_draft(_reader(c, w, v), [o.clinician_id])),
    "outcome_packet.outcomes_draft": _read(
        lambda c, w, v, o: outcome_packet.outcomes_draft(_reader(c, w, v), v, _choice(o), 42)
    ),
    "snapshots.make": _make,
    "snapshots.stored_file": _read(lambda c, w, v, o: _file(w, v, o)),
    "snapshots.delete": _done(lambda w, v, o: delete(w.engine, v, o.snapshot, reason="r", now=w.now)),
    "signin.own.end_one": _done(lambda w, v, o: end_one(w.engine, v, o.sign_in, w.now)),
    "growth_goals.set_goal": partial(_goal, "set"),
    "growth_goals.close_goal": partial(_goal, "close"),
    "growth_goals.share_goal": partial(_goal, "share"),
    "own_reading.own_reading": _read(lambda c, w, v, o: own_reading(c, scope_for(v), v, o.clinician_id).endings.height),
    "queries.store_patterns.choose_monitoring": _monitor,
    **{
        f"staffing.{name}": partial(_staff, name)
        for name in ("add_clinician", "change_clinician", "add_leave", "add_leave (cover)", "add_link",
                     "add_link (above)", "end_link")
    },
    "keeping.erasing.erase_client": _erase,
    "undoing.undo": _undo,
    "assist.trying.known_instruments": lambda w, v, _: trying.known_instruments(w.engine, v),
    "assist.trying.try_out": lambda w, v, _: _try(trying.try_out, w, v),
    "assist.trying.load_tables": lambda w, v, _: _try(trying.load_tables, w, v, files=["a.csv"]),
    **{f"saved_mappings.Shelf.{name}": partial(_shelf, name) for name in ("names", "text", "save", "rename", "delete")},
    "opened_caseloads.open_with_reason": _open_with_reason,
    "what_if.save_rule": lambda w, v, _: save_rule(w.engine, SETTINGS, v, "no_contact_days", 30, w.now) or True,
}  # fmt: skip


def _file(world: World, viewer: Viewer, own: Own) -> Any:
    with writing(world.engine) as connection:
        return stored_file(connection, viewer, own.snapshot, "html", world.now)
