"""What is gathered for a snapshot: a caseload or several, one episode, or a practice's counts, as of today or of a past day.

Reads through the pages' own ``load`` and ``build``, so that paper says what the screen says. The scope given is the viewer's;
every read starts from it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

import polars as pl
from sqlalchemy import Connection

from dashboard.access import NO_EPISODE, FirstLook, Role, Scope, Viewer, check_can_make_snapshot, narrowed
from dashboard.contracts import Frames
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.replay.known import as_known
from dashboard.replay.priority import worded
from dashboard.snapshot.compose import MOST_SHOWN, About, Draft, Part, compose, listing
from dashboard.snapshot.content import Audience, Kind, Listed
from dashboard.snapshot.practice import SENTENCE, summary_view
from dashboard.ui.caseload_table import OPEN_GROUPS, CaseloadRow
from dashboard.ui.reading import Standing, standing
from dashboard.ui.status import PRIORITY
from dashboard.ui.view import Caseload, Lead, Legend, View
from dashboard.ui.words import day, plural
from pages import caseload, episode
from queries import caseload as reads
from queries import load, practices
from queries.frames import read_frame

SAID_ABOVE = frozenset({Lead, Caseload, Legend})  # a packet's first sheet says these in its own way
NOTHING = (
    "Nothing has been evaluated yet, so there is nothing to put into a snapshot. Import the practice's files first."
)


@dataclass(frozen=True)
class Reader:
    """Who reads, as of when. ``evaluation_id`` null: the current evaluation; ``first``: what they have to wait for."""

    connection: Connection
    scope: Scope
    today: date
    first: FirstLook | None = None
    evaluation_id: int | None = None

    def caseload_data(self, scope: Scope) -> caseload.Data:
        """One caseload as the page reads it, as known on the day where that is past."""
        data = caseload.load(
            self.connection, scope, whole=False, first=self.first, evaluation_id=self.evaluation_id
        )  # fmt: skip
        known = self._known(scope, data.now, data.states["episode_id"].to_list())
        if known is None:
            return data
        seen = data.viewed.filter(pl.col("at") <= datetime.combine(self.today, time.max))
        return replace(data, scores=known.scores, appointments=known.appointments, viewed=seen)

    def episode_view(self, public_id: str) -> tuple[View, episode.Data]:
        """One episode as the page shows it, in light colours."""
        data = episode.load(self.connection, self.scope, public_id, self.first, self.evaluation_id)
        if data.state is not None:
            known = self._known(self.scope, data.now, [data.state["episode_id"]])
            if known is not None:
                data = replace(data, scores=known.scores, appointments=known.appointments)
        return episode.build(data, today=self.today, chart_theme="light"), data

    def _known(self, scope: Scope, now: Standing, ids: Sequence[int]) -> Frames | None:
        """Scores and appointments as known on a past day; null for today, when they are what is stored."""
        if self.evaluation_id is None or now.as_of is None:
            return None
        history = load.history(self.connection, scope, now.as_of, ids)
        wanted = pl.DataFrame({"episode_id": list(ids)}, schema={"episode_id": pl.Int64()})
        return as_known(history, wanted.with_columns(unit=pl.col("episode_id"), as_of=pl.lit(now.as_of)))

    def people(self, clinician_ids: Collection[int] | None = None) -> list[dict[str, Any]]:
        """The clinicians in scope by name, or those of them named."""
        rows = read_frame(self.connection, reads.clinicians(self.scope)).to_dicts()
        return [row for row in rows if clinician_ids is None or row["clinician_id"] in clinician_ids]


def name_of(row: dict[str, Any]) -> str:
    """A clinician's name, else the practice's own id."""
    return str(row["display_name"] or row["source_id"])


def about_of(
    reader: Reader, kind: Kind, title: str, people: Sequence[dict[str, Any]], now: Standing, **more: Any
) -> About:
    """The first page's facts. Raises UnusableInput where nothing has been evaluated."""
    if now.as_of is None:
        raise UnusableInput(NOTHING)
    return About(
        kind=kind,
        practice=practices.name_of(reader.connection, reader.scope.practice_id),
        title=title,
        people=tuple(name_of(row) for row in people),
        as_of=now.as_of,
        rules_version=now.rules_version,
        model_version=now.model_version,
        **more,
    )


def waiting(reader: Reader) -> tuple[str, ...]:
    """That signals wait for the clinician, where they do."""
    if reader.first is None:
        return ()
    return (f"signals raised after {day(reader.first.since)} wait for the clinician",)


