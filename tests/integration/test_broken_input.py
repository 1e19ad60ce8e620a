"""Broken input, kind by kind: a clear refusal with nothing written, or one row set aside and the rest taken in."""

from __future__ import annotations

import gzip
import io
import shutil
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from dashboard.errors import UnusableInput
from dashboard.importing import ImportReport, import_files
from dashboard.settings import Settings
from queries.engine import open_engine, reading
from queries.tables import Clinician, Episode, Import, Score
from tests.embedded import embedded

pytestmark = pytest.mark.usefixtures("without_evaluation")
NOW = datetime(2026, 11, 20, 12)
GOOD = {
    "clinicians.csv": "clinician_id,display_name\nc1,Ada\n",
    "clients.csv": "client_id,birth_year\nk1,1980\nk2,1990\n",
    "episodes.csv": (
        "episode_id,client_id,clinician_id,opened_on,closed_on,ending\n"
        "e1,k1,c1,2026-01-05,,\n"
        "e2,k2,c1,2026-02-05,2026-06-01,planned\n"
    ),
    "appointments.csv": (
        "appointment_id,episode_id,starts_at,status\na1,e1,2026-01-05T10:00,attended\na2,e2,2026-02-05T10:00,attended\n"
    ),
    "scores.csv": (
        "episode_id,taken_on,instrument,scale,value\ne1,2026-01-05,phq9,total,14\ne2,2026-02-05,phq9,total,9\n"
    ),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "p.sqlite"
    embedded(path)
    return path


def attempt(
    template: Path, folder: Path, files: dict[str, str | bytes], **settings: int
) -> tuple[Engine, ImportReport]:
    shutil.copy(template, folder / "p.sqlite")
    engine = open_engine(f"sqlite:///{folder / 'p.sqlite'}")
    data = folder / "data"
    data.mkdir()
    for name, content in files.items():
        (data / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    configured = Settings(timezone="UTC", **settings)  # type: ignore[arg-type]
    try:
        report = import_files(engine, configured, practice=None, paths=[data], username=None, now=NOW)
    except UnusableInput:
        with reading(engine) as connection:
            for table in (Clinician, Episode, Score, Import):
                assert connection.execute(select(func.count()).select_from(table)).scalar() == 0
        engine.dispose()
        raise
    return engine, report


def changed(file: str, old: str, new: str) -> dict[str, str | bytes]:
    assert old in GOOD[file]
    return {**GOOD, file: GOOD[file].replace(old, new)}


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in files.items():
            book.writestr(name, content)
    return out.getvalue()


def with_scores(content: bytes, name: str = "scores.csv") -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = dict(GOOD)
    del files["scores.csv"]
    files[name] = content
    return files


SCORES = GOOD["scores.csv"]
REFUSED: list[tuple[str, Callable[[], dict[str, str | bytes]], str]] = [
    ("Latin-1 bytes", lambda: {**GOOD, "clinicians.csv": "clinician_id,display_name\nc1,Andr\u00e9\n".encode("latin-1")},
     r"clinicians\.csv: line 2 is not UTF-8"),
    ("UTF-16", lambda: with_scores(SCORES.encode("utf-16")), r"scores\.csv: it is UTF-16"),
    ("NUL bytes", lambda: with_scores(SCORES.replace("14", "1\x004").encode()), "bytes that no text has"),
    ("an empty file", lambda: with_scores(b""), "no column names"),
    ("only blank lines", lambda: with_scores(b"\n\n\n"), "no column names"),
    ("a required column missing", lambda: changed("scores.csv", "taken_on", "when"), "required column 'taken_on'"),
    ("a column twice", lambda: changed("scores.csv", "scale,value", "value,value"), "'value' stands twice"),
    ("a column twice but for spaces", lambda: changed("scores.csv", "scale,value", "value, value"), "stands twice"),
    ("a quotation mark left open", lambda: changed("scores.csv", "e1,", '"e1,'), r"scores\.csv: line \d+ cannot be read"),
    ("text after a closing quotation mark", lambda: changed("scores.csv", "e1,", '"e1"x,'), "cannot be read"),
    ("a file of an unknown name", lambda: {"notes.csv": "a\n1\n"}, "nothing|knows no such file"),
    ("a gzip file that ends early", lambda: with_scores(gzip.compress(SCORES.encode() * 50)[:-9], "scores.csv.gz"),
     "not a whole gzip file"),
    ("a gzip file that is none", lambda: with_scores(SCORES.encode(), "scores.csv.gz"), "not a whole gzip file"),
    ("a gzip bomb", lambda: with_scores(gzip.compress(b"0" * 3_000_000), "scores.csv.gz"), "larger than 1 MB unpacked"),
    ("a large plain file", lambda: with_scores(SCORES.encode() + b"\n" * 1_100_000), "larger than 1 MB unpacked"),
    ("an Excel file that is none", lambda: with_scores(b"PK nothing", "scores.xlsx"), "not an Excel file"),
    ("an Excel bomb", lambda: with_scores(packed({"xl/worksheets/sheet1.xml": b" " * 3_000_000}), "book.xlsx"),
     "larger than 1 MB unpacked"),
    ("a zip that is no Excel file", lambda: with_scores(packed({"readme.txt": b"hello"}), "book.xlsx"), "not an Excel file"),
    ("a Parquet file that is none", lambda: with_scores(b"PAR1 nothing PAR1", "scores.parquet"), "not a Parquet file"),
    ("an instruments file that is not TOML", lambda: {**GOOD, "instruments.toml": "[[instrument]\n"}, "not valid TOML"),
    ("an instrument without a source", lambda: {**GOOD, "instruments.toml": '[[instrument]]\nkey = "x"\n'},
     r"instruments\.toml: instrument x"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "files", "words"), REFUSED, ids=[case[0] for case in REFUSED])
def test_a_call_that_cannot_be_read_is_refused_with_nothing_written(
    template: Path, tmp_path: Path, kind: str, files: Callable[[], dict[str, str | bytes]], words: str
) -> None:
    with pytest.raises(UnusableInput, match=words) as refused:
        attempt(template, tmp_path, files(), max_unpacked_mb=1)
    assert refused.value.exit_code == 2
    assert len(str(refused.value).splitlines()) <= 3
    assert str(tmp_path) not in str(refused.value), "a person is told the file's name, not the machine's folders"


# kind, file, old text, new text, line, column, part of the reason
ASIDE: list[tuple[str, str, str, str, int, str | None, str]] = [
    ("a day-first date", "scores.csv", "2026-01-05", "05/01/2026", 2, "taken_on", "not a date"),
    ("an ambiguous date", "scores.csv", "2026-01-05", "01-02-2026", 2, "taken_on", "not a date"),
    ("a date in words", "scores.csv", "2026-01-05", "5 Jan 2026", 2, "taken_on", "not a date"),
    ("a date without zeros", "scores.csv", "2026-01-05", "2026-1-5", 2, "taken_on", "not a date"),
    ("a day that no month has", "scores.csv", "2026-01-05", "2026-02-30", 2, "taken_on", "not a date"),
    ("a mistyped century", "scores.csv", "2026-01-05", "0202-01-05", 2, "taken_on", "not a date"),
    ("a spreadsheet's day number", "scores.csv", "2026-01-05", "46027", 2, "taken_on", "not a date"),
    ("a day that has not come", "scores.csv", "2026-01-05", "2026-11-21", 2, "taken_on", "not come yet"),
    ("a number with a comma", "scores.csv", "total,14", 'total,"14,5"', 2, "value", "plain decimal"),
    ("NaN", "scores.csv", "total,14", "total,NaN", 2, "value", "plain decimal"),
    ("infinity", "scores.csv", "total,14", "total,inf", 2, "value", "plain decimal"),
    ("an exponent", "scores.csv", "total,14", "total,1e1", 2, "value", "plain decimal"),
    ("hexadecimal", "scores.csv", "total,14", "total,0x0E", 2, "value", "plain decimal"),
    ("digits of another script", "scores.csv", "total,14", "total,\u0661\u0664", 2, "value", "plain decimal"),
    ("a formula", "scores.csv", "total,14", "total,=7+7", 2, "value", "plain decimal"),
    ("a word for a number", "scores.csv", "total,14", "total,fourteen", 2, "value", "plain decimal"),
    ("above the range", "scores.csv", "total,14", "total,28", 2, "value", "range 0.0 to 27.0"),
    ("below the range", "scores.csv", "total,14", "total,-1", 2, "value", "range"),
    ("an unknown instrument", "scores.csv", "phq9,total,14", "phq-9,total,14", 2, "instrument", "no such instrument"),
    ("an unknown scale", "scores.csv", "phq9,total,14", "phq9,item_10,1", 2, "scale", "no such scale"),
    ("an empty value", "scores.csv", "total,14", "total,", 2, "value", "required"),
    ("an empty id", "scores.csv", "e1,", ",", 2, "episode_id", "required"),
    ("an id of nothing but unseen characters", "scores.csv", "e1,", "\u202e\u200f,", 2, "episode_id", "required"),
    ("an orphan", "scores.csv", "e1,", "e9,", 2, "episode_id", "known"),
    ("an orphan with the right id but a lost zero", "scores.csv", "e1,", "0e1,", 2, "episode_id", "known"),
    ("a cell too many", "scores.csv", "total,14", "total,14,5", 2, None, "6 cells where the first line has 5"),
    ("a cell too few", "scores.csv", ",total,14", ",total", 2, None, "4 cells where the first line has 5"),
    ("an unknown status", "appointments.csv", "10:00,attended\na2", "10:00,came\na2", 2, "status", "not one of"),
    ("a status in capitals", "appointments.csv", "10:00,attended\na2", "10:00,Attended\na2", 2, "status", "not one of"),
    ("an impossible time", "appointments.csv", "2026-01-05T10:00", "2026-01-05T25:00", 2, "starts_at", "date and time"),
    ("attended tomorrow", "appointments.csv", "2026-01-05T10:00", "2026-11-21T10:00", 2, "starts_at", "not come yet"),
    (
        "one id twice with different content",
        "appointments.csv",
        "a2,e2",
        "a1,e2",
        2,
        "appointment_id",
        "more than once",
    ),
    ("closed before opened", "episodes.csv", "2026-06-01", "2026-01-01", 3, "closed_on", "earlier than opened_on"),
    ("an unknown ending", "episodes.csv", "planned", "finished", 3, "ending", "not one of"),
    ("an ending without its day", "episodes.csv", "2026-06-01,planned", ",planned", 3, "ending", "without closed_on"),
    ("an unknown clinician", "episodes.csv", "k2,c1", "k2,c9", 3, "clinician_id", "known"),
    ("an unknown client", "episodes.csv", "e2,k2", "e2,k9", 3, "client_id", "known"),
    ("a birth year of the future", "clients.csv", "1990", "2027", 3, "birth_year", "year of birth"),
    ("a birth year in words", "clients.csv", "1990", "ninety", 3, "birth_year", "whole number"),
]


@pytest.mark.parametrize(
    ("kind", "file", "old", "new", "line", "column", "reason"), ASIDE, ids=[case[0] for case in ASIDE]
)
def test_a_row_that_breaks_a_rule_is_set_aside_with_its_place_and_the_rest_is_taken_in(
    template: Path, tmp_path: Path, kind: str, file: str, old: str, new: str, line: int, column: str | None, reason: str
) -> None:
    engine, report = attempt(template, tmp_path, changed(file, old, new))
    engine.dispose()
    found = [row for row in report.set_aside_rows if row["file"] == file]
    assert any(
        (row["line"] == line and row["column"] == column and reason in row["reason"] and row["value"] is not None)
        or (row["line"] == line and row["column"] == column and "required" in reason)
        for row in found
    ), found
    name = file.removesuffix(".csv")
    aside_here = len({row["line"] for row in found})
    rows_given = len(GOOD[file].strip().splitlines()) - 1
    assert report.counts.get(name, {}).get("new", 0) == rows_given - aside_here


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("a byte order mark", "scores.csv", b"\xef\xbb\xbf" + SCORES.encode()),
        ("semicolons", "scores.csv", SCORES.replace(",", ";").encode()),
        ("tabs", "scores.csv", SCORES.replace(",", "\t").encode()),
        ("Windows line ends", "scores.csv", SCORES.replace("\n", "\r\n").encode()),
        ("no last line end", "scores.csv", SCORES.rstrip("\n").encode()),
        ("blank lines between", "scores.csv", SCORES.replace("\n", "\n\n").encode()),
        ("spaces around cells", "scores.csv", SCORES.replace(",", " , ").encode()),
        ("columns in another order", "scores.csv",
         b"value,scale,instrument,taken_on,episode_id\n14,total,phq9,2026-01-05,e1\n9,total,phq9,2026-02-05,e2\n"),
        ("two gzip members", "scores.csv.gz",
         gzip.compress(SCORES.splitlines()[0].encode() + b"\n" + SCORES.splitlines()[1].encode() + b"\n")
         + gzip.compress(SCORES.splitlines()[2].encode() + b"\n")),
        ("quoted cells over two lines", "scores.csv", SCORES.replace("e1,", '"e1",').encode()),
    ],
)  # fmt: skip
def test_what_is_unusual_but_plain_is_read(
    template: Path, tmp_path: Path, kind: str, name: str, content: bytes
) -> None:
    engine, report = attempt(template, tmp_path, with_scores(content, name))
    engine.dispose()
    assert report.set_aside == 0
    assert report.counts["scores"]["new"] == 2


