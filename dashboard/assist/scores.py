"""How a file's numbers become scores: which instrument, which scale, from columns side by side or one value per row."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dashboard.assist.columns import Known, ideas, measure_named
from dashboard.assist.details import detailed
from dashboard.assist.draft import Draft, Spec, Target
from dashboard.assist.instruments import instrument_of
from dashboard.assist.links import Reach, Sources
from dashboard.assist.names import tokens
from dashboard.assist.profile import Source
from dashboard.assist.survey import Survey, counted_labels, label_numbers, likely_instruments
from dashboard.assist.words import plain
from dashboard.instruments.instrument import Instrument
from dashboard.intake.mapping import UNPIVOT_NAME, UNPIVOT_VALUE

INATTENTIVE = "an attention check was not answered as its question asks"
ITEM_WORDS = frozenset({"item", "question", "number", "no", "nr"})
Instruments = Mapping[str, Instrument]


def survey_columns(target: Target, survey: Survey, source: Source, instruments: Instruments) -> None:
    """Items side by side as item_1, item_2, … in file order; checks of attention as rows to set aside."""
    target.spec["unpivot"] = {column: f"item_{number}" for number, column in enumerate(survey.items, start=1)}
    target.spec["check"] = [
        {"column": column, "equals": answer, "reason": INATTENTIVE} for column, answer in survey.checks.items()
    ]
    likely = likely_instruments(survey, source, instruments)
    target.columns["instrument"] = {"constant": likely[0][0] if likely else ""}
    target.why["instrument"] = likely[0][1] if likely else "no instrument has so many items: choose or define one"
    target.columns["scale"] = {"column": UNPIVOT_NAME}
    target.why["scale"] = "the items in the order of the file"
    target.columns["value"] = {"column": UNPIVOT_VALUE}
    target.why["value"] = "the answers"
    if survey.texts:
        renumber(target, source, instruments)


def renumber(target: Target, source: Source, instruments: Instruments) -> None:
    """Numbers for the answers' words as the chosen instrument counts them; a word already numbered by hand is left out."""
    key = target.columns.get("instrument", {}).get("constant")
    labels = counted_labels(source, list(target.spec.get("unpivot", {})))
    idea = label_numbers(labels, instruments.get(str(key)))
    target.columns["value"] = {"column": UNPIVOT_VALUE} | ({"values": idea.numbers} if idea.numbers else {})
    target.why["value"] = idea.why


def _totals(source: Source, taken: set[str]) -> dict[str, str]:
    """Columns of numbers that are each named like a measure, where there are several: column -> its measure's name."""
    found = {}
    for name in source.names:
        profile = source.profile(name)
        if name not in taken and measure_named(name) and profile.number and not profile.leading_zero:
            found[name] = name
    return found if len(found) > 1 else {}


def score_columns(
    target: Target, reach: dict[str, Reach], sources: Sources, known: Known, instruments: Instruments, taken: set[str]
) -> None:
    """Instrument, scale and value of a file with one score in a row, or one column for each instrument's total."""
    source = sources[target.file]
    named = ideas("scores", "instrument", reach, sources, known, instruments)
    named = [one for one in named if one.spec["column"] not in taken]
    if not named and (totals := _totals(source, taken)):
        target.spec["unpivot"] = {column: own_key(column, instruments) for column in totals}
        target.columns.update(
            instrument={"column": UNPIVOT_NAME}, scale={"constant": "total"}, value={"column": UNPIVOT_VALUE}
        )
        target.why |= {
            "instrument": "columns named like measures",
            "scale": "one total in each",
            "value": "their numbers",
        }
        return
    values = [
        one for one in ideas("scores", "value", reach, sources, known, instruments) if one.spec["column"] not in taken
    ]
    value = values[0] if values else None
    if value is not None:
        at = reach[value.spec["column"]]
        target.columns["value"] = detailed(
            "scores", "value", sources[at.source].profile(at.column), value.spec, instruments
        )
        target.why["value"] = value.why
    if named:
        at = reach[named[0].spec["column"]]
        profile = sources[at.source].profile(at.column)
        target.columns["instrument"] = detailed("scores", "instrument", profile, named[0].spec, instruments)
        target.why["instrument"] = named[0].why
    else:
        said = str(value.spec["column"]) if value and measure_named(value.spec["column"]) else target.file
        target.columns["instrument"] = {"constant": own_key(said, instruments)}
        target.why["instrument"] = "the name of the column" if value and said != target.file else "the name of the file"
    target.columns["scale"], target.why["scale"] = _scale(target, source, instruments)


def _scale(target: Target, source: Source, instruments: Instruments) -> tuple[Spec, str]:
    for name in source.names:
        profile = source.profile(name)
        words = set(tokens(name))
        if (
            "item" in words
            and words & ITEM_WORDS
            and profile.whole
            and (profile.low or 0) >= 1
            and not words & {"id", "count"}
        ):
            return {"template": f"item_{{{name}}}"}, "numbers of items"
        if words & {"scale", "subscale", "skala", "escala"} and profile.closed and not profile.number:
            values = {word: "total" for word, _ in profile.words if "total" in plain(word).split() and word != "total"}
            return {"column": name} | ({"values": values} if values else {}), "the name"
    return {"constant": "total"}, "one score in a row"


def own_key(name: str, instruments: Instruments) -> str:
    """The key of a known instrument that a name speaks of, else a key made from the name for one of the practice's own."""
    if found := instrument_of(name, instruments):
        return found
    for word in tokens(name):
        if len(word) > 2 and (found := instrument_of(word, instruments)):
            return found
    made = re.sub(r"[^a-z0-9]+", "_", plain(name)).strip("_")[:40]
    return made if made[:1].isalpha() else f"own_{made}".rstrip("_")[:40]


def keys_used(target: Target, sources: Sources, reach: Mapping[str, Reach] | None = None) -> list[str]:
    """The instrument keys that a target would write, as far as its column or constant says."""
    spec = target.columns.get("instrument", {})
    if spec.get("constant"):
        return [str(spec["constant"])]
    if spec.get("column") == UNPIVOT_NAME:
        return sorted(set(target.spec.get("unpivot", {}).values()))
    at = (reach or {}).get(str(spec.get("column")))
    if at is None:
        return []
    values = spec.get("values", {})
    return sorted({values.get(word, word) for word, _ in sources[at.source].profile(at.column).words})


def needs_own(draft: Draft, instruments: Instruments) -> list[str]:
    """Instrument keys that scores use and that neither the program, the practice nor this mapping defines."""
    defined = {*instruments, *(one.get("key") for one in draft.instruments)}
    wanted = []
    for target in draft.of_table("scores"):
        spec = target.columns.get("instrument", {})
        keys = [spec["constant"]] if spec.get("constant") else list(spec.get("values", {}).values())
        if spec.get("column") == UNPIVOT_NAME:
            keys = list(target.spec.get("unpivot", {}).values())
        wanted += [str(key) for key in keys if key and key not in defined]
    return list(dict.fromkeys(wanted))
