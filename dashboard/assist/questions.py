"""What a draft still has to be told by a person, and which words no list knows yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from dashboard.assist.details import is_day, is_time, unmapped
from dashboard.assist.draft import FIRST_DAY, Draft, Spec, Target, unpivoted
from dashboard.assist.labels import COLUMNS, TABLES
from dashboard.assist.links import Reach, Sources
from dashboard.assist.profile import Profile
from dashboard.assist.scores import needs_own
from dashboard.assist.survey import counted_labels
from dashboard.assist.words import CLOSED
from dashboard.instruments.instrument import Instrument
from dashboard.intake.batch import TABLES as SCHEMA
from dashboard.intake.check import REQUIRED

Instruments = Mapping[str, Instrument]
Reaches = Mapping[int, Mapping[str, Reach]]  # of a target's uid


@dataclass(frozen=True)
class Topic:
    """Something to look at in the step "Words and dates". ``kind``: first_day, days, words, answers, instrument or own.

    ``open``: an answer is lacking; ``blocks``: without it nothing can be tried. ``words`` may hold the names of files.
    """

    kind: str
    uid: int
    column: str
    words: str
    open: bool
    blocks: bool = False

    @property
    def key(self) -> str:
        """Names the topic in an address."""
        return f"{self.kind}.{self.uid}.{self.column}"


def profile_at(target: Target, spec: Spec, reach: Mapping[str, Reach], sources: Sources) -> Profile | None:
    """The profile of the source column that a spec reads; null where it reads none, or one that is not there."""
    name = spec.get("column")
    at = reach.get(str(name)) if name and not unpivoted(str(name)) else None
    return sources[at.source].profile(at.column) if at is not None else None


def lacking(draft: Draft) -> list[tuple[Target, str]]:
    """Required columns that nothing feeds, by target."""
    return [
        (target, column)
        for target in draft.targets
        for column in REQUIRED[target.table]
        if not _fed(target.columns.get(column))
    ]


def _fed(spec: Spec | None) -> bool:
    return spec is not None and any(spec.get(key) not in (None, "") for key in ("column", "constant", "template"))


def topics(draft: Draft, reaches: Reaches, sources: Sources, instruments: Instruments) -> list[Topic]:
    """Every topic of the draft, in an order that answering one does not change."""
    found: list[Topic] = []
    if draft.counts_from_first_day:
        found.append(Topic("first_day", 0, "", "The first day", not _is_day(draft.first_day), True))
    for target in draft.targets:
        reach = reaches.get(target.uid, {})
        for column in SCHEMA[target.table]:
            spec = target.columns.get(column)
            if spec:
                found += _of_column(target, column, spec, reach, sources, instruments, draft)
        if target.table == "scores":
            found += _instrument(target)
            if target.is_survey:
                found += _answers(target, sources)
    found += [
        Topic("own", 0, key, f"The instrument {key}, which is not known here", True)
        for key in needs_own(draft, instruments)
    ]
    found += [
        Topic("own", 0, str(one.get("key", "")), f"The instrument {one.get('key', '')}", False)
        for one in draft.instruments
    ]
    return found


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _said(target: Target, column: str) -> str:
    return f"{TABLES[target.table].name} from {target.file}: {COLUMNS[column].lower()}"


def _of_column(
    target: Target, column: str, spec: Spec, reach: Mapping[str, Reach], sources: Sources, instruments: Instruments, draft: Draft
) -> list[Topic]:  # fmt: skip
    profile = profile_at(target, spec, reach, sources)
    if profile is None:
        return []
    if is_day(target.table, column) or is_time(target.table, column):
        return _days(target, column, spec, profile)
    if column in CLOSED or (column == "instrument"):
        defined = (
            instruments
            if column != "instrument"
            else {**instruments, **{str(o.get("key")): None for o in draft.instruments}}
        )
        if column == "instrument" or profile.distinct <= 200:
            left = unmapped(column, profile, spec, defined)  # type: ignore[arg-type]
            return [
                Topic("words", target.uid, column, f"{_said(target, column)}, {profile.distinct} words", bool(left))
            ]
    return []


def _days(target: Target, column: str, spec: Spec, profile: Profile) -> list[Topic]:
    words = f"{_said(target, column)}, how it is written"
    if spec.get("days_from") is not None:
        return [Topic("days", target.uid, column, words, False)]
    told = bool(spec.get("date") or spec.get("time"))
    found = profile.written
    plain = found.iso and not (found.clock and is_day(target.table, column))
    if not profile.filled or (plain and not told):
        return []
    return [Topic("days", target.uid, column, words, not told, not told and len(found.formats) > 1)]


def _instrument(target: Target) -> list[Topic]:
    spec = target.columns.get("instrument", {})
    if spec.get("column") and not unpivoted(str(spec["column"])):
        return []
    open_ = not _fed(spec)
    words = f"Scores from {target.file}: which instrument"
    return [Topic("instrument", target.uid, "instrument", words, open_, open_)]


def _answers(target: Target, sources: Sources) -> list[Topic]:
    source = sources.get(target.file)
    if source is None:
        return []
    labels = counted_labels(source, list(target.spec.get("unpivot", {})))
    values = target.columns.get("value", {}).get("values", {})
    if not values and all(label.replace(".", "", 1).isdecimal() for label in labels):
        return []
    left = [label for label in labels if values.get(label, "") == ""]
    return [
        Topic(
            "answers", target.uid, "value", f"Scores from {target.file}: numbers for {len(labels)} answers", bool(left)
        )
    ]


def blocked(draft: Draft, found: list[Topic]) -> list[str]:
    """What must be said before anything can be tried, as sentences; they may hold the names of files."""
    said = [
        f"{TABLES[target.table].name} need a column for {COLUMNS[column].lower()}." for target, column in lacking(draft)
    ]
    open_ = [one.words for one in found if one.open and one.blocks]
    said += [f"Still to be said: {'; '.join(open_)}."] if open_ else []
    if not draft.targets:
        said.append("No file feeds a table yet.")
    if any(spec.get("constant") == FIRST_DAY for _, _, spec in draft.specs()) and not draft.counts_from_first_day:
        said.append("The first day is still to be said.")
    return list(dict.fromkeys(said))