def test_text_that_looks_like_a_formula_or_markup_is_kept_as_text(template: Path, tmp_path: Path) -> None:
    hostile = '"=HYPERLINK(""http://x"")<script>alert(1)</script>"'
    engine, report = attempt(template, tmp_path, changed("clinicians.csv", "Ada", hostile))
    with reading(engine) as connection:
        name = connection.execute(select(Clinician.display_name)).scalar_one()
    engine.dispose()
    assert name == '=HYPERLINK("http://x")<script>alert(1)</script>'
    assert report.set_aside == 0


def test_ids_keep_their_leading_zeros(template: Path, tmp_path: Path) -> None:
    files = {name: text.replace("e1", "001").replace("e2", "01") for name, text in GOOD.items()}
    engine, report = attempt(template, tmp_path, dict(files))
    with reading(engine) as connection:
        assert sorted(connection.execute(select(Episode.source_id)).scalars()) == ["001", "01"]
    engine.dispose()
    assert report.set_aside == 0


def test_a_time_with_an_offset_is_turned_into_practice_time_before_its_day_is_taken(
    template: Path, tmp_path: Path
) -> None:
    from queries.tables import Appointment

    engine, _ = attempt(template, tmp_path, changed("appointments.csv", "2026-01-05T10:00", "2026-01-05T23:30-05:00"))
    with reading(engine) as connection:
        first = connection.execute(select(func.min(Appointment.starts_at))).scalar_one()
    engine.dispose()
    assert first == datetime(2026, 1, 6, 4, 30)


