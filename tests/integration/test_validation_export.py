"""``export validation`` on both databases: what it says, in whose scope, as of which day, and to whom it is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, text

from dashboard.access import Role
from dashboard.errors import NotAllowed
from dashboard.exporting import export_table
from dashboard.importing import import_files
from dashboard.people import add_person
from dashboard.settings import Settings
from dashboard.validating import TABLE, validate, validation_table
from queries.engine import reading
from tests.conftest import Template
from tests.factories import write_practice

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12)
SETTINGS = Settings(timezone="UTC")
NAMED = [
    "model_version", "fitted_on", "episodes", "events", "test_episodes", "test_events", "auc", "brier", "brier_null",
    "calibration_intercept", "calibration_slope", "expected_range_coverage", "why",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A small practice with people of every role."""
    with template.filled() as engine:
        _fill(engine, tmp_path_factory.mktemp("files"))
    return template


@pytest.fixture
def practice(made: Template, tmp_path: Path) -> Iterator[Engine]:
    """A copy of it."""
    with made.copied(tmp_path) as engine:
        yield engine


def _fill(engine: Engine, folder: Path) -> None:
    write_practice(folder, today=TODAY, episodes=120)
    import_files(engine, SETTINGS, practice=None, paths=[folder], username=None, now=NOW)
    for role in Role:
        add_person(
            engine, practice=None, username=role.value, role=role.value,
            clinician={"clinician": "01", "supervisor": "00"}.get(role.value), password="a long enough one",
            must_change=False, now=NOW,
        )  # fmt: skip


def exported(engine: Engine, *, username: str | None = None, as_of: date | None = None, kind: str = "json") -> bytes:
    return export_table(
        engine, SETTINGS, table="validation", username=username, as_of=as_of, kind=kind, practice=None, now=NOW
    )


def rows(engine: Engine, **how: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(exported(engine, **how))  # type: ignore[arg-type]
    return found


def test_one_row_per_model_with_the_contracts_names_first(practice: Engine) -> None:
    said = rows(practice)
    assert [row["model"] for row in said] == ["dropout", "expected_range"]
    assert said[1]["instrument"] == "phq9"
    for row in said:
        assert list(row)[: len(NAMED)] == NAMED
        assert row["model_version"]
        assert row["why"]  # some column of every row is null
    assert 0 < int(str(said[0]["test_events"])) < 50
    assert said[0]["calibration_intercept"] is not None
    assert said[0]["auc"] is said[0]["calibration_slope"] is said[0]["brier"] is None
    assert "mostly published priors" in str(said[0]["why"])
    assert 0 < float(str(said[1]["expected_range_coverage"])) <= 1


def test_every_format_holds_the_same_rows(practice: Engine) -> None:
    csv = pl.read_csv(exported(practice, kind="csv"))
    parquet = pl.read_parquet(io.BytesIO(exported(practice, kind="parquet")))
    assert csv.columns == parquet.columns == list(TABLE)
    assert csv["model_version"].to_list() == parquet["model_version"].to_list()
    assert csv.height == parquet.height == len(rows(practice))


def test_a_scope_counts_its_own_episodes_and_the_model_is_the_practices(practice: Engine) -> None:
    whole, own = rows(practice, username="director")[0], rows(practice, username="clinician")[0]
    team = rows(practice, username="supervisor")[0]
    assert own["model_version"] == whole["model_version"] == team["model_version"]
    assert (own["episodes"], own["events"]) == (whole["episodes"], whole["events"])
    assert 0 < int(str(own["test_sessions"])) < int(str(whole["test_sessions"]))
    with reading(practice) as connection:
        mine = connection.execute(
            text("SELECT count(*) FROM episode_state s JOIN clinician c ON c.id = s.clinician_id "
                 "JOIN evaluation e ON e.id = s.evaluation_id WHERE c.source_id = '01' AND e.is_current = :yes"),
            {"yes": True},
        ).scalar_one()  # fmt: skip
    assert int(str(own["test_episodes"])) <= mine * 0.4


def test_it_is_refused_to_an_administrator_and_both_are_audited(practice: Engine) -> None:
    with pytest.raises(NotAllowed, match="validation"):
        exported(practice, username="admin")
    exported(practice, username="director")
    with reading(practice) as connection:
        noted = connection.execute(text("SELECT username, action FROM audit WHERE action LIKE '%export%'")).all()
    assert {tuple(row) for row in noted} == {
        ("admin", "refuse export validation"),
        ("director", "export validation"),
    }


def test_as_of_the_past_it_is_the_record_of_that_day(practice: Engine) -> None:
    now = rows(practice)
    past = rows(practice, as_of=TODAY - timedelta(days=150))
    assert str(past[0]["test_from"]) < str(now[0]["test_from"])
    assert str(past[0]["fitted_on"] or "") <= str(now[0]["fitted_on"])
    assert past[0]["model_version"] != now[0]["model_version"]
    assert rows(practice) == now


def test_a_practice_without_data_has_two_rows_and_says_why(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "clinicians.csv").write_text("clinician_id\n01\n")
    import_files(engine, SETTINGS, practice=None, paths=[tmp_path / "clinicians.csv"], username=None, now=NOW)
    said = rows(engine)
    assert [row["model"] for row in said] == ["dropout", "expected_range"]
    assert said[0]["episodes"] == said[0]["test_episodes"] == said[0]["test_events"] == 0
    assert said[0]["fitted_on"] is None
    assert "published priors" in str(said[0]["why"])
    assert "no episode has an outcome score" in str(said[1]["why"])


def test_models_read_from_store_are_those_of_the_evaluation(practice: Engine) -> None:
    with reading(practice) as connection:
        scope = _scope(practice)
        found = connection.execute(
            text("SELECT id, model_version FROM evaluation WHERE is_current = :yes"), {"yes": True}
        ).one()
        said = validate(connection, scope, SETTINGS.rules, int(found[0]), TODAY)
    assert said.models.version == found[1]
    assert validation_table(said).schema == TABLE


def _scope(engine: Engine):
    from dashboard.access import operator_scope

    return operator_scope(1)
