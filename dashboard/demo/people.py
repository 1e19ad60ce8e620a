"""The people of the invented practice: clinicians, who supervises whom, leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

FIRST = [
    "Amara",
    "Ravi",
    "Lena",
    "Tomas",
    "Aisha",
    "Daniel",
    "Mei",
    "Oluwaseun",
    "Sofia",
    "Jonas",
    "Priya",
    "Caleb",
    "Noor",
    "Elena",
    "Marcus",
    "Ingrid",
    "Kofi",
    "Hannah",
    "Yusuf",
    "Clara",
]
LAST = [
    "Okafor",
    "Mensah",
    "Lindqvist",
    "Varga",
    "Rahman",
    "Brennan",
    "Tan",
    "Adeyemi",
    "Moretti",
    "Keller",
    "Nair",
    "Whitfield",
    "Haddad",
    "Petrova",
    "Boateng",
    "Solberg",
    "Asante",
    "Weiss",
    "Demir",
    "Fontaine",
    "Castellano",
    "Novak",
    "Iyer",
    "Sandoval",
    "Murphy",
    "Eriksen",
    "Osei",
    "Laurent",
    "Kapoor",
    "Zielinski",
]


@dataclass(frozen=True)
class DemoClinician:
    """One clinician. ``pull`` shifts the log odds of leaving, ``lift`` the course of the outcome (in SD of the slope)."""

    clinician_id: str
    name: str
    started_on: date
    is_trainee: bool
    pull: float
    lift: float
    measures: float
    is_new: bool


def clinicians(draw: np.random.Generator, count: int, today: date) -> list[DemoClinician]:
    """The first is the director, the next two supervise; the last ones are trainees, one is new, one hardly measures.

    Between-clinician SD of the log odds of leaving .45 (science 5.3, variance share 5.7 %), of the slope .45 (ICC about 6 %).
    """
    names = [f"{draw.choice(FIRST)} {last}" for last in draw.permutation(LAST)]
    found = []
    for number in range(count):
        last = count - 1 - number
        trainee = count > 5 and 1 <= last <= max(1, count // 5)
        new = count > 4 and last == 0
        started = today - timedelta(days=int(draw.integers(20, 60)) if new else int(draw.integers(950, 2400)))
        name = names[number % len(names)] + (f" {number // len(names) + 1}" if number >= len(names) else "")
        found.append(
            DemoClinician(
                f"C{number + 1:03}",
                name,
                started,
                trainee,
                float(draw.normal(0.2 if trainee else 0.0, 0.45)),
                float(draw.normal(0, 0.45)),
                0.08 if count > 6 and number == 5 else 1.0,
                new,
            )
        )
    return found


def supervision(people: list[DemoClinician], today: date) -> list[dict[str, object]]:
    """Director over the supervisors, the supervisors over the rest; one link has ended, one has changed hands."""
    if len(people) < 2:
        return []
    heads = people[1:3] if len(people) > 3 else people[:1]
    rows: list[dict[str, object]] = []
    for number, person in enumerate(people[1:], start=1):
        above = people[0] if person in heads else heads[number % len(heads)]
        start = person.started_on
        if number == len(heads) + 1 and len(heads) > 1:
            change = today - timedelta(days=200)
            other = heads[(number + 1) % len(heads)]
            rows.append(_link(other, person, start, change))
            start = change + timedelta(days=1)
        rows.append(_link(above, person, start, None))
    if len(people) > 6:
        rows.append(_link(people[0], people[4], people[4].started_on, today - timedelta(days=90)))
    return rows


def _link(above: DemoClinician, below: DemoClinician, start: date, end: date | None) -> dict[str, object]:
    return {"supervisor_id": above.clinician_id, "supervisee_id": below.clinician_id, "from": start, "to": end}


def leave(draw: np.random.Generator, people: list[DemoClinician], today: date) -> list[dict[str, object]]:
    """A fortnight away for some, covered by a colleague."""
    rows: list[dict[str, object]] = []
    for number, person in enumerate(people):
        if len(people) > 1 and draw.random() < 0.4 and not person.is_new:
            start = today - timedelta(days=int(draw.integers(20, 300)))
            cover = people[(number + 1) % len(people)].clinician_id
            rows.append(
                {
                    "clinician_id": person.clinician_id,
                    "from": start,
                    "to": start + timedelta(days=13),
                    "cover_id": cover,
                }
            )
    return rows
