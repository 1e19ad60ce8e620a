"""The invented practice as one import batch: the same seed and day give the same practice."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from dashboard.demo.course import Course, Story
from dashboard.demo.people import DemoClinician, clinicians, leave, supervision
from dashboard.intake.batch import TABLES, Batch

MONTHS_BACK = 30
LETTERS = "ABCDEFGHJKLMNPQRTUVWXY"
AREAS = (
    "depression",
    "anxiety",
    "relationships",
    "grief",
    "trauma",
    "work stress",
    "self-esteem",
    "depression;anxiety",
)


def _codes(draw: np.random.Generator, count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        digits = 3 if count < 20_000 else 5
        code = f"{draw.integers(1, 10)}{draw.choice(list(LETTERS))}-{draw.integers(0, 10**digits):0{digits}}"
        found.setdefault(code)
    return list(found)


def _opened(draw: np.random.Generator, person: DemoClinician, today: date) -> date:
    first = max(person.started_on, today - timedelta(days=MONTHS_BACK * 30))
    span = max(1, (today - first).days - 3)
    return first + timedelta(days=int(span * draw.beta(1.6, 1.0)))  # a growing practice: more lately


def _row(
    draw: np.random.Generator, episode_id: str, client_id: str, person: DemoClinician, opened: date, course: Course
) -> dict[str, object]:
    asked = opened + timedelta(days=30) if draw.random() < 0.02 else None
    return {
        "episode_id": episode_id,
        "client_id": client_id,
        "clinician_id": person.clinician_id,
        "opened_on": opened,
        "referred_on": opened - timedelta(days=int(draw.gamma(2, 10))),
        "closed_on": course.closed_on,
        "ending": course.ending,
        "ending_recorded_on": course.ending_recorded_on,
        "problem_area": str(draw.choice(AREAS)),
        "kind": str(draw.choice(["individual", "couple", "family", "group"], p=[0.9, 0.06, 0.02, 0.02])),
        "planned_sessions": course.planned_sessions,
        "preference_met": str(draw.choice(["yes", "no", "unknown"], p=[0.5, 0.1, 0.4])),
        "change_requested_on": asked if asked and course.last_day and asked <= course.last_day else None,
    }


def _follows(
    draw: np.random.Generator, course: Course, person: DemoClinician, people: list[DemoClinician], today: date
) -> tuple[DemoClinician, date] | None:
    """A transfer to a colleague, or a return after a pause, where the story has one."""
    if course.closed_on is None:
        return None
    fate = draw.random()
    if fate < 0.03 and len(people) > 1:
        others = [p for p in people if p is not person and p.started_on <= course.closed_on]
        if others:
            course.ending = "transferred"
            return others[int(draw.integers(len(others)))], course.closed_on + timedelta(days=int(draw.integers(2, 15)))
    if fate > 0.96:
        return person, course.closed_on + timedelta(days=int(draw.integers(90, 300)))
    return None


def build(seed: int, clinicians_wanted: int, episodes_wanted: int, today: date) -> Batch:
    """Clinicians, clients, episodes, appointments and scores ending ``today``, typed as an import batch."""
    draw = np.random.default_rng([seed, today.toordinal()])
    people = clinicians(draw, clinicians_wanted, today)
    tables: dict[str, list[dict[str, object]]] = {name: [] for name in TABLES}
    tables["clinicians"] = [
        {"clinician_id": p.clinician_id, "display_name": p.name, "started_on": p.started_on, "is_trainee": p.is_trainee}
        for p in people
    ]
    tables["supervision"] = supervision(people, today)
    tables["leave"] = leave(draw, people, today)
    weights = np.array([0.25 if p.is_new else 0.6 if p.is_trainee else 1.0 for p in people])
    codes = _codes(draw, episodes_wanted)
    made = new_ones = 0
    while made < episodes_wanted:
        person: DemoClinician | None = people[int(draw.choice(len(people), p=weights / weights.sum()))]
        if person is not None and person.is_new:
            new_ones += 1
            if new_ones > 4:
                continue
        client_id = f"K{len(tables['clients']) + 1:05}"
        tables["clients"].append(
            {
                "client_id": client_id,
                "client_code": codes[len(tables["clients"])],
                "birth_year": today.year - int(np.clip(draw.normal(37, 13), 17, 82)),
                "gender": str(draw.choice(["woman", "man", "non-binary", "not said"], p=[0.58, 0.34, 0.04, 0.04])),
                "ethnicity": None,
            }
        )
        assert person is not None  # noqa: S101 - chosen just above
        opened = _opened(draw, person, today)
        while person is not None and made < episodes_wanted and opened <= today:
            made += 1
            episode_id = f"E{made:05}"
            course = Course() if draw.random() < 0.04 else Story(draw, episode_id, person, opened, today).tell()
            if not course.appointments and (today - opened).days > 40:
                course.closed_on, course.ending = opened + timedelta(days=30), "other"
            following = _follows(draw, course, person, people, today)
            tables["episodes"].append(_row(draw, episode_id, client_id, person, opened, course))
            tables["appointments"] += course.appointments
            tables["scores"] += course.scores
            person, opened = following if following is not None else (None, opened)
    frames = {
        name: pl.DataFrame(
            rows, schema={c: t for c, t in TABLES[name].items() if not rows or c in rows[0]}, orient="row"
        )
        for name, rows in tables.items()
    }
    return Batch.of(frames)
