"""Which source column feeds one of our columns: from its name and from what its cells hold, each with why in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.assist.instruments import instruments_named
from dashboard.assist.links import Reach, Sources, held
from dashboard.assist.names import BARE_ID, ID_NAMES, NAMES, likeness, table_likeness, tokens
from dashboard.assist.profile import Profile, Source
from dashboard.assist.words import CLOSED, KNOWN, plain
from dashboard.instruments.instrument import Instrument
from dashboard.intake.batch import KEYS, TABLES

LEAST = 0.5  # project default: a column under this is not proposed
FAR = 0.07  # taken off for every file between
MOST_FREQUENT = 0.05  # taken off where only the most frequent of several rows can be taken
SHARED = 0.8  # share of a column's values that an id must find where the ids are defined
Known = Mapping[str, tuple[str, str]]  # our id column -> (source, column) that defines it
# days that are counted: these names may hold a number of days or weeks
COUNTED = frozenset(
    tokens("time day days week weeks wave visit month woche tag semana semaine dag jour dia mes mois t 周 天")
)
WEEKS = frozenset(tokens("week weeks woche wochen semana semaine wk 周"))
# short names of outcome and alliance measures: a column of numbers called so holds their scores
MEASURES = frozenset(
    tokens(
        "phq gad bdi bai ors srs core oq wai haq sai arm who wsas pcl k10 dass scl bsi hamd hdrs hama madrs cgi gaf honos qids "
        "ies edeq rcads sdq epds audit dast ham ocs ybocs ymrs"
    )
)
LONGEST = 1500  # days or weeks; a larger number is not counted from a first day


@dataclass(frozen=True)
class Idea:
    """A way to make one of our columns, as a mapping says it; ``sure`` about 0 to 1; ``why`` for people."""

    spec: dict[str, Any]
    sure: float
    why: str


def _name_points(table: str, column: str, reach: Reach) -> tuple[float, str]:
    points = likeness(reach.column, NAMES.get(column, ()))
    if column == "supervisee_id" and table == "supervision":
        points = max(points, 0.9 * likeness(reach.column, ID_NAMES["clinician_id"]))
    why = "the name" if points >= 0.97 else "like the name"
    if column in ID_NAMES and tokens(reach.column) in {tokens(one) for one in BARE_ID}:
        own_key = column == KEYS[table][0] and table_likeness(reach.source, table) >= 0.6
        points = max(points, 0.85 if own_key else 0.62 if column == "client_id" else 0.0)
        why = "the file's own id" if own_key else "an id"
    if table == "scores" and column == "value" and points < 0.85 and measure_named(reach.column):
        points, why = 0.85, "named like a measure"
    return points, why


def measure_named(name: str) -> bool:
    """A column called after an outcome or alliance measure, such as BDI or phq9_total."""
    words = tokens(name)
    return bool(words) and words[0] in MEASURES


def _closed(column: str, profile: Profile) -> tuple[float, str]:
    total = sum(count for _, count in profile.words) or 1
    known = sum(count for word, count in profile.words if plain(word) in KNOWN[column]) / total
    if not profile.closed:
        return -0.5, ""
    return 0.3 * known - 0.1 * (1 - known), "its words" if known > 0.5 else "few distinct words"


def counted_from(profile: Profile) -> bool:
    """Whether a column may count days or weeks from a first day: whole numbers that are not too large."""
    return (
        profile.whole
        and not profile.leading_zero
        and abs(profile.high or 0) <= LONGEST
        and (profile.low or 0) >= -LONGEST
    )


def counts_weeks(name: str) -> bool:
    """A column whose name says weeks."""
    return bool(WEEKS & set(tokens(name))) or "周" in name


def _days(column: str, profile: Profile) -> tuple[float, str]:
    if profile.written.any:
        clock = profile.written.clock
        return (0.12 if clock == (column == "starts_at") else 0.05), "times" if clock else "days"
    if counted_from(profile) and (COUNTED & set(tokens(profile.name)) or "周" in profile.name or "天" in profile.name):
        return 0.0, "counted in weeks" if counts_weeks(profile.name) else "counted in days"
    return (-0.2, "") if not profile.filled else (-0.7, "")


def _content(table: str, column: str, profile: Profile, instruments: Mapping[str, Instrument]) -> tuple[float, str]:
    """What the cells say for or against, and in which words."""
    dtype = str(TABLES[table][column])
    if column in CLOSED:
        return _closed(column, profile)
    if dtype.startswith(("Date", "Datetime")):
        return _days(column, profile)
    if column == "instrument":
        named = instruments_named([word for word, _ in profile.words], instruments)
        return (0.3, "its words are instruments") if named else (-0.2 if profile.closed else -0.6, "")
    if column == "scale":
        return (0.05, "few distinct words") if profile.distinct <= 60 else (-0.6, "")
    if column == "value":
        numbers = profile.number or profile.decimal_comma
        return (0.1, "numbers") if numbers and not profile.leading_zero else (-0.25 if profile.closed else -0.6, "")
    if column == "birth_year":
        years = profile.whole and (profile.low or 0) >= 1900 and (profile.high or 0) <= 2030
        return (0.1, "years") if years else (-0.7, "")
    if column == "planned_sessions":
        return (0.05, "whole numbers") if profile.whole else (-0.6, "")
    if column == KEYS[table][0] and table not in ("leave", "supervision", "scores"):
        return (0.15, "each stands once") if profile.unique else (0.0, "")
    return 0.0, ""


def _foreign(column: str, source: Source, name: str, sources: Sources, known: Known) -> tuple[float, str]:
    """Whether the values of an id are those that another file defines."""
    where = known.get(
        {"supervisor_id": "clinician_id", "supervisee_id": "clinician_id", "cover_id": "clinician_id"}.get(
            column, column
        )
    )
    if where is None or column not in ID_NAMES or where[0] not in sources or where == (source.stem, name):
        return 0.0, ""
    share = held(source.distinct(name), sources[where[0]].distinct(where[1]))
    if share >= SHARED:
        return 0.2, f"its values are in {where[0]}"
    return (-0.5, "") if share < 0.2 else (0.0, "")


def ideas(
    table: str,
    column: str,
    reach: Mapping[str, Reach],
    sources: Sources,
    known: Known,
    instruments: Mapping[str, Instrument],
) -> list[Idea]:
    """Source columns for one of our columns, likeliest first; only those likely enough to propose."""
    found = []
    for one in reach.values():
        source = sources[one.source]
        profile = source.profile(one.column)
        points, why = _name_points(table, column, one)
        defines = known.get(column) == (one.source, one.column) and bool(one.steps) and not one.many
        if defines:
            keys = one.steps[-1]
            within = ", by its period" if "within" in keys else ""
            points, why = 0.95, f"looked up by {' and '.join(keys['on'].values())}{within}"
        if points < 0.4:
            continue
        content, content_why = _content(table, column, profile, instruments)
        foreign, foreign_why = (0.0, "") if defines else _foreign(column, source, one.column, sources, known)
        sure = points + content + foreign - FAR * len(one.steps) - (MOST_FREQUENT if one.many else 0)
        if one.many and (column not in ("clinician_id",) or not one.steps[-1].get("within")):
            sure -= 0.4
        if sure >= LEAST:
            words = [why, foreign_why or content_why, "the most frequent one" if one.many else ""]
            found.append(Idea({"column": one.name}, sure, "; ".join(word for word in words if word)))
    return sorted(found, key=lambda idea: (-idea.sure, len(reach[idea.spec["column"]].steps), idea.spec["column"]))
