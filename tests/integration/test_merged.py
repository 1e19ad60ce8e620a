"""Two records of one client become one: from that day the surviving one, before it whoever was known."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import Engine, select

from dashboard.access import operator_scope
from queries.caseload import states
from queries.engine import reading
from queries.frames import read_frame
from queries.tables import Client
from tests.integration.test_known_when import BASE, NOW, TODAY, Tables
from tests.integration.test_main_job import exported
from tests.integration.test_withdrawn import give

FIRST, SECOND, THIRD = datetime(2026, 10, 1, 9), datetime(2026, 10, 20, 9), datetime(2026, 11, 5, 9)
DAY = timedelta(days=1)
TOLD = ("episodes", "flags", "endings")  # the rest is counted from these
TWO: Tables = BASE | {
    "clients": [{"client_id": f"k{n}", "client_code": f"{code}-{n}"} for n, code in ((1, "A"), (2, "B"), (3, "C"))],
    "episodes": [*BASE["episodes"], BASE["episodes"][0] | {"episode_id": "e2", "client_id": "k2"}],
}


def merge(old: str, new: str) -> Tables:
    return {"clients": [{"client_id": old, "merged_into": new}]}


def codes(engine: Engine, as_of: date) -> list[str]:
    return exported(engine, "episodes", as_of=as_of, now=NOW).sort("episode_id")["client_code"].to_list()


def test_the_episodes_go_to_the_surviving_client_from_that_day_on(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "1", TWO, FIRST)
    report = give(engine, tmp_path / "2", merge("k1", "k2"), SECOND)
    assert report.counts["clients"]["changed"] == 1
    assert codes(engine, SECOND.date() - DAY) == ["A-1", "B-2"]
    assert codes(engine, SECOND.date()) == codes(engine, TODAY) == ["B-2", "B-2"]
    with reading(engine) as connection:
        shown = read_frame(connection, states(operator_scope(1), open_only=False))
        kept = connection.execute(
            select(Client.client_code, Client.merged_into_id).where(Client.source_id == "k1")
        ).one()
    assert shown["client_code"].to_list() == ["B-2", "B-2"]
    assert kept.merged_into_id is not None
    assert give(engine, tmp_path / "3", TWO | {"clients": TWO["clients"][1:]}, THIRD).import_id is None
    new = BASE["episodes"][0] | {"episode_id": "e3"}
    give(engine, tmp_path / "4", {"episodes": [new]}, THIRD)
    assert codes(engine, TODAY) == ["B-2"] * 3


def test_a_chain_of_merges_ends_at_the_last_record_and_a_circle_is_set_aside(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "1", TWO, FIRST)
    give(engine, tmp_path / "2", merge("k1", "k2"), SECOND)
    give(engine, tmp_path / "3", merge("k2", "k3"), THIRD)
    assert codes(engine, THIRD.date() - DAY) == ["B-2", "B-2"]
    assert codes(engine, TODAY) == ["C-3", "C-3"]
    for number, (old, new, reason) in enumerate(
        [("k3", "k1", "lead back"), ("k1", "k3", "already"), ("k3", "k3", "itself")]
    ):
        report = give(engine, tmp_path / f"no{number}", merge(old, new), THIRD)
        assert [reason in row["reason"] for row in report.set_aside_rows] == [True]
    both = {"clients": [*merge("k8", "k9")["clients"], *merge("k9", "k8")["clients"]]}
    assert give(engine, tmp_path / "circle", both, THIRD).set_aside == 1
    assert codes(engine, TODAY) == ["C-3", "C-3"]


def test_a_merge_into_a_client_not_known_yet_waits_for_them(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "1", TWO, FIRST)
    assert give(engine, tmp_path / "2", merge("k1", "k7"), SECOND).counts["clients"]["waiting"] == 1
    assert codes(engine, TODAY) == ["A-1", "B-2"]
    give(engine, tmp_path / "3", {"clients": [{"client_id": "k7", "client_code": "G-7"}]}, THIRD)
    assert codes(engine, TODAY) == ["G-7", "B-2"]


LATE: list[tuple[dict[str, Any], date]] = [
    ({"ending_recorded_on": "2026-10-20"}, date(2026, 10, 20)),
    ({"ending_recorded_on": ""}, date(2026, 10, 5)),
]


@pytest.mark.parametrize(("recorded", "known_from"), LATE, ids=["with the day it became known", "without"])
def test_an_ending_recorded_late_leaves_the_days_before_as_they_were_said(
    engine: Engine, tmp_path: Path, recorded: dict[str, Any], known_from: date
) -> None:
    give(engine, tmp_path / "1", BASE, FIRST)
    said = {name: exported(engine, name, as_of=known_from - DAY, now=NOW) for name in TOLD}
    ended = BASE["episodes"][0] | {"closed_on": "2026-10-05", "ending": "planned"} | recorded
    give(engine, tmp_path / "2", {"episodes": [ended]}, SECOND)
    for name, rows in said.items():
        assert_frame_equal(exported(engine, name, as_of=known_from - DAY, now=NOW), rows)
    assert exported(engine, "episodes", as_of=known_from, now=NOW)["ending"].to_list() == ["planned"]
