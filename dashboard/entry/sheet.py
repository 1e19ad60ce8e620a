"""What the form "Add a session" shows: which session it may be about, its questionnaires, what is filled in already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from dashboard.entry.defaults import booked_ahead, enters_items, proposed, rounded, to_fill, usual_mode
from dashboard.entry.questionnaires import offered, sheet
from dashboard.entry.questions import STATUS_WORDS
from dashboard.entry.record import Occasion
from dashboard.entry.session_form import NEW, SCORES_ONLY
from dashboard.instruments.instrument import Instrument

MODE_WORDS = {"in_person": "in person", "video": "by video", "phone": "by phone"}
FROM_FILE = "This session came from {source}, which corrects it. Scores entered here are put to it."


@dataclass(frozen=True)
class Sheet:
    """``token`` names this opening of the form. ``slots``: the sessions it may be about, the preselected one is ``chosen``.

    ``seen``: fingerprint of what is changed, empty for a new entry. ``booked``: words for the booking that stands.
    """

    token: str
    slots: Sequence[Mapping[str, Any]]
    chosen: str
    statuses: Sequence[tuple[str, str]]
    modes: Sequence[tuple[str, str]]
    measures: Sequence[Mapping[str, Any]]
    more: Sequence[Mapping[str, Any]]
    booked: str = ""
    seen: str = ""
    save: str = "Save"
    can_book: bool = True


def when_words(at: datetime) -> str:
    """Fri 20 Nov, 14:00."""
    return f"{at:%a} {at.day} {at:%b}, {at:%H:%M}"


def _statuses(with_scores_only: bool) -> list[tuple[str, str]]:
    words = list(STATUS_WORDS.items())
    return [*words, (SCORES_ONLY, "no session, scores only")] if with_scores_only else words


def _modes() -> list[tuple[str, str]]:
    return [("", "not recorded"), *MODE_WORDS.items()]


def _slot(
    ref: str, words: str, at: datetime, status: str, mode: str, *, fixed: bool = False, note: str = ""
) -> dict[str, Any]:
    return {
        "ref": ref, "words": words, "day": f"{at:%Y-%m-%d}", "time": f"{at:%H:%M}", "status": status, "mode": mode,
        "fixed": fixed, "note": note,
    }  # fmt: skip


def _number(value: float) -> str:
    return f"{value:g}"


def _measures(
    instruments: Mapping[str, Instrument], own_keys: frozenset[str], keys: Sequence[str], by_item: Mapping[str, bool]
) -> list[dict[str, Any]]:
    return [
        {"sheet": sheet(instruments[key], key in own_keys), "values": {}, "byItems": by_item.get(key, False)}
        for key in keys
    ]


def new_sheet(
    token: str, appointments: pl.DataFrame, refs: Mapping[int, str], scores: pl.DataFrame, *, now: datetime, own_source: str,
    in_episode: Sequence[str], in_practice: Sequence[str], instruments: Mapping[str, Instrument],
    own_keys: frozenset[str],
) -> Sheet:  # fmt: skip
    """A new entry. ``refs``: opaque word by appointment id. ``in_episode``/``in_practice``: questionnaires by use."""
    known = appointments.with_columns(
        ref=pl.col("appointment_id").replace_strict(dict(refs), default=None, return_dtype=pl.String)
    )
    choices = to_fill(known, now, own_source)
    usual = usual_mode(appointments)
    slots = []
    for one in choices:
        at, mode = one["starts_at"], one["mode"] or usual
        if one["hand"]:
            slots.append(_slot(one["ref"], f"{when_words(at)}, booked", at, "attended", mode))
        else:
            words = f"{when_words(at)}, {STATUS_WORDS[one['status']]}: add scores"
            note = FROM_FILE.format(source=one["source"])
            slots.append(_slot(one["ref"], words, at, one["status"], one["mode"] or "", fixed=True, note=note))
    at = rounded(now)
    slots.append(_slot(NEW, "Another one" if slots else "A new one", at, "attended", usual))
    first = proposed(choices)
    shown, rest = offered(instruments, in_episode, in_practice)
    ahead = booked_ahead(appointments, now.date())
    return Sheet(
        token=token,
        slots=slots,
        chosen=first["ref"] if first else NEW,
        statuses=_statuses(True),
        modes=_modes(),
        measures=_measures(instruments, own_keys, shown, enters_items(scores)),
        more=[sheet(instruments[key], key in own_keys) for key in rest],
        booked=f"booked already: {when_words(ahead)}" if ahead else "",
    )


def change_sheet(
    token: str, occasion: Occasion, *, in_episode: Sequence[str], instruments: Mapping[str, Instrument], own_keys: frozenset[str]
) -> Sheet:  # fmt: skip
    """A change of what was entered by hand: filled in with what stands."""
    session = occasion.session
    if session is None:
        slot = _slot(occasion.ref, "", datetime.combine(occasion.day, datetime.min.time()), SCORES_ONLY, "")
        statuses, modes = [(SCORES_ONLY, "no session, scores only")], _modes()
    else:
        fixed = not occasion.session_by_hand
        note = FROM_FILE.format(source=session["source"]) if fixed else ""
        slot = _slot(
            occasion.ref, "", session["starts_at"], session["status"], session["mode"] or "", fixed=fixed, note=note
        )
        statuses = _statuses(False)
        modes = _modes()[1:] if session["mode"] else _modes()  # what was said can be corrected, not unsaid
    filled: dict[tuple[str, str], dict[str, str]] = {}
    for row in occasion.scores_by_hand:
        filled.setdefault((row["instrument"], row["respondent"]), {})[row["scale"]] = _number(row["value"])
    measures: list[dict[str, Any]] = [
        {
            "sheet": sheet(instruments[key], key in own_keys), "values": values, "respondent": respondent,
            "byItems": any(scale.startswith("item_") for scale in values),
        }
        for (key, respondent), values in filled.items()
        if key in instruments
    ]  # fmt: skip
    used = [key for key, _ in filled]
    shown, rest = offered(instruments, [key for key in in_episode if key not in used], [])
    measures += _measures(instruments, own_keys, shown, {})
    kept = {measure["sheet"]["key"] for measure in measures}
    return Sheet(
        token=token,
        slots=[slot],
        chosen=occasion.ref,
        statuses=statuses,
        modes=modes,
        measures=measures,
        more=[sheet(instruments[key], key in own_keys) for key in rest if key not in kept],
        seen=occasion.fingerprint,
        save="Save the change",
        can_book=False,
    )
