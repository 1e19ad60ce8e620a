"""A meeting is prepared, changed, closed, signed: each act checked, written and audited in one transaction."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from sqlalchemy import Connection, Engine

from dashboard.access import NO_MEETING, Scope, Viewer, check_can_lead_meeting, first_look, narrowed, scope_for
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.harmless import clean
from dashboard.instruments import registry
from dashboard.meeting_reading import caseloads, cases
from dashboard.meetings import follow_up
from dashboard.meetings.agenda import Draw, propose
from dashboard.meetings.plans import KINDS, PATTERN_DAYS, plan_of
from dashboard.meetings.words import MARKS, OBSTACLES
from dashboard.settings import Settings
from dashboard.typed import typed
from queries import caseload, load, practices, store_follow_up
from queries import store_meetings as store
from queries.engine import writing
from queries.frames import read_frame
from queries.meetings import fields, items, pattern_talked

SHORTEST, LONGEST = 10, 240  # minutes
LONGEST_TEXT = {"what": 160, "who": 60, "look_again_on": 10, "obstacle": 100, "note": 2000}
REMOVED = "taken off"


def scope_of(viewer: Viewer, clinician_ids: frozenset[int]) -> Scope:
    """The caseloads a meeting is about, inside the viewer's scope. Raises NotAllowed where one lies outside."""
    whole = scope_for(viewer)
    for one in clinician_ids:
        narrowed(whole, one)
    return Scope(whole.practice_id, clinician_ids, whole.reason)


def draw_of(secret: str, held_on: date, leader: str) -> Draw:
    """Numbers from 0 to 1 that nobody can foresee or draw again: the same meeting always draws the same."""

    def draw(episode_id: int) -> float:
        content = f"{held_on}\x1f{leader}\x1f{episode_id}".encode()
        digest = hashlib.blake2b(content, key=bytes.fromhex(secret), digest_size=6).digest()
        return int.from_bytes(digest) / 2**48

    return draw


def _pattern_due(connection: Connection, scope: Scope, held_on: date) -> bool:
    talked = read_frame(connection, pattern_talked(scope))["held_on"].max()
    return not isinstance(talked, date) or talked <= held_on - timedelta(days=PATTERN_DAYS)


def _propose(
    connection: Connection,
    settings: Settings,
    viewer: Viewer,
    meeting: store.Known,
    minutes: int,
    kind: str,
    keep: bool,
) -> None:
    scope = scope_of(viewer, meeting.clinician_ids)
    read = caseloads(connection, scope, first_look(viewer, settings.clinician_first_days, settings.today()))
    instruments = registry(load.own_instruments(connection, scope))
    due = follow_up.due(read.actions, meeting.held_on).height
    waiting = read.safety["episode_id"].n_unique()
    fresh = draw_of(practices.secret_of(connection, viewer.practice_id), meeting.held_on, meeting.leader)
    drawn = store.draws_of(connection, meeting)  # also where the meeting was put off since

    def draw(episode_id: int) -> float:
        return drawn[episode_id] if episode_id in drawn else fresh(episode_id)

    found = propose(
        cases(read, instruments), plan_of(kind, minutes), minutes, draw, actions_due=due, safety=waiting,
        pattern_due=_pattern_due(connection, scope, meeting.held_on),
    )  # fmt: skip
    store.put_proposal(connection, meeting, found, keep)


def prepare(
    engine: Engine, settings: Settings, viewer: Viewer, clinicians: Sequence[str], *, held_on: date, minutes: int, kind: str,
    now: datetime,
) -> str:  # fmt: skip
    """A new meeting with its proposed agenda; returns its opaque id. ``clinicians``: opaque ids.

    Raises UnusableInput for an impossible length, kind or choice of people, NotAllowed where the viewer may not lead it.
    """
    if kind not in KINDS or not SHORTEST <= minutes <= LONGEST:
        raise UnusableInput(f"A meeting takes {SHORTEST} to {LONGEST} minutes.")
    if not clinicians:
        raise UnusableInput("Choose whose caseload the meeting is about.")
    if kind == "one_to_one" and len(clinicians) != 1:
        raise UnusableInput("A one-to-one meeting is about one clinician. Choose a group meeting for several.")
    with writing(engine) as connection:
        people = read_frame(connection, caseload.clinicians(scope_for(viewer)))
        chosen = people.filter(pl.col("public_id").is_in(list(clinicians)))["clinician_id"].to_list()
        if len(chosen) != len(set(clinicians)):
            raise NotAllowed(NO_MEETING)
        check_can_lead_meeting(viewer, frozenset(chosen))
        current = read_frame(connection, caseload.evaluation(scope_for(viewer))).to_dicts()
        if not current:
            raise UnusableInput("Nothing has been evaluated yet. Import the practice's files first.")
        public_id = secrets.token_hex(8)
        made = store.create(
            connection, viewer, public_id=public_id, clinician_ids=chosen, held_on=held_on, minutes=minutes, kind=kind,
            data_as_of=current[0]["as_of"], rules_version=current[0]["rules_version"], now=now,
        )  # fmt: skip
        _propose(connection, settings, viewer, made, minutes, kind, keep=False)
    return public_id


