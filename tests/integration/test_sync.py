"""Another system's database in, from PostgreSQL to SQLite and back: read only, from the last mark on, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from typer.testing import CliRunner

from dashboard.cli import cli
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.importing import ImportReport
from dashboard.intake.mapping import parse_mapping
from dashboard.settings import Settings
from dashboard.syncing import sync
from queries.engine import open_engine, reading
from queries.frames import read_frame
from queries.intake_tables import SyncMark
from queries.schema import migrate
from queries.source import address_of
from queries.tables import Appointment, Audit, Client, Import, Score
from tests.conftest import postgres_copy

NOW = datetime(2026, 11, 20, 12)
SETTINGS = Settings(timezone="Europe/Berlin")
MAPPING = """
name = "clinic"
about = "a clinic's own database"
[watermark]
"{s}visits" = "changed_at"
"{s}ratings" = "changed_at"
[[table]]
table = "clinicians"
file = "{s}staff"
[table.columns]
clinician_id = "staff_no"
is_trainee = "trainee"
[[table]]
table = "clients"
file = "{s}patients"
[table.columns]
client_id = "patient_no"
birth_year = "born"
[[table]]
table = "episodes"
file = "{s}patients"
[table.columns]
episode_id = "patient_no"
client_id = "patient_no"
clinician_id = "staff_no"
opened_on = "since"
[[table]]
table = "appointments"
file = "{s}visits"
[table.columns]
appointment_id = "visit_no"
episode_id = "patient_no"
starts_at = "seen_at"
status = {{ column = "outcome", values = {{ came = "attended", dna = "no_show" }} }}
[[table]]
table = "scores"
file = "{s}ratings"
[[table.where]]
column = "valid"
in = [true]
[table.columns]
episode_id = "patient_no"
taken_on = "rated_on"
instrument = {{ constant = "core10" }}
scale = {{ constant = "total" }}
value = "points"
"""
STAFF = [{"staff_no": "0012", "trainee": True, "password": "secret-column"}]
PATIENTS = [
    {"patient_no": "007", "staff_no": "0012", "born": 1980, "since": date(2026, 1, 1)},
    {"patient_no": "08", "staff_no": "0012", "born": None, "since": date(2026, 2, 1)},
]
T0 = datetime(2026, 3, 1, 8)


def visit(
    number: int, who: str = "007", outcome: str = "came", changed: datetime = T0, hour: int = 9
) -> dict[str, Any]:
    return {
        "visit_no": number, "patient_no": who, "seen_at": datetime(2026, 2, number, hour, 30), "outcome": outcome,
        "changed_at": changed,
    }  # fmt: skip


def rating(
    number: int, points: str | None, day: int, changed: datetime | None = T0, valid: bool = True
) -> dict[str, Any]:
    return {
        "rating_no": number, "patient_no": "007", "rated_on": date(2026, 2, day),
        "points": None if points is None else Decimal(points), "valid": valid, "changed_at": changed,
    }  # fmt: skip


class Clinic:
    """The other system: four tables in a schema of their own where the database has schemas."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        self.schema = "clinic" if self.engine.dialect.name == "postgresql" else None
        meta = sa.MetaData(schema=self.schema)
        aware = sa.DateTime(timezone=self.schema is not None)
        self.tables = {
            "staff": sa.Table("staff", meta, sa.Column("staff_no", sa.String, primary_key=True),
                              sa.Column("trainee", sa.Boolean), sa.Column("password", sa.String)),
            "patients": sa.Table("patients", meta, sa.Column("patient_no", sa.String, primary_key=True),
                                 sa.Column("staff_no", sa.String), sa.Column("born", sa.Integer),
                                 sa.Column("since", sa.Date)),
            "visits": sa.Table("visits", meta, sa.Column("visit_no", sa.Integer, primary_key=True),
                               sa.Column("patient_no", sa.String), sa.Column("seen_at", aware),
                               sa.Column("outcome", sa.String), sa.Column("changed_at", sa.DateTime)),
            "ratings": sa.Table("ratings", meta, sa.Column("rating_no", sa.Integer, primary_key=True),
                                sa.Column("patient_no", sa.String), sa.Column("rated_on", sa.Date),
                                sa.Column("points", sa.Numeric(6, 2)), sa.Column("valid", sa.Boolean),
                                sa.Column("changed_at", sa.DateTime)),
        }  # fmt: skip
        with self.engine.begin() as connection:
            if self.schema:
                connection.exec_driver_sql(f"CREATE SCHEMA {self.schema}")
                connection.exec_driver_sql("SET LOCAL timezone = 'UTC'")
            meta.create_all(connection)
        self.add("staff", *STAFF)
        self.add("patients", *PATIENTS)

    def add(self, table: str, *rows: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            if self.schema:
                connection.exec_driver_sql("SET LOCAL timezone = 'UTC'")
            connection.execute(self.tables[table].insert(), list(rows))

    def run(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement)

    @property
    def mapping(self) -> str:
        return MAPPING.format(s=f"{self.schema}." if self.schema else "")


@pytest.fixture(params=["sqlite to postgresql", "postgresql to sqlite"])
def ends(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_template: tuple[str, str]
) -> Iterator[tuple[Clinic, Engine]]:
    with postgres_copy(postgres_template) as postgres:
        other = f"sqlite:///{tmp_path / 'one.sqlite'}"
        ours, theirs = (postgres, other) if request.param.endswith("postgresql") else (other, postgres)
        engine = open_engine(ours)
        migrate(engine)
        clinic = Clinic(theirs)
        yield clinic, engine
        clinic.engine.dispose()
        engine.dispose()


def take(
    ends: tuple[Clinic, Engine], *, now: datetime = NOW, mapping: str | None = None, **options: Any
) -> ImportReport:
    clinic, engine = ends
    return sync(
        engine, SETTINGS, source_db=clinic.url, mapping=parse_mapping(mapping or clinic.mapping), username=None, now=now,
        **options,
    )  # fmt: skip


def read_rows(report: ImportReport, table: str) -> int:
    return sum(one["read"] for one in report.accounts if one.get("read") is not None and one["table"] == table)


def stored(engine: Engine, *columns: Any) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return read_frame(connection, sa.select(*columns).order_by(*columns)).rows()


def test_types_come_over_exactly_and_only_named_columns_are_asked_for(ends: tuple[Clinic, Engine]) -> None:
    clinic, engine = ends
    clinic.add("visits", visit(1), visit(2, outcome="dna"), visit(3, outcome="moved away"))
    clinic.add("ratings", rating(1, "12.50", 1), rating(2, None, 2), rating(3, "9", 3, valid=False), rating(4, "7", 4))
    report = take(ends)
    assert stored(engine, Client.source_id, Client.birth_year) == [("007", 1980), ("08", None)]
    hour = 10 if clinic.schema else 9  # a time with an offset is told in the practice's time zone
    assert stored(engine, Appointment.starts_at, Appointment.status) == [
        (datetime(2026, 2, 1, hour, 30), "attended"),
        (datetime(2026, 2, 2, hour, 30), "no_show"),
    ]
    assert stored(engine, Score.taken_on, Score.value) == [(date(2026, 2, 1), 12.5), (date(2026, 2, 4), 7.0)]
    told = {(row["file"].removeprefix("clinic."), row["line"], row["column"]) for row in report.set_aside_rows}
    assert told == {("visits", 3, "status"), ("ratings", 2, "value")}
    scores = next(one for one in report.accounts if one["table"] == "scores" and "read" in one)
    assert (scores["read"], scores["not_meant"], scores["rows"]) == (4, 1, 3)
    assert stored(engine, Import.kind, Import.source) == [("sync", "sync")]
    with reading(engine) as connection:
        details = read_frame(connection, sa.select(Audit.detail).where(Audit.action == "import"))["detail"].to_list()
    assert details == [f"sync: {address_of(clinic.url)}"]


def test_only_rows_from_the_mark_on_are_read_and_equal_times_are_never_lost(ends: tuple[Clinic, Engine]) -> None:
    clinic, engine = ends
    clinic.add("ratings", rating(1, "10", 1), rating(2, "11", 2, T0 + timedelta(hours=1)))
    assert read_rows(take(ends), "scores") == 2
    again = take(ends, now=NOW + timedelta(minutes=1))
    assert read_rows(again, "scores") == 1
    assert again.import_id is None
    # a row of the very time that was the newest, and one without any time
    clinic.add("ratings", rating(3, "12", 3, T0 + timedelta(hours=1)), rating(4, "13", 4, None))
    more = take(ends, now=NOW + timedelta(minutes=2))
    assert read_rows(more, "scores") == 3
    assert more.counts["scores"]["new"] == 2
    assert [value for (value,) in stored(engine, Score.value)] == [10.0, 11.0, 12.0, 13.0]


def test_a_row_written_late_with_an_older_time_is_read_with_an_overlap_or_with_all(ends: tuple[Clinic, Engine]) -> None:
    clinic, _ = ends
    clinic.add("ratings", rating(1, "10", 1, T0 + timedelta(days=2)))
    take(ends)
    clinic.add("ratings", rating(2, "11", 2, T0 + timedelta(days=1)))
    assert take(ends).counts["scores"]["new"] == 0
    assert take(ends, everything=True).counts["scores"]["new"] == 1
    name = f'"{clinic.schema + "." if clinic.schema else ""}ratings" = '
    wider = clinic.mapping.replace(name + '"changed_at"', name + '{ column = "changed_at", overlap_days = 3 }')
    take(ends, mapping=wider)  # a changed mapping reads everything once
    clinic.add("ratings", rating(3, "12", 3, T0))
    late = take(ends, mapping=wider)
    assert (read_rows(late, "scores"), late.counts["scores"]["new"]) == (3, 1)


def test_a_changed_mapping_reads_everything_once(ends: tuple[Clinic, Engine]) -> None:
    clinic, engine = ends
    clinic.add("visits", visit(1), visit(2, changed=T0 + timedelta(hours=1), outcome="moved away"))
    take(ends)
    mapping = clinic.mapping.replace('dna = "no_show"', 'dna = "no_show", "moved away" = "cancelled_by_client"')
    assert read_rows(take(ends, mapping=mapping), "appointments") == 2
    assert len(stored(engine, Appointment.status)) == 2


def test_nothing_is_written_and_no_mark_moves_where_a_sync_is_refused(ends: tuple[Clinic, Engine]) -> None:
    clinic, engine = ends
    clinic.add("ratings", rating(1, "10", 1))
    take(ends)
    marks = stored(engine, SyncMark.file, SyncMark.watermark)
    clinic.add("ratings", rating(2, "11", 2, T0 + timedelta(days=1)))
    with pytest.raises(UnusableInput, match="no source column 'score'"):
        take(ends, mapping=clinic.mapping.replace('"points"', '"score"'))
    with pytest.raises(UnusableInput, match=r"has no table '.*rating'"):
        take(ends, mapping=clinic.mapping.replace("ratings", "rating"))
    with pytest.raises(UnusableInput, match=r"no column 'seen'.*as watermark"):
        take(ends, mapping=clinic.mapping.replace('visits" = "changed_at"', 'visits" = "seen"'))
    assert take(ends, dry_run=True).counts["scores"]["new"] == 1
    assert stored(engine, SyncMark.file, SyncMark.watermark) == marks
    assert take(ends).counts["scores"]["new"] == 1


def test_the_source_failing_in_the_middle_writes_nothing(ends: tuple[Clinic, Engine]) -> None:
    clinic, engine = ends
    clinic.add("ratings", rating(1, "10", 1))
    # the first tables are read, the last ends in an error of the database's own
    prefix, breaking = ("clinic.", "1/(random()*0)::int") if clinic.schema else ("", "abs(-9223372036854775807 - 1)")
    clinic.run(f"ALTER TABLE {prefix}visits RENAME TO visits_kept")
    clinic.run(
        f"CREATE VIEW {prefix}visits AS SELECT * FROM {prefix}visits_kept "
        f"UNION ALL SELECT {breaking}, '', CURRENT_TIMESTAMP, '', CURRENT_TIMESTAMP"
    )
    mapping = clinic.mapping.replace('visits" = "changed_at"', 'staff" = "staff_no"')
    with pytest.raises(SupervisionError, match=r"could not be read.*Nothing was written"):
        take(ends, mapping=mapping)
    assert stored(engine, Client.source_id) == []
    assert stored(engine, SyncMark.file) == []


def test_nothing_can_be_written_at_the_source(ends: tuple[Clinic, Engine]) -> None:
    from queries.source import reading_source

    clinic, _ = ends
    with pytest.raises(SupervisionError, match=r"read-?only"), reading_source(clinic.url, "UTC") as theirs:
        theirs._connection.exec_driver_sql(f"DELETE FROM {clinic.tables['staff'].fullname}")
    with clinic.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(clinic.tables["staff"])).scalar_one() == 1


