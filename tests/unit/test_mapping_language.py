"""What the mapping language can say about a source: wide surveys, checks, one value per row, sheets, encodings, weeks."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from dashboard.errors import UnusableInput
from dashboard.instruments import BUILT_IN
from dashboard.intake import Batch, Limits, read_batch
from dashboard.intake.mapping import parse_mapping, read_mapping

TODAY = date(2026, 11, 20)
HEAD = 'name = "t"\nabout = "a test"\n'
SCORES = """
[[table]]
table = "scores"
file = "{file}"
{extra}
[table.columns]
episode_id = "{who}"
taken_on = {when}
instrument = {{ constant = "{instrument}" }}
scale = {scale}
value = {value}
"""


def scores(
    file: str = "survey",
    *,
    extra: str = "",
    who: str = "id",
    when: str = '"day"',
    instrument: str = "who5",
    scale: str = '{ constant = "total" }',
    value: str = '"value"',
) -> str:
    return SCORES.format(file=file, extra=extra, who=who, when=when, instrument=instrument, scale=scale, value=value)


def read(folder: Path, mapping: str, **files: str | bytes) -> Batch:
    for name, text in files.items():
        (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".csv", ".xlsx"))
    return read_batch(
        paths,
        today=TODAY,
        timezone="UTC",
        mapping=parse_mapping(HEAD + mapping),
        limits=Limits(),
        known_instruments=BUILT_IN,
    )


def values(batch: Batch) -> list[tuple[Any, ...]]:
    return batch.tables["scores"].select("episode_id", "taken_on", "scale", "value").rows()


def aside(batch: Batch) -> list[tuple[Any, ...]]:
    return batch.set_aside.select("line", "column", "value", "reason").rows()


WIDE = scores(
    extra='unpivot = { "Little interest" = "item_1", Down = "item_2" }\n[[table.check]]\ncolumn = "Please tick often"\n'
    'equals = "often"\nreason = "the attention check was answered otherwise"',
    instrument="phq9",
    scale='"unpivot.name"',
    value='{ column = "unpivot.value", values = { never = 0, often = 2 } }',
)
SURVEY = """id,day,Little interest,Please tick often,Down
007,2026-01-05,never,often,often
8,2026-01-05,often,never,often
9,2026-01-06,,often,never
10,2026-01-06,sometimes,often,never
"""


def test_a_wide_survey_becomes_one_score_per_filled_cell(tmp_path: Path) -> None:
    assert values(read(tmp_path, WIDE, survey=SURVEY)) == [
        ("007", date(2026, 1, 5), "item_1", 0.0),
        ("007", date(2026, 1, 5), "item_2", 2.0),
        ("9", date(2026, 1, 6), "item_2", 0.0),
        ("10", date(2026, 1, 6), "item_2", 0.0),
    ]


def test_a_row_that_fails_its_attention_check_is_set_aside_once_and_whole(tmp_path: Path) -> None:
    batch = read(tmp_path, WIDE, survey=SURVEY)
    assert aside(batch) == [
        (3, "Please tick often", "never", "the attention check was answered otherwise"),
        (5, "value", "sometimes", "not a plain decimal number"),
    ]


def test_every_row_and_cell_is_accounted_for(tmp_path: Path) -> None:
    of_scores, of_source = read(tmp_path, WIDE, survey=SURVEY).accounts
    assert of_scores == {"table": "scores", "given": 5, "accepted": 4, "set_aside": 1, "repeated": 0}
    assert of_source == {
        "table": "scores", "file": "survey", "read": 4, "not_meant": 0, "repeated": 0, "set_aside": 1, "empty": 1, "rows": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ('in = ["weekly"]', ["2", "3"]),
        ('in = ["weekly", ""]', ["2", "3", "4"]),
        ('not_in = ["intake"]', ["2", "3", "4"]),
        ("not_empty = true", ["1", "2", "3"]),
        ("in = [7]", []),
    ],
)
def test_rows_of_another_form_are_neither_taken_nor_set_aside(tmp_path: Path, rule: str, kept: list[str]) -> None:
    mapping = scores(extra=f'[[table.where]]\ncolumn = "form"\n{rule}')
    rows = "".join(f"{i},2026-01-0{i},{i},{form}\n" for i, form in enumerate(["intake", "weekly", "weekly", ""], 1))
    batch = read(tmp_path, mapping, survey=f"id,day,value,form\n{rows}")
    assert [row[0] for row in values(batch)] == kept
    assert batch.set_aside.is_empty()
    assert batch.accounts[1]["not_meant"] == 4 - len(kept)


@pytest.mark.parametrize(
    ("when", "cell", "start", "day"),
    [
        ('{ column = "n", days_from = "2026-01-05", step_days = 7, first = 1 }', "1", "", date(2026, 1, 5)),
        ('{ column = "n", days_from = 2026-01-05, step_days = 7, first = 1 }', "3", "", date(2026, 1, 19)),
        ('{ column = "n", days_from = "2026-01-05" }', "0", "", date(2026, 1, 5)),
        ('{ column = "n", days_from = "start", step_days = 7 }', "2", "2026-02-01", date(2026, 2, 15)),
        ('{ column = "n", days_from = "2026-01-05", step_days = 7 }', "1.5", "", None),
        ('{ column = "n", days_from = "2026-01-05", step_days = 7 }', "99999999999", "", None),
        ('{ column = "n", days_from = "start", step_days = 7 }', "2", "soon", None),
    ],
)
def test_weeks_are_counted_from_a_first_day(tmp_path: Path, when: str, cell: str, start: str, day: date | None) -> None:
    batch = read(tmp_path, scores(when=when), survey=f"id,n,start,value\na,{cell},{start},40\n")
    assert [row[1] for row in values(batch)] == ([] if day is None else [day])
    assert [row[2] for row in aside(batch)] == ([cell] if day is None else [])


@pytest.mark.parametrize(("cell", "number"), [("12,5", 12.5), ("40", 40.0), ("1.5", None), ("1.234,5", None)])
def test_with_a_decimal_comma_a_point_is_never_read_as_one(tmp_path: Path, cell: str, number: float | None) -> None:
    mapping = scores(value='{ column = "value", decimal = "," }')
    batch = read(tmp_path, mapping, survey=f"id;day;value\na;2026-01-05;{cell}\n")
    assert [row[3] for row in values(batch)] == ([] if number is None else [number])
    assert [row[2] for row in aside(batch)] == ([cell] if number is None else [])


EAV = """
[[eav]]
file = "export"
makes = "records"
key = ["record", "redcap_event_name", "redcap_repeat_instance"]
name = "field_name"
value = "value"
checkbox = ["tools"]
""" + scores(
    "records",
    who="record",
    extra='unpivot = { phq9_1 = "item_1", phq9_2 = "item_2" }\n[[table.where]]\ncolumn = "tools___b"\nin = [1]',
    instrument="phq9",
    scale='"unpivot.name"',
    value='"unpivot.value"',
)


def test_one_value_per_row_becomes_a_table_with_repeats_boxes_and_fields_nobody_filled(tmp_path: Path) -> None:
    lines = [
        "01,week_arm_1,1,day,2026-01-05", "01,week_arm_1,1,phq9_1,2", "01,week_arm_1,1,tools,a",
        "01,week_arm_1,1,tools,B", "01,week_arm_1,2,day,2026-01-12", "01,week_arm_1,2,phq9_1,1",
        "01,week_arm_1,2,phq9_1,3", "01,week_arm_1,2,tools,b", "02,week_arm_1,,day,2026-01-12",
        "02,week_arm_1,,phq9_1,0",
    ]  # fmt: skip
    export = "record,redcap_event_name,redcap_repeat_instance,field_name,value\n" + "\n".join(lines) + "\n"
    batch = read(tmp_path, EAV, export=export)
    assert values(batch) == [("01", date(2026, 1, 5), "item_1", 2.0), ("01", date(2026, 1, 12), "item_1", 3.0)]
    assert aside(batch) == [
        (7, "phq9_1", "1", "another value of the same field stands later in the file; that one counts")
    ]
    assert batch.ignored_columns == {"export": ["no row holds the field phq9_2"]}


def book(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)


def test_a_workbook_with_title_rows_keeps_zeros_days_and_true_line_numbers(tmp_path: Path) -> None:
    book(
        tmp_path / "Practice.xlsx",
        {
            "Notes": [["nothing here"]],
            "Survey": [
                [], ["WHO-5, exported"], ["id", "day", "value"], ["asked", "asked", "asked"],
                ["007", date(2026, 1, 5), 40], [], ["8", datetime(2026, 1, 6, 0, 0), "44"], ["9", "soon", 12.5],
            ],
        },
    )  # fmt: skip
    layout = '[[source]]\nfile = "{}"\nheader_row = 3\nskip_rows = 1\n'
    for name in ("Survey", "practice.survey"):
        batch = read(tmp_path, layout.format(name) + scores(name))
        assert values(batch) == [("007", date(2026, 1, 5), "total", 40.0), ("8", date(2026, 1, 6), "total", 44.0)]
        assert aside(batch) == [(8, "taken_on", "soon", "not a date of the calendar written as 2026-11-20")]
        assert batch.ignored_columns == {"Practice.xlsx#Notes": ["the whole sheet: the mapping does not name it"]}


def test_a_workbook_of_one_sheet_goes_by_its_own_name(tmp_path: Path) -> None:
    book(tmp_path / "survey.xlsx", {"Sheet1": [["id", "day", "value"], ["1", date(2026, 1, 5), 40]]})
    assert values(read(tmp_path, scores())) == [("1", date(2026, 1, 5), "total", 40.0)]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "gb18030"])
def test_an_encoding_is_read_where_the_mapping_names_it_and_refused_where_not(tmp_path: Path, encoding: str) -> None:
    text = "id|day|Zufällig\nä1|2026-01-05|40\n"
    mapping = scores(value='"Zufällig"')
    named = f'[[source]]\nfile = "survey"\nencoding = "{encoding}"\ndelimiter = "|"\n'
    assert values(read(tmp_path, named + mapping, survey=text.encode(encoding)))[0][0] == "ä1"
    with pytest.raises(UnusableInput, match="UTF-"):
        read(tmp_path, mapping)


def test_columns_can_be_named_by_position_and_several_files_found_by_a_pattern(tmp_path: Path) -> None:
    mapping = '[[source]]\nfile = "survey"\nnamed = "answers_*"\nnames = ["id", "day", "value"]\n' + scores()
    batch = read(tmp_path, mapping, answers_1="Q1,Q1,Q1\na,2026-01-05,40\n", answers_2="x,y,z\nb,2026-01-06,44\n")
    assert [row[0] for row in values(batch)] == ["a", "b"]
    with pytest.raises(UnusableInput, match="4 columns where the mapping names 3"):
        read(tmp_path, mapping, answers_3="a,b,c,d\n1,2,3,4\n")


def test_two_files_of_one_name_are_never_half_read(tmp_path: Path) -> None:
    book(tmp_path / "survey.xlsx", {"Sheet1": [["id", "day", "value"], ["1", date(2026, 1, 5), 40]]})
    with pytest.raises(UnusableInput, match=r"survey.csv and survey.xlsx are both what the mapping calls 'survey'"):
        read(tmp_path, scores(), survey="id,day,value\n1,2026-01-05,40\n")


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (scores().replace('value = "value"', ""), "table scores needs the column 'value'"),
        (scores(scale='"unpivot.name"'), "without unpivot"),
        (scores(when='{ column = "day", date = "%Q" }'), "'%Q' is not a format"),
        (scores(when='{ column = "day", first = 1 }'), "belong to days_from"),
        (scores(extra='[[table.where]]\ncolumn = "x"'), "exactly one of in, not_in, not_empty"),
        ('watermark = { elsewhere = "t" }\n' + scores(), "watermark names 'elsewhere'"),
        ('[[source]]\nfile = "survey"\nheader_row = 0\n' + scores(), "needs names"),
        ('[[source]]\nfile = "survey"\nencoding = "best"\n' + scores(), "source.1.encoding"),
        ("x = [" * 3000, "is not TOML"),
    ],
)
def test_a_slip_is_named_where_the_mapping_is_read(mapping: str, words: str) -> None:
    with pytest.raises(UnusableInput, match=words):
        parse_mapping(HEAD + mapping)


def test_a_saved_mapping_goes_by_its_name() -> None:
    assert read_mapping("ours", {"ours": HEAD + scores()}).table[0].table == "scores"
    with pytest.raises(UnusableInput, match="'ours' cannot be used"):
        read_mapping("ours", {"ours": HEAD})
