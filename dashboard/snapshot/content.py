"""The frozen content of a snapshot: plain data, one canonical form, one hash.

The hash leaves out who made it and when, so that a new snapshot of the same data has the same hash and differs in its
"made" line only. Every text passes ``plain`` on its way in: what a file or a screen reader could trip over is gone before
anything is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from dashboard.harmless import shown
from dashboard.ui.words import day

Frozen: TypeAlias = dict[str, Any]

FORM = 1  # raised when the form below changes, so that a reader of an old file knows


class Kind(StrEnum):
    """What a snapshot is of."""

    MEETING = "meeting"
    EPISODE = "episode"
    CASELOAD = "caseload"
    PATTERNS = "patterns"
    PRACTICE = "practice"


class Audience(StrEnum):
    """Whom a snapshot is for. A practice summary holds counts and no client row."""

    SUPERVISION = "supervision"
    PRACTICE = "practice"


AUDIENCE_WORDS = {Audience.SUPERVISION: "supervision copy", Audience.PRACTICE: "practice summary"}


def plain(text: str) -> str:
    """The text as a page would show it, without a carriage return."""
    return shown(text).replace("\r", "")


@dataclass(frozen=True)
class Listed:
    """An episode on the list of a caseload. ``why``: shown below, or why not (left out for time, nothing raised).

    ``priority`` is the status key; ``latest`` the latest outcome score in words, empty for none.
    """

    code: str
    clinician: str
    priority: str
    since: str
    signals: tuple[str, ...]
    latest: str
    alliance: str
    shown: bool
    why: str


@dataclass(frozen=True)
class Section:
    """One block of the paper: a View frozen. ``notes``: ruled lines to write on follow it."""

    title: str
    blocks: tuple[Frozen, ...]
    notes: bool = False

    @property
    def own_page(self) -> bool:
        """Begins a sheet: it is written on, or has a figure that its words belong beside."""
        return self.notes or bool(figures_of(self.blocks))


@dataclass(frozen=True)
class Content:
    """Everything a snapshot says but who made it. ``meeting_on`` null: it belongs to no meeting."""

    kind: Kind
    audience: Audience
    practice: str
    title: str
    people: tuple[str, ...]
    as_of: date
    rules_version: str
    model_version: str
    filters: tuple[str, ...]
    coverage: str
    summary: str
    listed: tuple[Listed, ...] = ()
    sections: tuple[Section, ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()
    signal_versions: tuple[tuple[str, str], ...] = ()
    limits: tuple[str, ...] = ()
    meeting_on: date | None = None
    form: int = field(default=FORM)

    def as_json(self) -> Frozen:
        """Plain data; days as ISO text."""
        found = asdict(self)
        found["as_of"] = self.as_of.isoformat()
        found["meeting_on"] = None if self.meeting_on is None else self.meeting_on.isoformat()
        return found

    @property
    def canonical(self) -> bytes:
        """The one way to write this content down: sorted keys, no spaces, UTF-8."""
        return canonical(self.as_json())

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical form."""
        return sha256(self.canonical)

    @property
    def figures(self) -> list[Frozen]:
        """The figure blocks in the order in which they stand on paper."""
        return [figure for section in self.sections for figure in figures_of(section.blocks)]


@dataclass(frozen=True)
class Made:
    """Who made a snapshot, and when (practice time)."""

    name: str
    at: datetime

    @property
    def words(self) -> str:
        """Made by R. Okafor on 20 Nov 2026 14:05, without the first word."""
        return f"{plain(self.name)} on {day(self.at.date())} {self.at:%H:%M}"


def running_line(content: Content, made: Made) -> str:
    """The line at the foot of every sheet."""
    return f"Confidential · {AUDIENCE_WORDS[content.audience]} · made by {made.words}"


def canonical(data: Any) -> bytes:
    """Data as canonical JSON. Raises ValueError for a number that JSON cannot hold."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def sha256(data: bytes) -> str:
    """The hash as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def figures_of(blocks: Sequence[Frozen]) -> list[Frozen]:
    """The figures among frozen blocks, also inside folds."""
    found: list[Frozen] = []
    for block in blocks:
        if block["kind"] == "figure":
            found.append(block)
        elif block["kind"] == "fold":
            found += figures_of(block["blocks"])
    return found


def tables_of(blocks: Sequence[Frozen]) -> list[Frozen]:
    """The tables among frozen blocks, also inside folds."""
    found: list[Frozen] = []
    for block in blocks:
        if block["kind"] == "table":
            found.append(block)
        elif block["kind"] == "fold":
            found += tables_of(block["blocks"])
    return found


def levelled(blocks: Sequence[Frozen]) -> list[tuple[Frozen, int]]:
    """Each block of a section with the level of a heading inside it: 4 once a heading of level 3 stands above, else 3."""
    found, level = [], 3
    for block in blocks:
        level = 4 if block["kind"] in ("heading", "figure", "fold") else level
        found.append((block, level))
    return found


def is_past(block: Frozen) -> bool:
    """Whether a fold holds nothing but signals that are no longer raised."""
    inner = block["blocks"]
    return bool(inner) and all(
        one["kind"] == "signals" and not any(signal["stands"] for signal in one["items"]) for one in inner
    )


def read_content(data: bytes) -> Frozen:
    """A stored content as plain data. Raises ValueError where it is none."""
    found = json.loads(data)
    if not isinstance(found, dict) or found.get("form") != FORM:
        raise ValueError("not a snapshot of a known form")
    return found