def test_a_total_that_disagrees_with_its_items_is_reported_and_the_items_count(template: Path, tmp_path: Path) -> None:
    items = "".join(f"e1,2026-01-05,phq9,item_{n},1\n" for n in range(1, 10))
    engine, report = attempt(template, tmp_path, {**GOOD, "scores.csv": SCORES + items})
    engine.dispose()
    assert report.set_aside == 1
    assert "items" in report.set_aside_rows[0]["reason"]


def test_of_several_values_of_one_day_the_last_counts_and_the_others_are_reported(
    template: Path, tmp_path: Path
) -> None:
    engine, report = attempt(template, tmp_path, {**GOOD, "scores.csv": SCORES + "e1,2026-01-05,phq9,total,12\n"})
    with reading(engine) as connection:
        assert sorted(connection.execute(select(Score.value)).scalars()) == [9.0, 12.0]
    engine.dispose()
    assert [(row["line"], row["value"]) for row in report.set_aside_rows] == [(2, "14")]


def test_an_excel_workbook_with_typed_cells_is_read_like_text(template: Path, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, text in GOOD.items():
        sheet = book.create_sheet(name.removesuffix(".csv"))
        for row in text.strip().splitlines():
            sheet.append([None if cell == "" else float(cell) if cell.isdecimal() else cell for cell in row.split(",")])
    sheet = book["scores"]
    sheet["B2"] = datetime(2026, 1, 5)
    out = io.BytesIO()
    book.save(out)
    engine, report = attempt(template, tmp_path, {"practice.xlsx": out.getvalue()})
    engine.dispose()
    assert report.set_aside == 0, report.set_aside_rows
    assert {name: count["new"] for name, count in report.counts.items()} == {
        "clinicians": 1,
        "clients": 2,
        "episodes": 2,
        "appointments": 2,
        "scores": 2,
    }
