"""REDCap projects and survey tools end to end: every way of exporting the same answers gives the same practice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from dashboard.importing import ImportReport, import_files
from dashboard.intake.mapping import parse_mapping
from dashboard.settings import Settings
from queries.engine import open_engine, reading
from queries.frames import read_frame
from queries.schema import migrate
from queries.tables import Appointment, Client, Episode, Score

NOW = datetime(2026, 11, 20, 12)
SETTINGS = Settings(timezone="UTC")


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'p.sqlite'}")
    migrate(engine)
    yield engine
    engine.dispose()


def load(engine: Engine, mapping: str, *paths: Path) -> ImportReport:
    return import_files(
        engine, SETTINGS, practice=None, paths=list(paths), mapping=parse_mapping(mapping), username=None, now=NOW
    )


def rows(engine: Engine, *columns: Any) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return read_frame(connection, sa.select(*columns).order_by(*columns)).rows()


def stored(engine: Engine) -> list[list[tuple[Any, ...]]]:
    return [
        rows(engine, Client.source_id, Client.gender),
        rows(engine, Episode.source_id, Episode.opened_on, Episode.closed_on, Episode.ending),
        rows(engine, Appointment.source_id, Appointment.starts_at, Appointment.status),
        rows(engine, Score.taken_on, Score.instrument, Score.scale, Score.value, Score.respondent),
    ]


# ---- REDCap: a longitudinal project with a repeating weekly form and a checkbox field ---- #

KEYS = ["record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"]
FIELDS = ["therapist", "sex", "enrolled", "ended", "end_how", "visit_day", "came___1", "came___2", "phq9_1", "phq9_2"]
LABELS = {
    "redcap_event_name": {"intake_arm_1": "Intake", "treatment_arm_1": "Treatment"},
    "redcap_repeat_instrument": {"weekly": "Weekly form"},
    "sex": {"1": "Female", "2": "Male"},
    "end_how": {"1": "Agreed", "2": "Did not return"},
    "phq9_1": {"0": "Not at all", "1": "Several days", "2": "More than half the days", "3": "Nearly every day"},
    "came___1": {"0": "Unchecked", "1": "Checked"},
}
LABELS["phq9_2"], LABELS["came___2"] = LABELS["phq9_1"], LABELS["came___1"]
RECORDS: list[dict[str, str]] = [
    {"record_id": "001", "redcap_event_name": "intake_arm_1", "therapist": "T1", "sex": "1", "enrolled": "2026-01-05",
     "ended": "2026-03-02", "end_how": "1"},
    {"record_id": "002", "redcap_event_name": "intake_arm_1", "therapist": "T2", "sex": "2", "enrolled": "2026-01-12"},
    *({"record_id": who, "redcap_event_name": "treatment_arm_1", "redcap_repeat_instrument": "weekly",
       "redcap_repeat_instance": str(n), "visit_day": f"2026-01-{5 + 7 * n:02}", "came___1": str(int(n != 2)),
       "came___2": str(int(n == 2)), "phq9_1": str(n), "phq9_2": str(3 - n)} for who in ("001", "002") for n in (1, 2)),
]  # fmt: skip
REDCAP = """
name = "project"
about = "a REDCap project"
[[table]]
table = "clinicians"
file = "records"
once_by = "therapist"
[[table.where]]
column = "therapist"
not_empty = true
[table.columns]
clinician_id = "therapist"
[[table]]
table = "clients"
file = "records"
[[table.where]]
column = "redcap_event_name"
in = ["intake_arm_1", "Intake"]
[table.columns]
client_id = "record_id"
gender = { column = "sex", values = { 1 = "female", Female = "female", 2 = "male", Male = "male" } }
[[table]]
table = "episodes"
file = "records"
[[table.where]]
column = "redcap_event_name"
in = ["intake_arm_1", "Intake"]
[table.columns]
episode_id = "record_id"
client_id = "record_id"
clinician_id = "therapist"
opened_on = "enrolled"
closed_on = "ended"
[table.columns.ending]
column = "end_how"
values = { 1 = "mutual", Agreed = "mutual", 2 = "unilateral", "Did not return" = "unilateral" }
[[table]]
table = "appointments"
file = "records"
[[table.where]]
column = "redcap_repeat_instrument"
in = ["weekly", "Weekly form"]
[[table.where]]
column = "came___1"
in = [1, "Checked"]
[table.columns]
appointment_id = { template = "{record_id}-{redcap_repeat_instance}" }
episode_id = "record_id"
starts_at = "visit_day"
status = { constant = "attended" }
[[table]]
table = "scores"
file = "records"
unpivot = { phq9_1 = "item_1", phq9_2 = "item_2" }
[[table.where]]
column = "redcap_repeat_instrument"
in = ["weekly", "Weekly form"]
[table.columns]
episode_id = "record_id"
taken_on = "visit_day"
instrument = { constant = "phq9" }
scale = "unpivot.name"
[table.columns.value]
column = "unpivot.value"
values = { "Not at all" = 0, "Several days" = 1, "More than half the days" = 2, "Nearly every day" = 3 }
"""
EAV = (
    REDCAP.replace("{record_id}", "{record}").replace('"record_id"', '"record"')
    + """
