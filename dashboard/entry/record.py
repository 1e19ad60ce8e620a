"""An episode's appointments and scores as one list of occasions, and which may be changed by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Occasion:
    """A session with the scores taken at it, or a day's scores without one. ``ref``: opaque, for addresses and forms.

    ``session``: the appointment's row, null for scores alone. ``scores``: rows, totals before items.
    """

    ref: str
    day: date
    session: Mapping[str, Any] | None
    scores: Sequence[Mapping[str, Any]]
    own_source: str

    @property
    def session_by_hand(self) -> bool:
        """Whether the session may be changed here: rows of a file are corrected by the next file."""
        return self.session is not None and self.session["source"] == self.own_source

    @property
    def scores_by_hand(self) -> list[Mapping[str, Any]]:
        """The scores that may be changed here."""
        return [row for row in self.scores if row["source"] == self.own_source]

    @property
    def can_be_changed(self) -> bool:
        """Whether anything of it was entered by hand."""
        return self.session_by_hand or bool(self.scores_by_hand)

    @property
    def when(self) -> datetime:
        """For ordering: the session's time, else the start of the day."""
        return self.session["starts_at"] if self.session else datetime.combine(self.day, datetime.min.time())

    @property
    def values(self) -> dict[tuple[str, str, str], float]:
        """Scores entered by hand, by (instrument, scale, respondent)."""
        return {(row["instrument"], row["scale"], row["respondent"]): row["value"] for row in self.scores_by_hand}

    @property
    def fingerprint(self) -> str:
        """Names exactly what stands here: another one means that somebody changed it in between."""
        parts = (
            [] if self.session is None else [str(self.session[c]) for c in ("starts_at", "status", "mode", "import_id")]
        )
        rows = sorted(
            f"{row['instrument']}\x1f{row['scale']}\x1f{row['respondent']}\x1f{row['taken_on']}\x1f{row['value']}\x1f{row['import_id']}"
            for row in self.scores
        )
        return hashlib.blake2b("\x1e".join([*parts, *rows]).encode(), digest_size=12).hexdigest()


def opaque(secret: str, kind: str, *parts: object) -> str:
    """A word for a row that says nothing and cannot be guessed without the practice's secret."""
    content = "\x1f".join((kind, *map(str, parts))).encode()
    return hashlib.blake2b(content, key=bytes.fromhex(secret), digest_size=8).hexdigest()


def occasions(appointments: pl.DataFrame, scores: pl.DataFrame, secret: str, own_source: str) -> list[Occasion]:
    """Latest first. A score belongs to the appointment it names, else to the day's session, else to its day."""
    slots = appointments.sort(["starts_at", "appointment_id"]).to_dicts()
    by_name = {row["source_id"]: row["appointment_id"] for row in slots}
    of_day: dict[date, int] = {}
    for row in slots:
        if row["status"] == "attended":
            of_day.setdefault(row["starts_at"].date(), row["appointment_id"])
    at: dict[int, list[Mapping[str, Any]]] = {row["appointment_id"]: [] for row in slots}
    alone: dict[date, list[Mapping[str, Any]]] = {}
    is_item = pl.col("scale").str.starts_with("item_")
    number = pl.col("scale").str.extract(r"^item_(\d+)$").cast(pl.Int64)
    order = ["instrument", "respondent", is_item, number, pl.col("scale") != "total", "scale"]
    for row in scores.sort(order, nulls_last=False).to_dicts():
        slot = by_name.get(row["appointment_ref"]) if row["appointment_ref"] else None
        slot = slot if slot is not None else of_day.get(row["taken_on"])
        if slot is None:
            alone.setdefault(row["taken_on"], []).append(row)
        else:
            at[slot].append(row)
    found = [
        Occasion(
            opaque(secret, "appointment", row["appointment_id"]),
            row["starts_at"].date(),
            row,
            at[row["appointment_id"]],
            own_source,
        )
        for row in slots
    ]
    found += [
        Occasion(opaque(secret, "day", rows[0]["episode_id"], day), day, None, rows, own_source)
        for day, rows in alone.items()
    ]
    return sorted(found, key=lambda one: (one.when, one.ref), reverse=True)
