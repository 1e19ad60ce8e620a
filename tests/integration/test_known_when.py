"""What was known when: corrections in every table leave the past as it was, fillings count from their clinical day."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import Engine, select

from dashboard.evaluation import ensure_current, evaluate
from dashboard.importing import import_files
from dashboard.settings import Settings
from queries.engine import reading
from queries.tables import Client, ClientVersion, Clinician, ClinicianVersion, SupervisionLinkVersion
from tests.factories import write_practice, write_table
from tests.integration.test_main_job import EXPORTS, SETTINGS, cut, exported, fresh, load

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12)
Tables = dict[str, list[dict[str, Any]]]

BASE: Tables = {
    "clinicians": [{"clinician_id": "c1"}, {"clinician_id": "c2"}],
    "clients": [{"client_id": "k1", "client_code": "A-1"}],
    "episodes": [{"episode_id": "e1", "client_id": "k1", "clinician_id": "c1", "opened_on": "2026-08-03"}],
    "appointments": [
        {"appointment_id": f"a{n}", "episode_id": "e1", "starts_at": f"{date(2026, 8, 3) + timedelta(days=7 * n)}T10:00",
         "status": "attended", "booked_on": ""}
        for n in range(8)
    ],
    "scores": [
        {"episode_id": "e1", "taken_on": str(date(2026, 8, 3) + timedelta(days=7 * n)), "instrument": "phq9",
         "scale": "total", "value": 18 - n}
        for n in range(8)
    ],
}  # fmt: skip


def give(engine: Engine, folder: Path, tables: Tables, now: datetime = NOW) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        write_table(folder / f"{name}.csv", rows)
    load(engine, folder, now=now)


def episode(engine: Engine, *, as_of: date | None = None, now: datetime = NOW) -> dict[str, Any]:
    return exported(engine, "episodes", as_of=as_of, now=now).row(0, named=True)


# what a later import changes, and the column that shows it: (table, row, column, before, after)
CORRECTIONS: list[tuple[str, dict[str, Any], str, Any, Any]] = [
    ("clients", {"client_id": "k1", "client_code": "B-2"}, "client_code", "A-1", "B-2"),
    ("episodes", BASE["episodes"][0] | {"clinician_id": "c2"}, "clinician_id", "c1", "c2"),
    ("episodes", BASE["episodes"][0] | {"opened_on": "2026-07-27"}, "opened_on", date(2026, 8, 3), date(2026, 7, 27)),
    ("appointments", BASE["appointments"][7] | {"status": "no_show"}, "sessions_attended", 8, 7),
    (
        "appointments",
        BASE["appointments"][7] | {"starts_at": "2026-09-22T10:00"},
        "last_attended_on",
        date(2026, 9, 21),
        date(2026, 9, 22),
    ),
    ("scores", BASE["scores"][7] | {"value": 3}, "latest", 11.0, 3.0),
]


@pytest.mark.parametrize(("table", "row", "column", "before", "after"), CORRECTIONS, ids=[c[2] for c in CORRECTIONS])
def test_a_value_changed_by_a_later_import_is_known_from_that_day_on(
    engine: Engine, tmp_path: Path, table: str, row: dict[str, Any], column: str, before: Any, after: Any
) -> None:
    give(engine, tmp_path / "first", BASE, datetime(2026, 10, 1, 9))
    give(engine, tmp_path / "second", {table: [row]})
    assert episode(engine)[column] == after
    assert episode(engine, as_of=TODAY - timedelta(days=1))[column] == before
    assert episode(engine, as_of=date(2026, 10, 1))[column] == before


def test_an_ending_told_later_counts_from_its_own_day_and_a_changed_one_from_its_import(
    engine: Engine, tmp_path: Path
) -> None:
    blank = BASE["episodes"][0] | {"closed_on": "2026-10-05", "ending": ""}
    give(engine, tmp_path / "first", BASE | {"episodes": [blank]}, datetime(2026, 10, 6, 9))
    assert episode(engine, now=datetime(2026, 10, 7, 9))["ending"] is None
    give(engine, tmp_path / "told", {"episodes": [blank | {"ending": "planned"}]}, datetime(2026, 11, 1, 9))
    assert episode(engine, as_of=date(2026, 10, 5))["ending"] == "planned"
    assert episode(engine, as_of=date(2026, 10, 4))["ending"] is None
    give(engine, tmp_path / "changed", {"episodes": [blank | {"ending": "unilateral"}]})
    assert episode(engine, as_of=date(2026, 11, 19))["ending"] == "planned"
    assert episode(engine)["ending"] == "unilateral"


def test_an_appointment_cancelled_ahead_is_no_longer_the_next_one(engine: Engine, tmp_path: Path) -> None:
    ahead = {"appointment_id": "next", "episode_id": "e1", "starts_at": "2026-11-27T10:00", "booked_on": "2026-11-10"}
    later = {"appointment_id": "later", "episode_id": "e1", "starts_at": "2026-12-04T10:00", "status": "booked"}
    rows = BASE["appointments"]
    give(engine, tmp_path / "first", BASE | {"appointments": [*rows, ahead | {"status": "booked"}, later]},
         datetime(2026, 11, 15, 9))  # fmt: skip
    assert episode(engine, now=datetime(2026, 11, 15, 10))["next_booked_on"] == date(2026, 11, 27)
    give(engine, tmp_path / "second", {"appointments": [ahead | {"status": "cancelled_by_client"}]})
    assert episode(engine)["next_booked_on"] == date(2026, 12, 4)
    assert episode(engine, as_of=date(2026, 11, 16))["next_booked_on"] == date(2026, 11, 27)


def test_a_booking_moved_and_kept_was_not_kept_at_its_old_time(engine: Engine, tmp_path: Path) -> None:
    slot = {"appointment_id": "moved", "episode_id": "e1", "booked_on": "2026-10-20"}
    first = slot | {"starts_at": "2026-11-02T10:00", "status": "booked"}
    give(engine, tmp_path / "first", BASE | {"appointments": [*BASE["appointments"], first]}, datetime(2026, 10, 21, 9))
    give(
        engine, tmp_path / "second", {"appointments": [slot | {"starts_at": "2026-11-05T10:00", "status": "attended"}]}
    )
    assert episode(engine, as_of=date(2026, 11, 10))["sessions_attended"] == 8
    assert episode(engine)["sessions_attended"] == 9


def test_a_client_without_a_code_keeps_theirs_and_a_first_code_is_no_correction(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "first", BASE, datetime(2026, 10, 1, 9))
    give(engine, tmp_path / "without", {"clients": [{"client_id": "k1", "birth_year": 1980}]})
    assert episode(engine)["client_code"] == "A-1"
    other = fresh(tmp_path / "other")
    give(other, tmp_path / "made", BASE | {"clients": [{"client_id": "k1"}]}, datetime(2026, 10, 1, 9))
    made = episode(other)["client_code"]
    give(other, tmp_path / "given", {"clients": [{"client_id": "k1", "client_code": "A-1"}]})
    assert made != "A-1"
    assert episode(other)["client_code"] == episode(other, as_of=date(2026, 10, 1))["client_code"] == "A-1"
    other.dispose()


def test_clinicians_clients_and_links_keep_their_earlier_versions(engine: Engine, tmp_path: Path) -> None:
    link = {"supervisor_id": "c1", "supervisee_id": "c2", "from": "2026-01-01", "to": "2026-12-31"}
    tables = BASE | {
        "clinicians": [{"clinician_id": "c1", "display_name": "Ann"}, {"clinician_id": "c2", "is_trainee": "yes"}],
        "supervision": [link],
    }
    give(engine, tmp_path / "first", tables, datetime(2026, 10, 1, 9))
    changes = {
        "clinicians": [{"clinician_id": "c1", "display_name": "Anna"}, {"clinician_id": "c2", "is_trainee": "no"}],
        "clients": [{"client_id": "k1", "client_code": "B-2"}],
        "supervision": [link | {"to": "2026-11-30"}],
    }
    give(engine, tmp_path / "second", changes)
    with reading(engine) as connection:
        assert connection.execute(select(Client.client_code, Client.known_from)).all() == [("B-2", TODAY)]
        assert connection.execute(select(ClientVersion.given_code, ClientVersion.superseded_on)).all() == [
            ("A-1", TODAY)
        ]
        named = select(Clinician.display_name).where(Clinician.source_id == "c1")
        assert connection.execute(named).scalar_one() == "Anna"
        earlier = connection.execute(select(ClinicianVersion.display_name, ClinicianVersion.is_trainee)).all()
        assert set(earlier) == {("Ann", None), (None, True)}
        assert connection.execute(select(SupervisionLinkVersion.to_day)).scalars().all() == [date(2026, 12, 31)]


def _changed(tables: Tables, draw: random.Random) -> Tables:
    """A later export of the same practice in which a tenth of what was given has changed, in every table."""

    def some(name: str, change: Any) -> list[dict[str, Any]]:
        return [change(row) if draw.random() < 0.1 else row for row in tables[name]]

    def moved(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"starts_at": str(row["starts_at"]).replace("T0", "T1")}

    return tables | {
        "clients": some("clients", lambda row: row | {"client_code": f"X-{row['client_id']}", "gender": "y"}),
        "episodes": some(
            "episodes",
            lambda row: row | {"clinician_id": "00", "ending": "other" if row["ending"] else row["ending"]},
        ),
        "appointments": some("appointments", lambda row: moved(row) | {"status": "no_show"}),
        "scores": some("scores", lambda row: row | {"value": 1}),
    }


@pytest.mark.parametrize("days_back", [1, 5, 33, 90, 250])
def test_the_past_equals_data_cut_at_that_day_also_after_later_imports_changed_rows(
    tmp_path: Path, days_back: int
) -> None:
    tables = write_practice(tmp_path / "files", today=TODAY, episodes=50)
    tables["clients"] = [row | {"client_code": f"K-{n:03}"} for n, row in enumerate(tables["clients"])]
    day = TODAY - timedelta(days=days_back)
    full = fresh(tmp_path / "full")
    # the practice's first import was early, so that every row of then was given before it was changed
    give(full, tmp_path / "given", tables, NOW)
    give(full, tmp_path / "changed", _changed(tables, random.Random(days_back)), NOW)
    past = fresh(tmp_path / "past")
    then = datetime(day.year, day.month, day.day, 20)
    give(past, tmp_path / "cut", {name: rows for name, rows in cut(tables, day).items() if rows}, then)
    for order in ((TODAY, day), (day, TODAY - timedelta(days=days_back // 2), day)):
        for one in order:
            evaluate(full, SETTINGS, 1, as_of=one, now=NOW, everything=True)
        for table in EXPORTS:
            assert_frame_equal(exported(full, table, as_of=day), exported(past, table, now=then))
    assert not exported(full, "episodes").equals(exported(full, "episodes", as_of=TODAY - timedelta(days=1)))
    full.dispose()
    past.dispose()


def test_an_import_whose_evaluation_never_ran_is_evaluated_with_the_next_one(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(engine, tmp_path / "first", BASE)
    other = {
        "clients": [{"client_id": "k2"}],
        "episodes": [{"episode_id": "e2", "client_id": "k2", "clinician_id": "c1", "opened_on": "2026-09-01"}],
    }

    class Killed(Exception):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("dashboard.importing.evaluate", killed)
        with pytest.raises(Killed):
            give(engine, tmp_path / "killed", other)
    give(engine, tmp_path / "third", {"scores": [BASE["scores"][7] | {"taken_on": "2026-11-18"}]})
    assert exported(engine, "episodes")["episode_id"].to_list() == ["e1", "e2"]


def test_many_thousand_bookings_learn_what_became_of_them_in_one_import(tmp_path: Path) -> None:
    count = 40_000  # more than one statement may name
    engine = fresh(tmp_path / "many")
    slots = pl.DataFrame({"n": range(count)}).select(
        appointment_id=pl.format("a{}", "n"), episode_id=pl.lit("e1"),
        starts_at=pl.lit("2026-11-19T10:00"), status=pl.lit("booked"),
    )  # fmt: skip
    give(engine, tmp_path / "base", {name: BASE[name] for name in ("clinicians", "clients", "episodes")})
    for status in ("booked", "cancelled_by_client"):
        slots.with_columns(status=pl.lit(status)).write_csv(tmp_path / "appointments.csv")
        report = import_files(
            engine,
            Settings(timezone="UTC"),
            practice=None,
            paths=[tmp_path / "appointments.csv"],
            username=None,
            now=NOW,
        )
    assert report.counts["appointments"]["changed"] == count
    ensure_current(engine, SETTINGS, 1, NOW)
    engine.dispose()


def test_a_score_taken_the_evening_before_stands_with_the_session_that_it_names(engine: Engine, tmp_path: Path) -> None:
    evening = [
        row | {"taken_on": str(date.fromisoformat(row["taken_on"]) - timedelta(days=1)), "appointment_id": f"a{n}"}
        for n, row in enumerate(BASE["scores"])
    ]
    give(engine, tmp_path / "first", BASE | {"scores": evening})
    rows = exported(engine, "sessions", now=NOW).sort("appointment_id")
    assert rows["outcome"].to_list() == [float(18 - n) for n in range(8)]
    earlier = exported(engine, "sessions", as_of=date(2026, 8, 20), now=NOW).sort("appointment_id")
    assert_frame_equal(earlier, rows.head(3))


def test_a_score_that_names_an_unknown_appointment_stands_with_its_own_day(engine: Engine, tmp_path: Path) -> None:
    named = [row | {"appointment_id": "elsewhere"} for row in BASE["scores"]]
    give(engine, tmp_path / "first", BASE | {"scores": named})
    assert exported(engine, "sessions", now=NOW).sort("appointment_id")["outcome"].null_count() == 0
