"""FHIR files into both databases: what is stored, what is reported, and that no order or repetition changes it."""

from __future__ import annotations

import io
import itertools
import json
import sys
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Connection, Engine, select

from dashboard import cli
from dashboard.access import operator_scope
from dashboard.exporting import export_table
from dashboard.importing import ImportReport, import_files
from dashboard.settings import Settings
from queries import practices
from queries.care import known_care
from queries.engine import open_engine, reading, writing
from queries.frames import read_frame
from queries.schema import migrate
from queries.tables import Appointment, Client, Clinician, Episode, PendingRow, Score, SetAside
from queries.undo import undo_import
from tests.fhir import (
    LETTERS,
    Resource,
    appointment,
    care,
    encounter,
    items,
    observation,
    patient,
    practitioner,
    response,
    write,
)

NOW = datetime(2026, 11, 20, 12, 0)
SETTINGS = Settings(timezone="UTC")
PEOPLE = [patient("p1", birthDate="1980-05-17", gender="female"), patient("02")]
EVENTS = [
    appointment("booked"),
    encounter(appointment=[{"reference": "Appointment/a1"}], participant=None),
    response([*items([2, 2, 2, 2, 2, 1, 1, 0, 0]), {"linkId": "44261-6", "answer": [{"valueInteger": 13}]}]),
    observation(70, "70274-6", id="o9"),
    observation(8, id="o2", day="2026-02-02", subject={"reference": "Patient/02"}),
    observation(3, "55758-7", id="o3"),
]


