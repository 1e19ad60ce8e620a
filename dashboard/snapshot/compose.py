"""Views and a list of episodes, put together as the content of a snapshot: the seam for whoever makes another kind of one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dashboard.glossary import GLOSSARY
from dashboard.signals import SIGNALS
from dashboard.snapshot.content import Audience, Content, Frozen, Kind, Listed, Section, plain
from dashboard.snapshot.freeze import frozen_view
from dashboard.ui.caseload_table import OPEN_GROUPS, CaseloadRow, Series, ordered
from dashboard.ui.status import CHANGE
from dashboard.ui.view import View
from dashboard.ui.words import MISSING, score

MOST_SHOWN = 10  # project default: episodes with a block of their own; the others are named
SHOWN = "below"
LEFT_OUT = "left out for time"
LIMITS = (
    "Only what was recorded and known on the day named above is in it; what was not measured cannot raise a signal.",
    "Signals suggest a conversation. They do not score a client or a clinician, and no signal does not mean that all is well.",
    "Not for urgent risk: do not wait for supervision if someone may be at risk, follow your practice's crisis procedure.",
)


@dataclass(frozen=True)
class Part:
    """A View that goes onto paper. ``notes``: lines to write on after it; ``leave_out``: kinds of block said elsewhere."""

    view: View
    notes: bool = False
    leave_out: frozenset[type] = frozenset()


@dataclass(frozen=True)
class About:
    """What a snapshot is of: everything on its first page but the sentence and the list."""

    kind: Kind
    practice: str
    title: str
    people: tuple[str, ...]
    as_of: date
    rules_version: str
    model_version: str = ""
    filters: tuple[str, ...] = ()
    coverage: str = ""
    audience: Audience = Audience.SUPERVISION
    meeting_on: date | None = None


@dataclass(frozen=True)
class Draft:
    """A content that is ready to become files. ``about``: whose it is, in the practice's own ids, for the file name.

    ``clinician_ids``: everyone whose episodes it shows or counts; ``episode_id`` for the audit, null for more than one.
    """

    content: Content
    clinician_ids: frozenset[int]
    about: str
    episode_id: int | None = None


def compose(about: About, summary: str, parts: Sequence[Part], listed: Sequence[Listed] = ()) -> Content:
    """The content of a snapshot of any Views.

    Raises ValueError for a practice summary with a list of episodes: it holds no client row.
    """
    if about.audience is Audience.PRACTICE and listed:
        raise ValueError("a practice summary names no episode")
    sections = tuple(frozen_view(part.view, notes=part.notes, leave_out=part.leave_out) for part in parts)
    listed = tuple(_plain(one) for one in listed)
    texts = list(_texts([summary, *(section.blocks for section in sections), [one.signals for one in listed]]))
    raised = _raised(sections, listed)
    return Content(
        kind=about.kind,
        audience=about.audience,
        practice=plain(about.practice),
        title=plain(about.title),
        people=tuple(plain(one) for one in about.people),
        as_of=about.as_of,
        rules_version=about.rules_version,
        model_version=about.model_version,
        filters=tuple(plain(one) for one in about.filters),
        coverage=plain(about.coverage),
        summary=plain(summary),
        listed=listed,
        sections=sections,
        definitions=tuple(_definitions(texts)),
        signal_versions=tuple((signal.title, signal.version) for signal in SIGNALS if signal.title in raised),
        limits=(*LIMITS, *(f"{signal.title}: {signal.limits}" for signal in SIGNALS if signal.title in raised)),
        meeting_on=about.meeting_on,
    )


def listing(
    rows: Sequence[CaseloadRow], clinician: str, shown: Collection[str], *, left_out: str = LEFT_OUT
) -> list[Listed]:
    """Every episode of a caseload that is worth discussing, in the caseload's order; ``shown``: opaque ids of those below."""
    return [
        Listed(
            code=row.code,
            clinician=clinician,
            priority=row.priority,
            since=row.since,
            signals=tuple(row.signals),
            latest=_latest(row.outcome, CHANGE[row.change].word),
            alliance=_latest(row.alliance, row.alliance_words),
            shown=row.public_id in shown,
            why=SHOWN if row.public_id in shown else left_out,
        )
        for row in ordered(rows)
        if row.priority in OPEN_GROUPS
    ]


def _latest(series: Series | None, words: str) -> str:
    return MISSING if series is None else f"{series.name} {score(series.latest)} · {words}"


def _plain(one: Listed) -> Listed:
    return Listed(
        plain(one.code), plain(one.clinician), one.priority, plain(one.since), tuple(plain(s) for s in one.signals),
        plain(one.latest), plain(one.alliance), one.shown, plain(one.why),
    )  # fmt: skip


def _raised(sections: Sequence[Section], listed: Sequence[Listed]) -> set[str]:
    found = {title for one in listed for title in one.signals}
    return found | {
        item["title"] for section in sections for block in _flat(section.blocks) if block["kind"] == "signals"
        for item in block["items"]
    }  # fmt: skip


def _flat(blocks: Sequence[Frozen]) -> Iterator[Frozen]:
    for block in blocks:
        yield block
        if block["kind"] == "fold":
            yield from _flat(block["blocks"])


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, one in value.items():
                if name != "figure":  # Plotly's description of a figure: not what a reader reads
                    yield from _texts(one)
        case list() | tuple():
            for one in value:
                yield from _texts(one)


def _definitions(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The glossary's words that occur on the paper."""
    said = "\n".join(texts).lower()
    for term, sentence in GLOSSARY.items():
        if re.search(rf"\b{re.escape(term)}s?\b", said):
            yield term, sentence
