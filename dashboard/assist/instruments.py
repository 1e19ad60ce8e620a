"""Which instrument a word or a column's name stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboard.assist.words import plain
from dashboard.instruments.instrument import Instrument


def _solid(word: str) -> str:
    return plain(word).replace(" ", "")


def instrument_of(word: str, instruments: Mapping[str, Instrument]) -> str | None:
    """The key of the instrument that a word names (PHQ-9, phq9, a whole name); null where none does, or several do."""
    said = _solid(word)
    if not said:
        return None
    for key, one in instruments.items():
        if said in (_solid(key), _solid(one.name)):
            return key
    for cut in ("total", "score", "sum", "totalscore", "sumscore", "summe", "tot"):
        if said.endswith(cut) and len(said) > len(cut):
            return instrument_of(said[: -len(cut)], instruments)
    return None


def instruments_named(words: Iterable[str], instruments: Mapping[str, Instrument]) -> dict[str, str]:
    """Word -> key for the words that name an instrument."""
    found = {word: instrument_of(word, instruments) for word in words}
    return {word: key for word, key in found.items() if key is not None}
