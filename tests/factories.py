"""A small invented practice as files, for tests of the main job."""

from __future__ import annotations

import csv
import random
from datetime import date, datetime, timedelta
from pathlib import Path

ENDINGS = ("planned", "mutual", "unilateral", "transferred", "")


def _rows(seed: int, today: date, clinicians: int, episodes: int) -> dict[str, list[dict[str, object]]]:
    draw = random.Random(seed)
    tables: dict[str, list[dict[str, object]]] = {
        "clinicians": [
            {"clinician_id": f"0{i}", "display_name": f"C. Number{i}", "started_on": "2024-01-01", "is_trainee": "no"}
            for i in range(clinicians)
        ],
        "supervision": [
            {"supervisor_id": "00", "supervisee_id": f"0{i}", "from": "2024-01-01", "to": ""}
            for i in range(1, clinicians)
        ],
        "clients": [],
        "episodes": [],
        "appointments": [],
        "scores": [],
    }
    for number in range(episodes):
        episode = f"E{number:04}"
        opened = today - timedelta(days=draw.randint(5, 400))
        length = draw.randint(0, 20)
        tables["clients"].append({"client_id": f"K{number}", "birth_year": draw.randint(1950, 2005), "gender": "x"})
        day, last, phq, srs = opened, opened, draw.randint(9, 24), draw.uniform(33, 39)
        for session in range(length):
            if day > today:
                break
            status = draw.choices(["attended", "no_show", "late_cancelled", "cancelled_by_client"], [8, 1, 0.5, 0.5])[0]
            start = datetime(day.year, day.month, day.day, draw.randint(8, 18))
            booked = day - timedelta(days=7) if draw.random() < 0.5 else None
            tables["appointments"].append(
                {
                    "appointment_id": f"{episode}-{session}",
                    "episode_id": episode,
                    "starts_at": start.isoformat(),
                    "status": status,
                    "booked_on": booked or "",
                }
            )
            if status == "attended":
                last = day
                phq = min(27, max(0, phq + draw.randint(-4, 3)))
                srs = min(40.0, max(0.0, srs + draw.uniform(-4, 4)))
                late = min(today, day + timedelta(days=draw.choice([0, 0, 0, 9])))
                if draw.random() < 0.8:
                    for item in range(1, 10):
                        value = min(3, max(0, phq // 9 + draw.randint(-1, 1)))
                        if draw.random() < 0.97:
                            tables["scores"].append(_score(episode, day, "phq9", f"item_{item}", value, late))
                if draw.random() < 0.7:
                    tables["scores"].append(_score(episode, day, "srs", "total", round(srs, 1), day))
            day += timedelta(days=draw.choice([7, 7, 14]))
        fit = random.Random(f"{seed}-{number}")
        if fit.random() < 0.3:
            _add_wai(tables["scores"], episode, fit)
        closed = draw.random() < 0.6 and last < today - timedelta(days=20)
        ending = draw.choice(ENDINGS) if closed else ""
        tables["episodes"].append(
            {
                "episode_id": episode,
                "client_id": f"K{number}",
                "clinician_id": f"0{draw.randrange(clinicians)}",
                "opened_on": opened,
                "referred_on": opened - timedelta(days=draw.randint(0, 60)),
                "closed_on": last + timedelta(days=10) if closed else "",
                "ending": ending or ("unknown" if closed else ""),
                "planned_sessions": draw.choice(["", 8, 12]),
                "problem_area": fit.choice(["grief", "anxiety;grief", "depression", ""]),
                "preference_met": fit.choice(["yes", "no", "unknown", ""]),
                "change_requested_on": opened + timedelta(days=fit.randint(0, 200)) if fit.random() < 0.2 else "",
                "ending_recorded_on": last + timedelta(days=15) if closed else "",
            }
        )
        if not closed and last > today - timedelta(days=30) and draw.random() < 0.7:
            ahead = today + timedelta(days=draw.randint(0, 12))
            tables["appointments"].append(
                {
                    "appointment_id": f"{episode}-next",
                    "episode_id": episode,
                    "starts_at": datetime(ahead.year, ahead.month, ahead.day, 9).isoformat(),
                    "status": "booked",
                    "booked_on": today - timedelta(days=3),
                }
            )
    return tables


def _add_wai(scores: list[dict[str, object]], episode: str, draw: random.Random) -> None:
    """Bond, goal and task beside a total, on the days on which the client rated the sessions already; often more often."""
    days = sorted({row["taken_on"] for row in scores if row["episode_id"] == episode}, key=str)
    lower = draw.choice([0, 4, 6])
    for day in days:
        bond = draw.randint(15, 20)
        parts = {"bond": bond, "goal": bond - draw.randint(0, lower), "task": bond - draw.randint(0, lower)}
        scores += [_score(episode, day, "wai_sr", name, value, day) for name, value in parts.items()]  # type: ignore[arg-type]
        scores.append(_score(episode, day, "wai_sr", "total", sum(parts.values()), day))  # type: ignore[arg-type]


def _score(episode: str, day: date, instrument: str, scale: str, value: object, known: date) -> dict[str, object]:
    return {
        "episode_id": episode,
        "taken_on": day,
        "instrument": instrument,
        "scale": scale,
        "value": value,
        "recorded_on": known,
    }


def write_practice(
    folder: Path, *, seed: int = 1, today: date, clinicians: int = 3, episodes: int = 40
) -> dict[str, list[dict[str, object]]]:
    """Writes the contract's CSV files of an invented practice and returns their rows."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = _rows(seed, today, clinicians, episodes)
    for name, rows in tables.items():
        write_table(folder / f"{name}.csv", rows)
    return tables


def write_table(path: Path, rows: list[dict[str, object]]) -> None:
    """One CSV file with every column that any row has."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=columns or ["clinician_id"])
        writer.writeheader()
        writer.writerows(rows)
