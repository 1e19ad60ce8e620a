"""Words of other systems for our closed lists, and words of frequency, amount and agreement in their order."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from pathlib import Path

_DATA = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
CLOSED: dict[str, dict[str, list[str]]] = _DATA["closed"]
# each from least to most; words of one place are the same amount
ORDERS: dict[str, list[list[str]]] = _DATA["order"]
FREE = ("gender",)  # our column is free text: a word may also stay as it is
UNSAID = "the source does not say who cancelled; it counts as the client's unless you change it"
_ACTORLESS = {"cancelled", "canceled", "cancellation", "rescheduled", "moved", "abgesagt", "annule", "cancelada", "cancelado",
              "afgezegd", "geannuleerd", "annullato", "取消", "已取消", "改期"}  # fmt: skip


def plain(word: str) -> str:
    """A word without case, accents, signs and doubled blanks."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c)).casefold()
    return " ".join(re.split(r"[\W_]+", bare)).strip()


def _words(column: str) -> dict[str, str]:
    made: dict[str, str] = {}
    for ours, theirs in CLOSED[column].items():
        made.setdefault(plain(ours), ours)
        for one in theirs:
            made.setdefault(plain(one), ours)
    return made


KNOWN = {column: _words(column) for column in CLOSED}


def suggested_word(column: str, word: str) -> str | None:
    """Our word for another system's word of a closed list; null where we know none."""
    return KNOWN[column].get(plain(word))


_COMMON = {word for words in KNOWN.values() for word in words if not word.isdigit()} | {
    plain(word) for places in ORDERS.values() for place in places for word in place
}


def common(word: str) -> bool:
    """A word of our lists, such as "kept" or "often", which says nothing of one client in particular."""
    return plain(word) in _COMMON


def actor_unsaid(word: str) -> bool:
    """A cancellation that does not say who cancelled."""
    return plain(word) in _ACTORLESS


def ordered_labels(labels: list[str]) -> tuple[str, list[str]] | None:
    """The labels from least to most and the family they belong to; null unless one family knows every one, each once."""
    best: tuple[int, str, list[str]] | None = None
    for family, places in ORDERS.items():
        rank = {plain(one): place for place, words in reversed(list(enumerate(places))) for one in words}
        found = {label: rank.get(plain(label)) for label in labels}
        known = sum(place is not None for place in found.values())
        if known < len(labels) or len(set(found.values())) < len(labels):
            continue
        order = sorted(labels, key=lambda label: found[label] or 0)
        if best is None or known > best[0]:
            best = (known, family, order)
    return None if best is None else (best[1], best[2])
