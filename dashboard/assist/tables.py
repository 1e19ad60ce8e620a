"""Which of our tables a file feeds, with why in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.assist.columns import Known, ideas
from dashboard.assist.links import Reach, Sources, reachable
from dashboard.assist.names import table_likeness
from dashboard.assist.profile import Source
from dashboard.assist.survey import survey_of
from dashboard.instruments.instrument import Instrument

# what a file must hold itself to be proposed for a table; what else is required can be looked up or said once for all rows
OWN: dict[str, tuple[str, ...]] = {
    "clinicians": ("clinician_id",),
    "leave": ("clinician_id", "from", "to"),
    "supervision": ("supervisor_id",),
    "clients": ("client_id",),
    "episodes": ("opened_on", "client_id"),
    "appointments": ("starts_at", "status"),
    "scores": ("value",),
}
LEAST = 0.6  # project default
NAMED = 0.45  # the weight of a file's name beside what it holds


@dataclass(frozen=True)
class TableIdea:
    """One of our tables for a file; ``sure`` 0 to 1."""

    table: str
    sure: float
    why: str


def _own(source: Source, table: str, sources: Sources, instruments: Mapping[str, Instrument]) -> dict[str, float]:
    reach = {name: Reach(name, source.stem, name) for name in source.names}
    found = {}
    for column in OWN[table]:
        best = ideas(table, column, reach, sources, {}, instruments)
        found[column] = best[0].sure if best else 0.0
    return found


def _keyed_once(source: Source, table: str, instruments: Mapping[str, Instrument]) -> bool:
    reach = {name: Reach(name, source.stem, name) for name in source.names}
    best = ideas(table, OWN[table][0], reach, {source.stem: source}, {}, instruments)
    return bool(best) and source.profile(best[0].spec["column"]).unique


def table_ideas(source: Source, sources: Sources, instruments: Mapping[str, Instrument]) -> list[TableIdea]:
    """Tables that a file may feed, likeliest first; none where nothing fits."""
    found = []
    for table in OWN:
        name = table_likeness(source.stem, table)
        own = _own(source, table, sources, instruments)
        if min(own.values()) <= 0:
            continue
        if table == "leave" and name < 0.3:
            continue
        holds = sum(own.values()) / len(own)
        if table in ("clinicians", "clients") and name < 0.6:
            holds *= 0.9 if _keyed_once(source, table, instruments) and len(source.names) <= 8 else 0.4
        if table == "supervision" and name < 0.3:
            holds *= 0.5
        if table == "episodes" and name < 0.3:
            holds *= 0.7
        if table == "scores" and not _scores_hang_on_something(source, sources, name, instruments):
            continue
        sure = NAMED * name + (1 - NAMED) * holds if name else holds * 0.8
        why = ", ".join(
            w for w in ("the file's name" if name >= 0.6 else "", "its columns" if holds > 0.5 else "") if w
        )
        if sure >= LEAST or (name >= 0.6 and holds >= 0.5):
            found.append(TableIdea(table, sure, why or "its columns"))
    survey = survey_of(source)
    if survey is not None and all(one.table != "scores" or one.sure < 0.9 for one in found):
        found = [one for one in found if one.table != "scores"]
        found.append(TableIdea("scores", 0.9, f"{len(survey.items)} columns that are answered alike"))
    return sorted(found, key=lambda one: (-one.sure, one.table))


def _scores_hang_on_something(
    source: Source, sources: Sources, name: float, instruments: Mapping[str, Instrument]
) -> bool:
    """A number is a score only with a day and somebody it is about."""
    known: Known = {}
    reach = {key: one for key, one in reachable(source, sources).items() if not one.many}
    return all(ideas("scores", column, reach, sources, known, instruments) for column in ("taken_on",)) and bool(
        ideas("clients", "client_id", reach, sources, known, instruments)
        or ideas("scores", "episode_id", reach, sources, known, instruments)
    )
