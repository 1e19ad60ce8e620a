"""Files that mean harm or hold megabytes: rows set aside with words, the rest kept as it reads, on both databases."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, select

from dashboard.assist.reading import MOST_NAME_BYTES, plain_name
from dashboard.errors import UnusableInput
from dashboard.harmless import LONGEST_CELL, clean
from dashboard.importing import ImportReport, import_files
from dashboard.settings import Settings
from queries.engine import reading
from queries.tables import Client, Clinician, Episode, SetAside
from tests.hostile import HOSTILE, KEPT, files, harm_in_text, strings

NOW = datetime(2026, 11, 20, 12)


def read(engine: Engine, *paths: Path, source: str = "files", practice: str | None = None) -> ImportReport:
    return import_files(
        engine, Settings(timezone="UTC"), practice=practice, paths=list(paths), source=source, username=None, now=NOW
    )


def test_hostile_cells_are_kept_as_they_read_and_megabytes_are_set_aside(engine: Engine, tmp_path: Path) -> None:
    report = read(engine, files(tmp_path / "data"))
    with reading(engine) as connection:
        names = [row[0] for row in connection.execute(select(Clinician.display_name).order_by(Clinician.id))]
        codes = [row[0] for row in connection.execute(select(Client.client_code))]
        areas = [row[0] for row in connection.execute(select(Episode.problem_area))]
        aside = connection.execute(select(SetAside.file, SetAside.line, SetAside.value, SetAside.reason)).all()
    assert [len(names), len(codes), len(areas)] == [len(HOSTILE)] * 3
    kept = [clean(one).strip() for one in HOSTILE.values()]
    assert {clean(one) for one in names} == set(kept)
    assert {HOSTILE[name] for name in KEPT} <= set(names)
    assert [harm for one in (*names, *codes, *areas) for harm in harm_in_text(one)] == []
    long = [row for row in aside if row.reason == f"longer than {LONGEST_CELL} characters"]
    assert [row.file for row in sorted(long)] == ["clients.csv", "clinicians.csv", "clinicians.csv", "episodes.csv"]
    assert report.set_aside == len(aside) == 5
    said = [*report.summary_lines, *strings(json.loads(json.dumps(report.as_json(), default=str)))]
    assert [harm for one in said for harm in harm_in_text(one)] == []
    assert max(len(one) for one in said) < 2_000
    assert read(engine, tmp_path / "data").counts["clients"]["new"] == 0  # a second time changes nothing


def test_a_name_of_a_column_is_never_a_megabyte(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_text(f"client_id,{'x' * 1_000_000}\nk1,1\n", "utf-8")
    with pytest.raises(UnusableInput, match="the name of column 2 is longer than 1,000 characters"):
        read(engine, tmp_path / "clients.csv")
    pl.DataFrame({"client_id": ["k1"], HOSTILE["link"]: ["x"]}).write_parquet(tmp_path / "clients.parquet")
    said = "\n".join(read(engine, tmp_path / "clients.parquet").summary_lines)
    assert "not used: [zqlink]" in said


@pytest.mark.parametrize(
    "name", ["clients\u202e.csv", "clients\n.csv", "clients\x1b[31m.csv", "cli" + "e" * 210 + ".csv"]
)
def test_a_file_whose_name_hides_something_is_refused(engine: Engine, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("client_id\nk1\n", "utf-8")
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(UnusableInput, match="Rename it") as refused:
            read(engine, path)
        assert harm_in_text(str(refused.value)) == []


@pytest.mark.parametrize("kind", ["control", "bidi", "lines", "tab", "hidden"])
def test_a_source_or_a_practice_is_not_called_by_what_hides_something(
    engine: Engine, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "clients.csv").write_text("client_id\nk1\n", "utf-8")
    for given in ({"source": HOSTILE[kind]}, {"practice": HOSTILE[kind]}, {"source": "x" * 1_000_000}):
        with pytest.raises(UnusableInput, match=r"cannot be the name of|that no text has"):
            read(engine, tmp_path / "clients.csv", **given)


@pytest.mark.parametrize("text", ["zq\\ud800x", "zq\\u202ex", "zq\\u0000x", "zq\\u001b[31m", "zq" + "x" * 100_000])
def test_a_fhir_name_is_taken_clean_or_set_aside(engine: Engine, tmp_path: Path, text: str) -> None:
    line = f'{{"resourceType": "Practitioner", "id": "p1", "name": [{{"family": "{text}"}}]}}\n'
    strange = f'{{"resourceType": "Patient", "id": "{text}"}}\n{{"resourceType": "{text}", "id": "x"}}\n'
    (tmp_path / "people.ndjson").write_text(line + strange, "utf-8")
    report = read(engine, tmp_path / "people.ndjson")
    said = [*report.summary_lines, *strings(json.loads(json.dumps(report.as_json(), default=str)))]
    assert [harm for one in said for harm in harm_in_text(one)] == []
    with reading(engine) as connection:
        names = [row[0] or "" for row in connection.execute(select(Clinician.display_name))]
    assert [harm for one in names for harm in harm_in_text(one)] == []
    assert all(len(one) <= LONGEST_CELL for one in names)


@pytest.mark.parametrize(
    "name", [*HOSTILE.values(), "", "..", "a/../..", "語" * 300 + ".csv", "x" * 1_000_000, "\udc80.csv"]
)
def test_an_upload_has_a_name_that_every_disk_takes(name: str, tmp_path: Path) -> None:
    own = plain_name(name)
    assert 0 < len(own.encode()) <= MOST_NAME_BYTES
    assert harm_in_text(own) == []
    (tmp_path / own).write_bytes(b"x")
    assert [one.name for one in tmp_path.iterdir()] == [own]


@pytest.mark.parametrize("word", ["zq\x00x", "zq\ud800x"])
def test_a_word_that_no_text_has_finds_nothing_or_is_refused_in_words(engine: Engine, word: str) -> None:
    found = []
    with suppress(UnusableInput), reading(engine) as connection:
        found = connection.execute(select(Client.id).where(Client.client_code == word)).all()
    assert found == []