@dataclass(frozen=True)
class Room:
    """A meeting that somebody changes: who, which, and the version they saw."""

    engine: Engine
    settings: Settings
    viewer: Viewer
    public_id: str
    seen: int

    @property
    def now(self) -> datetime:
        """The practice's wall clock at the moment of the act."""
        return self.settings.now()

    def propose_again(self, minutes: int, kind: str) -> None:
        """A new proposal for another length or newer data; what people added or wrote stays."""
        if not SHORTEST <= minutes <= LONGEST:
            raise UnusableInput(f"A meeting takes {SHORTEST} to {LONGEST} minutes.")
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id, leads=True)
            current = read_frame(connection, caseload.evaluation(scope_for(self.viewer))).row(0, named=True)
            store.change_meeting(
                connection, meeting, self.seen, minutes=minutes, data_as_of=current["as_of"],
                rules_version=current["rules_version"],
            )  # fmt: skip
            _propose(connection, self.settings, self.viewer, meeting, minutes, kind, keep=True)
            store.note(connection, self.viewer, "proposed again", self.now, meeting, detail=f"{minutes} min")

    def put_off(self, held_on: date) -> None:
        """Another day; the agenda stays as it is."""
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id, leads=True)
            store.change_meeting(connection, meeting, self.seen, held_on=held_on)
            store.note(connection, self.viewer, "put off", self.now, meeting, detail=str(held_on))

    def discard(self) -> None:
        """Takes back a meeting in which nothing was written."""
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id, leads=True)
            store.discard(connection, meeting, self.seen)
            store.note(connection, self.viewer, "taken back", self.now, meeting)

    def hide_names(self, hides: bool) -> None:
        """Names behind codes, for a shared screen, or shown again."""
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id)
            store.change_meeting(connection, meeting, self.seen, hides_names=hides)
            store.note(connection, self.viewer, "names hidden" if hides else "names shown", self.now, meeting)

    def move(self, item_id: int, step: int) -> None:
        """An item up or down."""
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id, leads=True)
            store.move(connection, meeting, self.seen, item_id, step)
            store.note(connection, self.viewer, "agenda moved", self.now, meeting)

    def take_off(self, item_id: int) -> None:
        """Leaves an item out. Raises UnusableInput for safety items: they stay."""
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id, leads=True)
            item = store.item_of(connection, meeting, item_id)
            if item.kind == "safety":
                raise UnusableInput("Safety items stay on the agenda. Record the check, and they go by themselves.")
            store.take_off(connection, meeting, self.seen, item_id, REMOVED)
            store.note(
                connection, self.viewer, "agenda taken off", self.now, meeting, episode_id=item.episode_id,
                clinician_id=item.clinician_id,
            )  # fmt: skip

    def put_on(self, item_id: int, minutes: int) -> None:
        """Takes a left-out item onto the agenda."""
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id)
            item = store.item_of(connection, meeting, item_id)
            store.put_on(connection, meeting, self.seen, item_id, minutes, self.viewer.username)
            store.note(
                connection, self.viewer, "agenda put on", self.now, meeting, episode_id=item.episode_id,
                clinician_id=item.clinician_id,
            )  # fmt: skip

    def add_case(self, episode: str, minutes: int) -> None:
        """Adds an episode (opaque id) of one of the supervisees that the viewer may see."""
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id)
            found = read_frame(connection, caseload.states(scope_for(self.viewer), open_only=False, public_id=episode))
            row = found.to_dicts()
            if not row or row[0]["clinician_id"] not in meeting.clinician_ids:
                raise NotAllowed("Only an episode of the clinicians in this meeting can be added.")
            store.add_case(
                connection, meeting, self.seen, episode_id=row[0]["episode_id"], clinician_id=row[0]["clinician_id"],
                minutes=minutes, username=self.viewer.username,
            )  # fmt: skip
            store.note(
                connection, self.viewer, "agenda added", self.now, meeting, episode_id=row[0]["episode_id"],
                clinician_id=row[0]["clinician_id"],
            )  # fmt: skip

    def set_minutes(self, item_id: int, minutes: int) -> None:
        """Another length for an item."""
        if not 0 < minutes <= LONGEST:
            raise UnusableInput("Give an item at least one minute.")
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id, leads=True)
            store.set_minutes(connection, meeting, self.seen, item_id, minutes)
            store.note(connection, self.viewer, "agenda minutes", self.now, meeting, detail=f"{minutes} min")

    def write(self, item_id: int, field: str, text: str, seen: int) -> int | None:
        """Saves one box on top of the version seen; the new version, or null where somebody saved in between."""
        if field not in LONGEST_TEXT or len(text) > LONGEST_TEXT[field]:
            raise UnusableInput(f"Keep this to {LONGEST_TEXT.get(field, 0)} characters.")
        text = clean(text)  # what is being written keeps its spaces
        if field == "look_again_on" and text:
            _day(text)
        if field == "obstacle" and not set(filter(None, text.split(";"))) <= set(OBSTACLES):
            raise UnusableInput("Choose among the four questions.")
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id)
            item = store.item_of(connection, meeting, item_id)
            scope = scope_for(self.viewer)
            if item.clinician_id is not None and scope.clinician_ids is not None:
                narrowed(scope, item.clinician_id)
            again = store.wrote_just_now(connection, item_id, field, self.viewer.username, self.now)
            version = store.save_field(
                connection, item_id, field, text, seen=seen, username=self.viewer.username, now=self.now
            )
            if version is not None and not again:
                store.note(
                    connection, self.viewer, f"wrote {field}", self.now, meeting, episode_id=item.episode_id,
                    clinician_id=item.clinician_id,
                )  # fmt: skip
        return version

    def close(self, discussed: Sequence[int]) -> None:
        """Confirms what was agreed and closes the meeting for writing. ``discussed``: items that were talked about."""
        with writing(self.engine) as connection:
            meeting = store.writable(connection, self.viewer, self.public_id, leads=True)
            agenda = read_frame(connection, items(self.viewer, meeting.id))
            written = read_frame(connection, fields(self.viewer, meeting.id))
            done = agenda.filter(pl.col("item_id").is_in(list(discussed)))
            agreed = [one for row in agenda.to_dicts() if (one := _agreed(row, written, meeting)) is not None]
            store.close(
                connection, meeting, self.seen, discussed=done["item_id"].to_list(), actions=agreed, now=self.now
            )
            talked = done["episode_id"].drop_nulls().to_list()
            store_follow_up.take_back_marks(connection, self.viewer.practice_id, talked, self.viewer.username, self.now)
            store.note(
                connection,
                self.viewer,
                "closed",
                self.now,
                meeting,
                detail=f"{len(talked)} discussed, {len(agreed)} agreed",
            )

    def sign(self) -> None:
        """The viewer's signature under a closed meeting."""
        with writing(self.engine) as connection:
            meeting = store.known(connection, self.viewer, self.public_id)
            leads = self.viewer.username == meeting.leader
            if not leads and self.viewer.clinician_id not in meeting.clinician_ids:
                raise NotAllowed("Who led the meeting and whom it was about sign it.")
            store.sign(connection, meeting, self.viewer, "supervisor" if leads else "supervisee", self.now)
            store.note(connection, self.viewer, "signed", self.now, meeting)

    def add_after(self, text: str) -> None:
        """Adds to a closed meeting."""
        refusal = f"Write up to {LONGEST_TEXT['note']} characters."
        said = typed(text, LONGEST_TEXT["note"], refusal)
        if not said:
            raise UnusableInput(refusal)
        with writing(self.engine) as connection:
            meeting = store.known(connection, self.viewer, self.public_id)
            if self.viewer.username != meeting.leader and self.viewer.clinician_id not in meeting.clinician_ids:
                raise NotAllowed("Who led the meeting and whom it was about can add to it.")
            store.add_after(connection, meeting, self.viewer, said, self.now)
            store.note(connection, self.viewer, "added to", self.now, meeting)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnusableInput(f"'{text}' is not a day. Write it as 2026-11-20.") from None


