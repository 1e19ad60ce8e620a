"""Clients, episodes, endings and transfers as rows of a file, from what somebody entered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dashboard.contracts import ENDINGS
from dashboard.errors import UnusableInput
from dashboard.typed import on_one_line

CHOSEN_ENDINGS = ENDINGS[:-1]  # somebody who enters an ending knows which
LONGEST_CODE, LONGEST_TEXT = 24, 120
CODE = re.compile(r"^[\w .:/#+-]+$")


@dataclass(frozen=True)
class NewClient:
    """A client who is not here yet. ``is_code``: somebody confirmed that the code is no name."""

    code: str
    birth_year: int | None = None
    gender: str = ""
    ethnicity: str = ""
    is_code: bool = False


@dataclass(frozen=True)
class NewEpisode:
    """An episode as it begins; empty texts and null say nothing."""

    opened_on: date
    referred_on: date | None = None
    kind: str = "individual"
    problem_area: str = ""
    planned_sessions: int | None = None
    preference_met: str = ""


def may_be_a_name(code: str) -> bool:
    """Three letters in a row, one of them small, and no digit: more likely a name than a code."""
    return not any(one.isdigit() for one in code) and bool(re.search(r"[^\W\d_]{3,}", code)) and code != code.upper()


def checked_code(client: NewClient) -> str:
    """The code. Raises UnusableInput where it is empty, too long, holds odd characters, or may be a name."""
    code = " ".join(client.code.split())
    if not code:
        raise UnusableInput("Give the client a code. It is all that is ever shown of them.")
    if len(code) > LONGEST_CODE or not CODE.fullmatch(code) or not any(one.isalnum() for one in code):
        raise UnusableInput(f"A code has up to {LONGEST_CODE} letters, digits, spaces and . : / # + - _ only.")
    if may_be_a_name(code) and not client.is_code:
        raise UnusableInput(f"'{code}' may be a name. Take a code that says nothing, or tick that it is no name.")
    return code


def _text(value: str, what: str) -> str | None:
    return on_one_line(value, LONGEST_TEXT, f"Keep {what} to {LONGEST_TEXT} characters.") or None


def client_row(key: str, client: NewClient) -> dict[str, str | None]:
    """A row of clients.csv."""
    return {
        "client_id": key,
        "client_code": checked_code(client),
        "birth_year": None if client.birth_year is None else str(client.birth_year),
        "gender": _text(client.gender, "the gender"),
        "ethnicity": _text(client.ethnicity, "the ethnicity"),
    }


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def episode_row(key: str, client: str, clinician: str, given: NewEpisode, today: date) -> dict[str, str | None]:
    """A row of episodes.csv. Raises UnusableInput for a first day that lies ahead, or a referral after it."""
    if given.opened_on > today:
        raise UnusableInput(
            "The first day lies ahead. An episode begins with today or earlier; book its sessions then."
        )
    if given.referred_on is not None and given.referred_on > given.opened_on:
        raise UnusableInput("The day of referral is after the first day. Correct one of them.")
    return {
        "episode_id": key,
        "client_id": client,
        "clinician_id": clinician,
        "opened_on": _day(given.opened_on),
        "referred_on": _day(given.referred_on),
        "kind": given.kind,
        "problem_area": _text(given.problem_area, "the problem area"),
        "planned_sessions": None if given.planned_sessions is None else str(given.planned_sessions),
        "preference_met": given.preference_met or None,
    }


def known_row(episode: Mapping[str, Any], client: str, clinician: str) -> dict[str, str | None]:
    """The row of an episode that is there, with nothing but what a row must say."""
    return {
        "episode_id": episode["source_id"], "client_id": client, "clinician_id": clinician,
        "opened_on": _day(episode["opened_on"]),
    }  # fmt: skip


def ended(row: Mapping[str, str | None], ending: str, closed_on: date, today: date) -> dict[str, str | None]:
    """The row with its ending. Raises UnusableInput for an ending of another kind, or a day that lies ahead."""
    if ending not in CHOSEN_ENDINGS:
        raise UnusableInput("How did it end? Choose one of the endings.")
    if closed_on > today:
        raise UnusableInput("The last day lies ahead. Enter the ending on that day or later.")
    return {**row, "closed_on": closed_on.isoformat(), "ending": ending}