[[eav]]
file = "export"
makes = "records"
key = ["record", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"]
name = "field_name"
value = "value"
checkbox = ["came"]
"""
)


def flat(labels: bool) -> str:
    lines = [",".join([*KEYS, *FIELDS])]
    for record in RECORDS:
        cells = {name: record.get(name, "") for name in [*KEYS, *FIELDS]}
        if labels:
            cells = {name: LABELS.get(name, {}).get(cell, cell) for name, cell in cells.items()}
        lines.append(",".join(cells.values()))
    return "\n".join(lines) + "\n"


def one_value_per_row() -> str:
    lines = ["record,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,field_name,value"]
    for record in RECORDS:
        key = ",".join(record.get(name, "") for name in KEYS)
        for name, cell in record.items():
            if name.startswith("came___"):
                lines += [f"{key},came,{name[-1]}"] if cell == "1" else []
            elif name not in KEYS[1:]:
                lines.append(f"{key},{name},{cell}")
    return "\n".join(lines) + "\n"


def test_a_redcap_project_is_the_same_practice_whichever_way_it_was_exported(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "records.csv").write_text(flat(labels=False))
    first = load(engine, REDCAP, tmp_path / "records.csv")
    raw = stored(engine)
    assert raw[0] == [("001", "female"), ("002", "male")]
    assert raw[1] == [("001", date(2026, 1, 5), date(2026, 3, 2), "mutual"), ("002", date(2026, 1, 12), None, None)]
    assert [row[0] for row in raw[2]] == ["001-1", "002-1"]
    assert len(raw[3]) == 8
    assert first.set_aside == 0
    (tmp_path / "records.csv").write_text(flat(labels=True))
    (tmp_path / "export.csv").write_text(one_value_per_row())
    for mapping, name in ((REDCAP, "records.csv"), (EAV, "export.csv")):
        again = load(engine, mapping, tmp_path / name)
        assert again.import_id is None, again.summary_lines
        assert again.set_aside == 0
        assert stored(engine) == raw


# ---- survey tools ---- #

SURVEY = """
name = "survey"
about = "a survey tool's export"
[[source]]
file = "answers"
{layout}
[[table]]
table = "clinicians"
file = "answers"
once_by = "_all"
[table.columns]
clinician_id = {{ constant = "practice" }}
[[table]]
table = "clients"
file = "answers"
once_by = "{who}"
[table.columns]
client_id = "{who}"
[[table]]
table = "episodes"
file = "answers"
once_by = "{who}"
[table.columns]
episode_id = "{who}"
client_id = "{who}"
clinician_id = {{ constant = "practice" }}
opened_on = {{ constant = "2026-01-01" }}
[[table]]
table = "scores"
file = "answers"
unpivot = {{ "{first}" = "item_1", "{second}" = "item_2" }}
[[table.where]]
column = "{done}"
{finished}
[table.columns]
episode_id = "{who}"
taken_on = {{ column = "{when}", {how} }}
instrument = {{ constant = "gad7" }}
scale = "unpivot.name"
[table.columns.value]
column = "unpivot.value"
values = {{ "Not at all" = 0, "Several days" = 1, "Nearly every day" = 3, A1 = 0, A2 = 1, A4 = 3 }}
[derive]
sessions = "from_scores"
"""
QUALTRICS = (
    "StartDate,Finished,ExternalReference,Q1_1,Q1_2\nStart Date,Finished,External Data Reference,one,two\n"
    '"{""ImportId"":""startDate"",""timeZone"":""UTC""}","{""ImportId"":""finished""}","{""ImportId"":""externalDataReference""}",'
    '"{""ImportId"":""QID1_1""}","{""ImportId"":""QID1_2""}"\n'
    "2026-03-02 09:15:00,True,007,Several days,Not at all\n2026-03-09 09:15:00,True,007,Nearly every day,Several days\n"
    "2026-03-16 09:15:00,False,007,Nearly every day,\n"
)
LIME = "id;submitdate;token;gad[SQ001];gad[SQ002]\n1;02.03.2026 09:15;007;A2;A1\n2;09.03.2026 09:15;007;A4;A2\n3;;007;A4;\n"
FORMS: list[list[Any]] = [
    ["ID", "Completion time", "Code", "one", "two", "Points", "Points"],
    [1, datetime(2026, 3, 2, 9, 15), "007", "Several days", "Not at all", None, None],
    [2, datetime(2026, 3, 9, 9, 15), "007", "Nearly every day", "Several days", None, None],
]


def as_book(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, lines in sheets.items():
        sheet = made.create_sheet(name)
        for line in lines:
            sheet.append(line)
    made.save(path)


def test_surveys_of_three_tools_give_the_same_scores(sqlite: Engine, tmp_path: Path) -> None:
    (tmp_path / "qualtrics.csv").write_text("\ufeff" + QUALTRICS)
    (tmp_path / "results-survey123.csv").write_text(LIME)
    as_book(tmp_path / "My form(1-2).xlsx", {"Form1": FORMS})
    tools = (
        ("qualtrics.csv", SURVEY.format(layout='named = "qualtrics*"\nskip_rows = 2', who="ExternalReference", first="Q1_1",
            second="Q1_2", done="Finished", finished="in = [true, \"True\"]", when="StartDate",
            how='time = "%Y-%m-%d %H:%M:%S", part = "day"')),
        ("results-survey123.csv", SURVEY.format(layout='named = "results-survey*"\ndelimiter = ";"', who="token",
            first="gad[SQ001]", second="gad[SQ002]", done="submitdate", finished="not_empty = true", when="submitdate",
            how='time = "%d.%m.%Y %H:%M", part = "day"')),
        ("My form(1-2).xlsx", SURVEY.format(layout='named = "my form*"\ndoubled = "number"', who="Code", first="one",
            second="two", done="Completion time", finished="not_empty = true", when="Completion time",
            how='part = "day"')),
    )  # fmt: skip
    expected = None
    for name, mapping in tools:
        report = load(sqlite, mapping, tmp_path / name)
        assert report.set_aside == 0, (name, report.summary_lines)
        if expected is None:
            expected = stored(sqlite)
        assert stored(sqlite) == expected, name
    assert expected is not None
    assert expected[3] == [
        (date(2026, 3, 2), "gad7", "item_1", 1.0, "client"),
        (date(2026, 3, 2), "gad7", "item_2", 0.0, "client"),
        (date(2026, 3, 9), "gad7", "item_1", 3.0, "client"),
        (date(2026, 3, 9), "gad7", "item_2", 1.0, "client"),
    ]
    assert [row[0] for row in expected[0]] == ["007"]


BOOK = """
name = "book"
about = "a practice's workbook with several sheets"
unused = ["readme"]
[[source]]
file = "sessions"
header_row = 3
[[table]]
table = "clinicians"
file = "Staff list"
[table.columns]
clinician_id = "No"
display_name = "Name"
[[table]]
table = "clients"
file = "Clients"
[table.columns]
client_id = "Code"
[[table]]
table = "episodes"
file = "Clients"
[table.columns]
episode_id = "Code"
client_id = "Code"
clinician_id = "Seen by"
opened_on = { column = "Since", date = "%d/%m/%Y" }
[[table]]
table = "appointments"
file = "Sessions"
[table.columns]
appointment_id = { template = "{Code}-{Day}" }
episode_id = "Code"
starts_at = "Day"
status = { column = "Came", values = { yes = "attended", no = "no_show" } }
[[table]]
table = "scores"
file = "Sessions"
[[table.where]]
column = "WHO-5 raw"
not_empty = true
[table.columns]
episode_id = "Code"
taken_on = "Day"
instrument = { constant = "who5" }
scale = { constant = "total" }
value = { column = "WHO-5 raw", times = 4 }
"""


def test_a_workbook_of_several_sheets_is_a_practice(sqlite: Engine, tmp_path: Path) -> None:
    as_book(
        tmp_path / "practice.xlsx",
        {
            "README": [["please fill in"]],
            "Staff list": [["No", "Name"], ["01", "Ann"], ["02", "Bo"]],
            "Clients": [["Code", "Seen by", "Since"], ["007", "01", "05/01/2026"], ["08", "02", date(2026, 1, 6)]],
            "Sessions": [
                ["Our sessions"], [], ["Code", "Day", "Came", "WHO-5 raw"], ["007", date(2026, 1, 12), "yes", 13],
                ["007", date(2026, 1, 19), "no", None], ["08", date(2026, 1, 13), "perhaps", 26],
            ],
        },
    )  # fmt: skip
    report = load(sqlite, BOOK, tmp_path / "practice.xlsx")
    assert rows(sqlite, Episode.source_id, Episode.opened_on) == [("007", date(2026, 1, 5)), ("08", date(2026, 1, 6))]
    assert rows(sqlite, Appointment.source_id, Appointment.status) == [
        ("007-2026-01-12", "attended"), ("007-2026-01-19", "no_show")
    ]  # fmt: skip
    assert rows(sqlite, Score.taken_on, Score.value) == [(date(2026, 1, 12), 52.0)]
    told = [(row["file"], row["line"], row["column"], row["value"]) for row in report.set_aside_rows]
    assert told == [("practice.xlsx#Sessions", 6, "status", "perhaps"), ("practice.xlsx#Sessions", 6, "value", "104.0")]
