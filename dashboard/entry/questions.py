"""What must be asked before an entry is saved: nothing that stands is overwritten or doubled without a clear yes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from dashboard.entry.questionnaires import scale_words
from dashboard.entry.record import Occasion
from dashboard.entry.session_form import SessionForm
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.instruments.instrument import Instrument
from dashboard.signals.wording import short_name

STATUS_WORDS = {
    "attended": "attended",
    "no_show": "did not attend",
    "late_cancelled": "cancelled late by client",
    "cancelled_by_client": "cancelled by client",
    "cancelled_by_clinician": "cancelled by clinician",
    "booked": "booked",
}
Key = tuple[str, str, str]


class Asked(SupervisionError):
    """Nothing was saved: these questions (code, words) want a yes first."""

    def __init__(self, questions: Sequence[tuple[str, str]]) -> None:
        """Keeps the questions."""
        super().__init__(" ".join(words for _, words in questions))
        self.questions = tuple(questions)


@dataclass(frozen=True)
class Plan:
    """What saving does to scores: ``kept`` values to store, and rows by hand that no longer stand."""

    kept: Mapping[Key, str]
    withdrawn: Sequence[Mapping[str, Any]] = ()
    questions: Sequence[tuple[str, str]] = field(default_factory=tuple)


def said_by(row: Mapping[str, Any]) -> str:
    """Entered by whom and when, or from which source."""
    when = row["imported_at"]
    at = "" if when is None else f", {when.day} {when:%b %Y %H:%M}"
    if row["kind"] == "entered":
        return f"entered by {row['username'] or 'the operator'}{at}"
    return f"from {row['source']}{at}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _same(value: str, stored: float) -> bool:
    try:
        return abs(float(value) - stored) < 1e-9
    except ValueError:
        return False


def _values(rows: Sequence[Mapping[str, Any]]) -> str:
    whole = [row for row in rows if not row["scale"].startswith("item_")]
    shown = ", ".join(f"{scale_words(row['scale']).lower()} {row['value']:g}" for row in whole)
    items = len(rows) - len(whole)
    return ", ".join(part for part in (shown, f"{items} items" if items else "") if part)


def score_plan(
    form: SessionForm, occasions: Sequence[Occasion], changed: Occasion | None, own_source: str,
    instruments: Mapping[str, Instrument],
) -> Plan:  # fmt: skip
    """What becomes of the scores that are there: one questionnaire of a day has one set of values, from one source.

    ``changed``: the occasion that is open for change; its values by hand become exactly what the form says. Values of another
    occasion of the same day are asked about. Raises UnusableInput where a file's values stand there: the file corrects them.
    """
    day = date.fromisoformat(form.day)
    own = [] if changed is None else changed.scores_by_hand
    own_ids = {row["score_id"] for row in own}
    kept = dict(form.values)
    withdrawn = [
        row for row in own if row["taken_on"] != day or (row["instrument"], row["scale"], row["respondent"]) not in kept
    ]
    questions = []
    there: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for occasion in occasions:
        for row in occasion.scores:
            if row["taken_on"] == day and row["score_id"] not in own_ids:
                there.setdefault((row["instrument"], row["respondent"]), []).append(row)
    for (instrument, respondent), rows in sorted(there.items()):
        mine = {key: value for key, value in kept.items() if (key[0], key[2]) == (instrument, respondent)}
        if not mine:
            continue
        stored = {(row["instrument"], row["scale"], row["respondent"]): row for row in rows}
        if all(key in stored and _same(value, stored[key]["value"]) for key, value in mine.items()):
            for key in mine:  # said again, and the same: it is there
                del kept[key]
            continue
        one = instruments.get(instrument)
        what = f"{short_name(one) if one else instrument} of {_day(day)} is there already: {_values(rows)}, {said_by(rows[0])}."
        if any(row["source"] != own_source for row in rows):
            raise UnusableInput(f"Not saved. {what} Its source corrects it: empty it here, and the rest can be saved.")
        questions.append((f"replace {instrument} {respondent} {day}", f"{what} Replace it with what you entered?"))
        withdrawn += [row for key, row in stored.items() if key not in mine]
    return Plan(kept, withdrawn, questions)


def session_questions(
    form: SessionForm, episode: Mapping[str, Any], occasions: Sequence[Occasion], key: str, next_one: str
) -> Iterator[tuple[str, str]]:
    """Questions about the session itself. ``key`` and ``next_one``: ids of the rows that this form writes, never a clash."""
    day = date.fromisoformat(form.day)
    if day < episode["opened_on"]:
        yield ("before", f"{_day(day)} is before this episode was opened ({_day(episode['opened_on'])}). Save it so?")
    if episode["closed_on"] is not None and day > episode["closed_on"]:
        yield ("after", f"{_day(day)} is after this episode was closed ({_day(episode['closed_on'])}). Save it so?")
    slots = [one.session for one in occasions if one.session is not None]
    if form.has_session:
        at = datetime.fromisoformat(f"{form.day}T{form.time}")
        yield from _clashes(slots, at, key, f"session {form.day} {form.time}", form.status)
    if form.next_day:
        at = datetime.fromisoformat(f"{form.next_day}T{form.next_time}")
        yield from _clashes(slots, at, next_one, f"next {form.next_day} {form.next_time}", "booked")


def _clashes(
    slots: Sequence[Mapping[str, Any]], at: datetime, key: str, code: str, status: str
) -> Iterator[tuple[str, str]]:
    for row in slots:
        if row["source_id"] == key:
            continue
        starts = row["starts_at"]
        both_held = row["status"] == status == "attended" and starts.date() == at.date()
        if starts == at or both_held:
            yield (
                code,
                f"A session of {_day(starts.date())}, {starts:%H:%M}, is there already "
                f"({STATUS_WORDS[row['status']]}, {said_by(row)}). "
                "Is this another one?",
            )
            return
