"""How a questionnaire is entered: its ranges and the rule of its sums, as the form in the browser needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from dashboard.analytics.scoring import derived
from dashboard.contracts import RESPONDENTS, SCORES
from dashboard.instruments.instrument import Instrument
from dashboard.signals.wording import short_name

OFFERED = 4  # project default: questionnaires shown at once where an episode has none of its own yet
NOBODY, SOME_DAY = 0, pl.date(2000, 1, 1)  # an occasion that stands for any: sums don't depend on whose or when


def can_be_itemised(one: Instrument) -> bool:
    """Whether single items can be entered: their number and their range are stated."""
    return one.range_of("item_1") is not None


def scales_of(one: Instrument) -> list[str]:
    """What can be entered as a number of its own, the total first: only scales with a stated range."""
    return [name for name in ("total", *one.subscales, *one.subscale_ranges) if one.range_of(name) is not None]


def respondents_of(one: Instrument, own: bool) -> list[str]:
    """Who may have filled it in, the usual one first. One published for clients' answers on outcome is theirs alone.

    ``own``: the practice's own definition, which does not say.
    """
    if one.rater == "therapist":
        return [RESPONDENTS[1], RESPONDENTS[0]]
    return list(RESPONDENTS) if own or one.kind == "alliance" else [RESPONDENTS[0]]


def scale_words(scale: str) -> str:
    """Total, Goal, Item 3."""
    words = scale.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def sheet(one: Instrument, own: bool = False) -> dict[str, Any]:
    """What the form needs: key, name, kind, ranges by scale, items, and the rule by which items make sums (``scoring``)."""
    ranges = {name: one.range_of(name) for name in scales_of(one)}
    itemised = can_be_itemised(one)
    allowed = one.prorate_missing
    everything = list(range(1, (one.items or 0) + 1))
    of_total = allowed * max(1, len(one.subscales)) if one.prorate_per_subscale else allowed
    return {
        "key": one.key,
        "name": short_name(one),
        "kind": one.kind,
        "better": one.better,
        "scales": [
            {"name": name, "words": scale_words(name), "low": low, "high": high}
            for name, (low, high) in ((name, found) for name, found in ranges.items() if found is not None)
        ],
        "items": one.items if itemised else 0,
        "itemLow": one.item_minimum,
        "itemHigh": one.item_maximum,
        "reverse": list(one.reverse),
        "scoring": one.scoring,
        "eachSubscale": one.prorate_per_subscale,
        "sums": [
            {"name": "total", "words": "Total", "items": everything, "missing": of_total},
            *(
                {"name": name, "words": scale_words(name), "items": list(numbers), "missing": allowed}
                for name, numbers in one.subscales.items()
            ),
        ]
        if itemised
        else [],
        "respondents": respondents_of(one, own),
    }


def sums(one: Instrument, answers: Mapping[int, float]) -> dict[str, tuple[float, bool]]:
    """What answered items make by ``scoring``: (value, whether a missing item was stood in for) by scale."""
    rows = [
        {"episode_id": NOBODY, "instrument": one.key, "scale": f"item_{item}", "respondent": "client", "value": value}
        for item, value in answers.items()
    ]
    frame = pl.DataFrame(rows, schema={name: kind for name, kind in SCORES.schema.items() if name != "taken_on"})
    made = derived(frame.with_columns(taken_on=SOME_DAY).select(SCORES.schema.keys()), {one.key: one})
    return {row["scale"]: (row["value"], row["prorated"]) for row in made.to_dicts()}


def offered(
    instruments: Mapping[str, Instrument], in_episode: Sequence[str], in_practice: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Questionnaires to show at once, outcome before alliance, and the rest that can be added.

    ``in_episode`` and ``in_practice``: keys as used, the most used first. Without any of the episode's own the practice's.
    """
    usable = {key for key, one in instruments.items() if scales_of(one)}
    first = [key for key in dict.fromkeys(in_episode) if key in usable]
    if not first:
        first = [key for key in dict.fromkeys(in_practice) if key in usable][:OFFERED]
    first.sort(key=lambda key: instruments[key].kind != "outcome")
    return first, sorted(usable - set(first), key=lambda key: short_name(instruments[key]).lower())