def _agreed(row: dict[str, object], written: pl.DataFrame, meeting: store.Known) -> dict[str, object] | None:
    """The action of an item, where something was decided."""
    own = written.filter(pl.col("item_id") == row["item_id"])
    said = dict(own.select("field", "text").iter_rows())
    what = (said.get("what") or "").strip()
    if not what:
        return None
    only = next(iter(meeting.clinician_ids)) if len(meeting.clinician_ids) == 1 else None
    again = said.get("look_again_on")
    return {
        "episode_id": row["episode_id"],
        "clinician_id": row["clinician_id"] or only,
        "what": what,
        "who": (said.get("who") or "").strip(),
        "look_again_on": _day(again) if again else None,
    }


def mark(engine: Engine, viewer: Viewer, episode: str, kind: str, is_set: bool, now: datetime) -> None:
    """The clinician marks an own episode to bring, or as one that went well; or takes it back."""
    if kind not in MARKS:
        raise UnusableInput("Choose one of the two marks.")
    with writing(engine) as connection:
        store_follow_up.mark_episode(connection, viewer, episode, kind, is_set, now)


def set_action(engine: Engine, viewer: Viewer, action_id: int, state: str, seen: int, now: datetime) -> None:
    """What became of an action. Raises UnusableInput where somebody changed it in between."""
    if state not in follow_up.STATES:
        raise UnusableInput("Choose done, not done, not yet measurable, or open.")
    with writing(engine) as connection:
        if not store_follow_up.set_action_state(connection, viewer, action_id, state, seen=seen, now=now):
            raise UnusableInput("Somebody changed this action in between. It is shown as it is now.")