def load(engine: Engine, *paths: Path, **more: object) -> ImportReport:
    return import_files(
        engine, SETTINGS, practice=None, paths=list(paths), username=None, now=NOW, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _care(connection: Connection) -> set[tuple[object, ...]]:
    """Every score that stands, with whose it is."""
    statement = (
        select(
            Episode.source_id.label("episode"), Client.source_id.label("client"), Clinician.source_id.label("clinician"),
            Episode.opened_on, Score.taken_on, Score.instrument, Score.scale, Score.value,
        )
        .join(Episode, Episode.id == Score.episode_id)
        .join(Client, Client.id == Episode.client_id)
        .join(Clinician, Clinician.id == Episode.clinician_id)
        .where(Score.withdrawn_on.is_(None) if hasattr(Score, "withdrawn_on") else Score.id > 0)
    )  # fmt: skip
    return set(read_frame(connection, statement).rows())


def stored(engine: Engine) -> set[tuple[object, ...]]:
    with reading(engine) as connection:
        return _care(connection)


def test_a_bulk_export_is_imported_whole_and_again_without_a_change(engine: Engine, tmp_path: Path) -> None:
    write(tmp_path, "Observation.ndjson", *(one for one in EVENTS if one["resourceType"] == "Observation"))
    write(tmp_path, "Other.ndjson", *(one for one in EVENTS if one["resourceType"] != "Observation"))
    write(tmp_path, "Patient.ndjson", *PEOPLE)
    write(tmp_path, "Practitioner.json", practitioner())
    report = load(engine, tmp_path)
    assert {name: count["new"] for name, count in report.counts.items()} == {
        "clinicians": 2, "clients": 2, "episodes": 2, "appointments": 1, "scores": 11,
    }  # fmt: skip
    assert report.unmapped == [
        {"system": "http://loinc.org", "code": "55758-7", "questionnaire": "", "link_id": "", "count": 1}
    ]
    # items win over a total that disagrees, and a total out of range is no score
    said = sorted(row["reason"] for row in report.set_aside_rows)
    assert said[0] == "outside the scale's range 0.0 to 21.0"
    assert said[1].startswith(
        "the phq9 total of 2026-01-05 differs from its items, which make 12.0; the items were taken"
    )
    assert len(said) == 2
    before = stored(engine)
    again = load(engine, tmp_path)
    assert again.import_id is None
    assert stored(engine) == before
    with reading(engine) as connection:
        assert connection.execute(select(Appointment.status, Appointment.source_id)).all() == [("attended", "a1")]
        assert connection.execute(select(SetAside.id)).all().__len__() == 2
    data = export_table(
        engine, SETTINGS, table="episodes", username=None, as_of=None, kind="parquet", practice=None, now=NOW
    )
    frame = pl.read_parquet(io.BytesIO(data)).sort("episode_id")
    assert frame["episode_id"].to_list() == ["Patient/02", "Patient/p1/Practitioner/d1"]
    assert frame["latest"].to_list() == [8.0, 12.0]


def test_files_may_come_in_any_order_and_in_calls_of_their_own(tmp_path: Path) -> None:
    files = [
        write(tmp_path, "scores.ndjson", observation(), observation(5, id="o5", day="2026-02-05")),
        write(tmp_path, "care.json", care()),
        write(tmp_path, "people.ndjson", *PEOPLE, practitioner()),
    ]
    expected: set[tuple[object, ...]] | None = None
    for number, order in enumerate([files, *itertools.permutations(files)]):
        engine = open_engine(f"sqlite:///{tmp_path / f'{number}.sqlite'}")
        migrate(engine)
        if number == 0:
            load(engine, *order)
        else:
            for one in order:
                load(engine, one)
        found = stored(engine)
        expected = expected or found
        # people before their episode of care make the scores' episode: what was made stays, and is said
        late = number > 0 and order.index(files[1]) > max(order.index(files[0]), order.index(files[2]))
        if not late:
            assert found == expected, [one.name for one in order]
            with reading(engine) as connection:
                assert connection.execute(select(PendingRow.id)).all() == []
        else:
            assert {one[4:] for one in found} == {one[4:] for one in expected}
        engine.dispose()


def test_an_import_that_gave_waiting_scores_their_episode_is_undone_exactly(engine: Engine, tmp_path: Path) -> None:
    scores = write(tmp_path, "scores.ndjson", observation(), observation(5, id="o5", day="2026-02-05"))
    people = write(tmp_path, "people.ndjson", *PEOPLE, practitioner(), care())
    load(engine, scores)

    def waiting() -> list[str]:
        with reading(engine) as connection:
            return sorted(json.dumps(one) for one in connection.execute(select(PendingRow.row)).scalars())

    before = waiting()
    assert len(before) == 2
    report = load(engine, people)
    assert len(stored(engine)) == 2
    assert waiting() == []
    with writing(engine) as connection:
        practice_id = practices.find_or_none(connection, None, None)
        assert practice_id is not None
        assert report.import_id is not None
        undo_import(connection, practice_id, report.import_id, today=NOW.date(), now=NOW, username=None)
    assert stored(engine) == set()
    assert waiting() == before
    load(engine, people)
    assert len(stored(engine)) == 2


def test_what_was_entered_in_error_is_withdrawn(engine: Engine, tmp_path: Path) -> None:
    load(
        engine,
        write(
            tmp_path,
            "a.ndjson",
            *PEOPLE,
            practitioner(),
            encounter(),
            observation(),
            observation(5, id="o5", day="2026-02-05"),
        ),
    )
    wrong = [
        observation(meta={"versionId": "2"}, status="entered-in-error"),
        encounter("entered-in-error"),
        observation(6, id="o6", day="2026-02-05"),
        observation(5, id="o5", day="2026-02-05", status="entered-in-error"),
    ]
    report = load(engine, write(tmp_path, "b.ndjson", *wrong))
    assert report.set_aside_rows == []
    with reading(engine) as connection:
        gone = connection.execute(select(Appointment.withdrawn_on)).scalars().all()
        assert gone == [NOW.date()]
    assert {one[4:] for one in stored(engine)} == {(datetime(2026, 2, 5).date(), "phq9", "total", 6.0)}


def test_only_the_whole_practices_scope_gives_known_care(engine: Engine, tmp_path: Path) -> None:
    from dashboard.access import Scope

    load(engine, write(tmp_path, "a.ndjson", *PEOPLE, observation()))
    with reading(engine) as connection:
        practice_id = practices.find_or_none(connection, None, None)
        assert practice_id is not None
        everything = known_care(connection, operator_scope(practice_id), "files")
        assert everything.clients == {"p1", "02"}
        assert everything.episodes["episode_id"].to_list() == ["Patient/p1"]
        nothing = known_care(connection, Scope(practice_id, frozenset({1}), "own"), "files")
        assert (nothing.clients, nothing.clinicians, nothing.waiting) == (frozenset(), frozenset(), {})
        assert nothing.episodes.is_empty()
        other = known_care(connection, operator_scope(practice_id), "elsewhere")
        assert other.clients == frozenset()
        assert other.episodes.is_empty()


def _run(*words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["supervision", *words])
    try:
        cli.main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def test_the_command_line_says_what_is_not_mapped_and_a_mapping_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> tuple[int, str, str]:
        return _run("import", *words, monkeypatch=monkeypatch, capsys=capsys)

    answers = [{"linkId": f"PHQ.{n}", "answer": [{"valueCoding": {"code": LETTERS[3]}}]} for n in range(1, 10)]
    mine: Resource = response(answers, questionnaire="Questionnaire/mii-qst-pro-phq-9")
    file = write(tmp_path, "a.json", patient(), practitioner(), encounter(), mine)
    report = tmp_path / "report.out"
    code, out, _ = run(str(file), "--report", str(report))
    assert code == 0
    assert "Codes that are not mapped to an instrument (9)" in out
    assert "Questionnaire/mii-qst-pro-phq-9 linkId PHQ.1: 1" in out
    assert len(json.loads(report.read_text())["unmapped"]) == 9
    mapping = tmp_path / "own.toml"
    links = ", ".join(f'"PHQ.{n}"' for n in range(1, 10))
    mapping.write_text(
        f'name = "own"\nabout = "ours"\n[[code]]\nquestionnaire = "Questionnaire/mii-qst-pro-phq-9"\n'
        f'instrument = "phq9"\nitems = [{links}]\n'
    )
    code, out, _ = run(str(file), "--mapping", str(mapping))
    assert (code, "scores: 9 new" in out) == (0, True)
    mapping.write_text('name = "own"\nabout = "ours"\n[[code]]\ncode = "1"\n')
    code, _, err = run(str(file), "--mapping", str(mapping))
    assert (code, "instrument is missing" in err) == (2, True)
    wrong = tmp_path / "b.json"
    wrong.write_text("{")
    code, _, err = run(str(wrong))
    assert code == 2
    assert err.startswith("b.json: it is not one whole JSON document")
    code, out, _ = run(str(write(tmp_path, "c.ndjson", observation(code="44249-1", id="x"))))
    assert (code, "the whole panel" in out) == (3, True)


def test_all_shared_files_are_imported_together(engine: Engine, tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "fhir"
    extra = write(tmp_path, "people.ndjson", patient("PGHDPatientExample"), patient("example"), patient("proband"))
    report = load(engine, *sorted(folder.rglob("*.json")), extra)
    assert report.counts["clients"]["new"] == 19 + 24 + 3
    assert {one["code"]: one["count"] for one in report.unmapped if one["code"]} == {"55758-7": 173}
    linked = {one["link_id"] for one in report.unmapped if one["link_id"]}
    assert linked == {f"PHQ.{n}" for n in (*range(1, 11), "Score")} | {f"H1/T1/Q{n}" for n in range(1, 10)} | {"H1/TS"}
    assert sum("the whole panel" in row["reason"] for row in report.set_aside_rows) == 1
    scores = pl.DataFrame(list(stored(engine)), orient="row")
    assert scores.filter(pl.col("column_1") == "PGHDPatientExample")["column_7"].sum() == 6.0
    ahrq = scores.filter((pl.col("column_1") == "384") & (pl.col("column_4") == datetime(2020, 2, 28).date()))
    items_sum = ahrq.filter(pl.col("column_6").str.starts_with("item_"))["column_7"].sum()
    assert items_sum == ahrq.filter(pl.col("column_6") == "total")["column_7"].sum() == 15.0
    assert scores.filter((pl.col("column_5") == "gad7") & (pl.col("column_6") == "total")).height == 191