def test_a_row_set_aside_is_told_once_however_often_it_is_read(ends: tuple[Clinic, Engine]) -> None:
    clinic, _ = ends
    clinic.add("ratings", rating(1, "99", 1), rating(2, "99", 2))
    assert take(ends).set_aside == 2
    clinic.add("ratings", rating(3, "98", 3, T0 - timedelta(days=9)), rating(4, "5", 4))
    report = take(ends, everything=True, now=NOW + timedelta(minutes=1))
    assert report.set_aside == 3
    with reading(ends[1]) as connection:
        from queries.tables import SetAside

        assert read_frame(connection, sa.select(SetAside.id)).height == 3


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "not a database address"),
        ("sqlite:////nowhere/x.sqlite", "no SQLite file"),
        ("sqlite://", "no SQLite file"),
        ("oracle+nothing://u:pw-of-mine@h/x", "no driver for 'oracle"),
        ("mysql+pymysql://u:pw-of-mine@h/x", "no driver for 'mysql"),
        ("postgresql://u:pw-of-mine@127.0.0.1:1/x", "could not be read"),
    ],
)
def test_an_address_that_cannot_be_used_is_said_without_its_password(tmp_path: Path, address: str, words: str) -> None:
    (tmp_path / "m.toml").write_text(MAPPING.format(s=""))
    result = CliRunner().invoke(cli, ["sync", "--source-db", address, "--mapping", str(tmp_path / "m.toml")])
    assert isinstance(result.exception, SupervisionError)
    assert words in str(result.exception)
    assert "pw-of-mine" not in str(result.exception)


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    clinic = Clinic(f"sqlite:///{tmp_path / 'theirs.sqlite'}")
    clinic.add("visits", visit(1), visit(2, outcome="unheard of"))
    (tmp_path / "m.toml").write_text(clinic.mapping)
    command = [
        "sync",
        "--source-db",
        clinic.url,
        "--mapping",
        str(tmp_path / "m.toml"),
        "--report",
        str(tmp_path / "r"),
    ]
    result = CliRunner().invoke(cli, command)
    clinic.engine.dispose()
    assert result.exit_code == 3, result.output
    assert "appointments: 1 new" in result.output
    assert "visits line 2, status: not one of" in result.output
    assert (tmp_path / "r").read_text().startswith("{")


def test_a_driver_without_text_of_its_own_gives_the_same_cells(tmp_path: Path) -> None:
    from queries.source_cells import cell

    assert [
        cell(value, "Europe/Berlin")
        for value in (None, "007", True, 5, 2.50, Decimal("12.50"), 1e21, date(2026, 1, 5), datetime(2026, 1, 5, 9, 30))
    ] == [None, "007", "true", "5", "2.5", "12.50", "1000000000000000000000", "2026-01-05", "2026-01-05T09:30:00"]
    assert cell(datetime.fromisoformat("2026-01-05T23:30:00+00:00"), "Europe/Berlin") == "2026-01-06T00:30:00"
    assert pl.__version__