def caseload_draft(reader: Reader, clinician_ids: Collection[int], *, most: int = MOST_SHOWN) -> Draft:
    """The packet of one or several supervisees: summary, every episode worth discussing, the first ``most`` in detail.

    Raises NotAllowed where one of them is out of scope, UnusableInput where nothing has been evaluated.
    """
    wanted = frozenset(clinician_ids)
    check_can_make_snapshot(reader.scope, wanted)
    people = reader.people(wanted)
    if len(people) != len(wanted):
        raise NotAllowed("This caseload is not yours or your supervisees'. If that looks wrong, ask your director.")
    nobody = Viewer("", Role.SUPERVISOR, reader.scope.practice_id)  # a packet always names whose caseload it is
    found: list[tuple[dict[str, Any], caseload.Data, View]] = []
    for person in people:
        data = reader.caseload_data(narrowed(reader.scope, person["clinician_id"]))
        found.append((person, data, caseload.build(nobody, data, chosen=name_of(person), today=reader.today)))
    about = about_of(
        reader,
        Kind.CASELOAD,
        "Caseload of " + " and ".join(name_of(row) for row in people)
        if len(people) <= 2
        else "Caseloads for supervision",
        people,
        found[0][1].now,
        filters=("all open episodes", *waiting(reader)),
        coverage="; ".join(_coverage(person, view, len(people) > 1) for person, _, view in found if _lead(view)),
    )
    rows = {person["clinician_id"]: rows_of(view) for person, _, view in found}
    first = _first([row for these in rows.values() for row in these], most)
    listed: list[Listed] = []
    for person, _, _ in found:
        listed += listing(rows[person["clinician_id"]], name_of(person), {row.public_id for row in first})
    fronts = [Part(_front(person, view, len(people) > 1), leave_out=SAID_ABOVE) for person, _, view in found]
    shown = [Part(reader.episode_view(row.public_id)[0], notes=True) for row in first]
    content = compose(about, _summary(found), [*fronts, *shown], listed)
    codes = sorted(str(row["source_id"]) for row in people)
    return Draft(content, wanted, codes[0] if len(codes) == 1 else f"{len(codes)}-supervisees")


def episode_draft(reader: Reader, public_id: str) -> Draft:
    """One episode. Raises NotAllowed where it is not in scope, or does not exist."""
    view, data = reader.episode_view(public_id)
    if data.state is None:
        raise NotAllowed(NO_EPISODE)
    people = reader.people({data.state["clinician_id"]})
    about = about_of(
        reader, Kind.EPISODE, f"Episode {data.state['client_code']}", people, data.now,
        filters=("one episode", *waiting(reader)),
    )  # fmt: skip
    status = PRIORITY[data.state["priority"]].word if data.state["closed_on"] is None else "Closed"
    content = compose(about, f"{status}.", [Part(view, notes=True)])
    clinician = frozenset({int(data.state["clinician_id"])})
    return Draft(content, clinician, str(people[0]["source_id"]), int(data.state["episode_id"]))


def practice_draft(reader: Reader, clinician_ids: Collection[int] | None = None) -> Draft:
    """Counts of the whole scope, or of the named clinicians' episodes; no client row, no clinician's name.

    Raises NotAllowed where one of them is out of scope.
    """
    people = reader.people(None if clinician_ids is None else frozenset(clinician_ids))
    wanted = frozenset(int(row["clinician_id"]) for row in people)
    if clinician_ids is not None and wanted != frozenset(clinician_ids):
        raise NotAllowed("This caseload is not yours or your supervisees'. If that looks wrong, ask your director.")
    check_can_make_snapshot(reader.scope, wanted)
    scope = Scope(reader.scope.practice_id, wanted, reader.scope.reason)
    one = reader.evaluation_id
    states = read_frame(reader.connection, reads.states(scope, open_only=False, evaluation_id=one))
    flags = read_frame(reader.connection, reads.flags(scope, first=reader.first, evaluation_id=one))
    flags = flags.filter(pl.col("state") != "snoozed")
    if reader.first is not None:
        states = worded(states, flags)
    now = standing(reader.connection, scope, one)
    whole = clinician_ids is None and reader.scope.clinician_ids is None
    about = about_of(
        reader, Kind.PRACTICE, "Practice summary", [], now, audience=Audience.PRACTICE,
        filters=(("whole practice",) if whole else (f"{plural(len(wanted), 'caseload')}",)),
    )  # fmt: skip
    view = summary_view(states, flags, about.as_of)
    return Draft(compose(about, SENTENCE, [Part(view)]), wanted, "practice")


# --------------------------------------------------------------------------- parts of a packet


def _lead(view: View) -> Lead | None:
    return next((block for block in view.blocks if isinstance(block, Lead)), None)


def rows_of(view: View) -> Sequence[CaseloadRow]:
    """The caseload's rows as a page shows them."""
    return next((block.rows for block in view.blocks if isinstance(block, Caseload)), ())


def _first(rows: Sequence[CaseloadRow], most: int) -> list[CaseloadRow]:
    worth = [row for row in rows if row.priority in OPEN_GROUPS]
    return sorted(worth, key=lambda row: (PRIORITY[row.priority].order, row.since_sort, row.code))[:most]


def _coverage(person: dict[str, Any], view: View, several: bool) -> str:
    lead = _lead(view)
    assert lead is not None  # noqa: S101 - asked for before
    return f"{name_of(person)}: {lead.note}" if several else lead.note


def _front(person: dict[str, Any], view: View, several: bool) -> View:
    title = f"At a glance: {name_of(person)}" if several else "At a glance"
    return replace(view, title=title)


def _summary(found: Sequence[tuple[dict[str, Any], caseload.Data, View]]) -> str:
    if len(found) == 1:
        lead = _lead(found[0][2])
        return lead.sentence if lead else "No open episodes."
    episodes = sum(data.states.height for _, data, _ in found)
    worth = sum(1 for _, _, view in found for row in rows_of(view) if row.priority in OPEN_GROUPS)
    return f"{worth} of {plural(episodes, 'open episode')} of {len(found)} supervisees have something worth discussing."
