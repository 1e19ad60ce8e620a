"""What a source column needs beyond its name: a date format, a first day, words for a closed list, a decimal comma."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.assist.columns import counted_from, counts_weeks
from dashboard.assist.draft import FIRST_DAY
from dashboard.assist.instruments import instruments_named
from dashboard.assist.names import tokens
from dashboard.assist.profile import Profile
from dashboard.assist.words import CLOSED, suggested_word
from dashboard.instruments.instrument import Instrument
from dashboard.intake.batch import TABLES
from dashboard.intake.check import WORDS as OURS

MONTH_DAYS = 30  # project default: days of a month where a source counts months only
Spec = dict[str, Any]


def is_day(table: str, column: str) -> bool:
    """Our columns that hold a day."""
    return str(TABLES[table][column]) == "Date"


def is_time(table: str, column: str) -> bool:
    """Our columns that hold a time."""
    return str(TABLES[table][column]).startswith("Datetime")


def dated(table: str, column: str, profile: Profile, spec: Spec) -> Spec:
    """How a column is read as days or times; without a format where several fit, because that is for a person to say."""
    kept = {
        key: value
        for key, value in spec.items()
        if key not in ("date", "time", "part", "days_from", "step_days", "first")
    }
    found = profile.written
    if not found.any:
        if counted_from(profile) and profile.filled:
            kept["days_from"] = FIRST_DAY
            if profile.low == 1:
                kept["first"] = 1
            if counts_weeks(profile.name):
                kept["step_days"] = 7
            elif {"month", "months", "monat", "mes", "mois", "maand"} & set(tokens(profile.name)):
                kept["step_days"] = MONTH_DAYS
        return kept
    if found.iso and not (found.clock and is_day(table, column)):
        return kept
    if len(found.formats) == 1:
        return with_format(table, column, kept, found.formats[0])
    return kept


def with_format(table: str, column: str, spec: Spec, text: str) -> Spec:
    """The column read with this format; of a time only the day is kept where we hold a day."""
    kept = {key: value for key, value in spec.items() if key not in ("date", "time", "part")}
    if "%H" not in text and "%I" not in text:
        return kept | {"date": text}
    return kept | {"time": text} | ({"part": "day"} if is_day(table, column) else {})


def word_map(column: str, profile: Profile) -> dict[str, str]:
    """Our words for the source's words of a closed list, for those known here; a word that is ours already needs none."""
    made = {}
    for word, _ in profile.words:
        ours = suggested_word(column, word)
        if ours is not None and ours != word:
            made[word] = ours
    return made


def detailed(table: str, column: str, profile: Profile, spec: Spec, instruments: Mapping[str, Instrument]) -> Spec:
    """The spec of a plain column with all that its cells say beyond doubt."""
    if is_day(table, column) or is_time(table, column):
        return dated(table, column, profile, spec)
    made = dict(spec)
    if column in CLOSED and profile.distinct <= 200:
        if values := word_map(column, profile):
            made["values"] = values
    elif column == "instrument":
        named = instruments_named([word for word, _ in profile.words], instruments)
        if values := {word: key for word, key in named.items() if word != key}:
            made["values"] = values
    elif column in ("value", "planned_sessions") and profile.decimal_comma:
        made["decimal"] = ","
    return made


def unmapped(column: str, profile: Profile, spec: Spec, instruments: Mapping[str, Instrument]) -> list[tuple[str, int]]:
    """The source's words of a closed list that neither the map nor our list knows, with their counts."""
    if spec.get("other"):
        return []
    if column == "instrument":
        allowed = set(instruments)
    elif column in OURS:
        allowed = set(OURS[column])
    elif column == "is_trainee":
        allowed = {"true", "yes", "1", "false", "no", "0"}
    else:
        return []
    values = spec.get("values") or {}
    return [(word, count) for word, count in profile.words if word not in values and word not in allowed]
