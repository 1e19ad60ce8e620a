"""What the form "Add a session" sent, read with care: it comes from a browser and may say anything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboard.contracts import MODES, RESPONDENTS, STATUSES
from dashboard.errors import UnusableInput

SCORES_ONLY = "scores_only"  # no session: a questionnaire that was filled in between two
NEW = "new"  # an appointment that is not there yet
TOKEN = re.compile(r"^[0-9a-f]{16}$")
DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
CLOCK = re.compile(r"^\d{2}:\d{2}$")
SCALE = re.compile(r"^[A-Za-z0-9_ .&+/-]{1,60}$")
MOST_MEASURES, MOST_VALUES, LONGEST_VALUE = 40, 600, 20
UNREADABLE = "The form could not be read. Reload the page and enter it again."


@dataclass(frozen=True)
class Measure:
    """One questionnaire of an occasion: the values typed, by scale (``total``, a subscale, ``item_3``), none empty."""

    instrument: str
    respondent: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class SessionForm:
    """A session as somebody entered it.

    ``token``: drawn when the form was opened; the same entry sent twice is one. ``appointment``: opaque word for a row that is
    there, or NEW. ``seen``: what the rows looked like when the form was opened (see ``fingerprint``), null for a new entry.
    ``agreed``: questions already answered with yes.
    """

    token: str
    appointment: str
    day: str
    time: str
    status: str
    mode: str
    next_day: str
    next_time: str
    measures: Sequence[Measure] = ()
    seen: str | None = None
    agreed: frozenset[str] = field(default_factory=frozenset)

    @property
    def has_session(self) -> bool:
        """False where only scores were entered."""
        return self.status != SCORES_ONLY

    @property
    def values(self) -> dict[tuple[str, str, str], str]:
        """Every value typed, by (instrument, scale, respondent)."""
        return {
            (one.instrument, scale, one.respondent): value
            for one in self.measures
            for scale, value in one.values.items()
        }


def _text(given: Mapping[str, Any], name: str, longest: int = 80) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise UnusableInput(UNREADABLE)
    return value.strip()


def _measure(given: Any) -> Measure:
    if not isinstance(given, Mapping) or not isinstance(given.get("values"), Mapping):
        raise UnusableInput(UNREADABLE)
    values = {}
    for scale, value in given["values"].items():
        if not isinstance(scale, str) or not SCALE.fullmatch(scale) or not isinstance(value, str | int | float):
            raise UnusableInput(UNREADABLE)
        said = (
            str(value).strip().replace(",", ".", 1)
        )  # 7,5 is how half of Europe types it; a thousand has no place here
        if len(said) > LONGEST_VALUE:
            raise UnusableInput(UNREADABLE)
        if said:
            values[scale] = said
    respondent = _text(given, "respondent") or RESPONDENTS[0]
    if respondent not in RESPONDENTS:
        raise UnusableInput(UNREADABLE)
    return Measure(_text(given, "key"), respondent, values)


def read_form(given: Any) -> SessionForm:
    """The entry as sent. Raises UnusableInput where it is not what the form sends, or a required field is empty."""
    if not isinstance(given, Mapping):
        raise UnusableInput(UNREADABLE)
    measures = given.get("measures") or []
    agreed = given.get("agreed") or []
    if not isinstance(measures, list) or len(measures) > MOST_MEASURES or not isinstance(agreed, list):
        raise UnusableInput(UNREADABLE)
    read = [_measure(one) for one in measures]
    if sum(len(one.values) for one in read) > MOST_VALUES or not all(isinstance(one, str) for one in agreed):
        raise UnusableInput(UNREADABLE)
    form = SessionForm(
        token=_text(given, "token"),
        appointment=_text(given, "appointment") or NEW,
        day=_text(given, "day"),
        time=_text(given, "time"),
        status=_text(given, "status"),
        mode=_text(given, "mode"),
        next_day=_text(given, "nextDay"),
        next_time=_text(given, "nextTime"),
        measures=tuple(one for one in read if one.values),
        seen=_text(given, "seen") or None,
        agreed=frozenset(agreed),
    )
    if not TOKEN.fullmatch(form.token) or (form.status not in STATUSES and form.status != SCORES_ONLY):
        raise UnusableInput(UNREADABLE)
    if form.mode and form.mode not in MODES:
        raise UnusableInput(UNREADABLE)
    if not DAY.fullmatch(form.day):
        raise UnusableInput("When was it? Enter the day.")
    if form.has_session and not CLOCK.fullmatch(form.time):
        raise UnusableInput("When was it? Enter the time.")
    if form.next_day and not (DAY.fullmatch(form.next_day) and CLOCK.fullmatch(form.next_time)):
        raise UnusableInput("When is the next session? Enter its day and its time, or leave both empty.")
    if not form.has_session and not form.measures:
        raise UnusableInput("Nothing is entered yet. Enter a score, or choose what became of the session.")
    return form
