"""What the import assistant proposes from names and cells: days, words, columns, tables, links between files."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.assist.columns import ideas
from dashboard.assist.details import detailed, unmapped
from dashboard.assist.draft import FIRST_DAY
from dashboard.assist.formats import in_words, invented, readings, written
from dashboard.assist.labels import COLUMNS
from dashboard.assist.labels import TABLES as SHOWN
from dashboard.assist.links import Reach, reachable
from dashboard.assist.names import NAMES, likeness, table_likeness, tokens
from dashboard.assist.profile import Source, profile_of
from dashboard.assist.propose import Ground, propose
from dashboard.assist.words import CLOSED, ordered_labels, suggested_word
from dashboard.instruments import BUILT_IN
from dashboard.intake.batch import TABLES
from dashboard.intake.check import WORDS
from tests.assistant import source


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["03/04/2026", "12/01/2025"], ("%d/%m/%Y", "%m/%d/%Y")),
        (["13/04/2026", "12/01/2025"], ("%d/%m/%Y",)),
        (["12/13/2026", "12/01/2025"], ("%m/%d/%Y",)),
        (["3.4.2026", "28.2.2025"], ("%d.%m.%Y",)),
        (["03.04.05"], ("%d.%m.%y", "%m.%d.%y", "%y.%m.%d")),
        (["20260302"], ("%Y%m%d",)),
        (["5 March 2026", "1 Feb 2025"], ("%d %B %Y",)),
        (["6/15/2026 13:00", "6/16/2026 9:05"], ("%m/%d/%Y %H:%M",)),
        (["1/2/2026 3:30 PM"], ("%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M %p")),
        (["2026-03-04"], ("%Y-%m-%d",)),
        (["13/04/2026", "soon"], ()),
        (["00/00/0000"], ()),
        (["10:30"], ()),
        (["1", "2"], ()),
        ([], ()),
    ],
)
def test_a_way_of_writing_days_is_taken_only_where_every_cell_fits(cells: list[str], formats: tuple[str, ...]) -> None:
    assert written(pl.Series(cells, dtype=pl.String)).formats == formats


@settings(max_examples=60)
@given(
    st.lists(st.dates(date(1950, 1, 1), date(2090, 12, 31)), min_size=1, max_size=40),
    st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d-%m-%Y", "%d %B %Y", "%B %d, %Y"]),
)
def test_the_true_way_is_always_among_those_that_fit(days: list[date], text: str) -> None:
    cells = pl.Series([day.strftime(text) for day in days])
    assert text in written(cells).days


def test_cells_that_two_ways_read_differently_are_shown_both_ways() -> None:
    cells = pl.Series(["04/04/2026", "03/04/2026"])
    assert readings(cells, written(cells).formats) == [
        ("03/04/2026", {"%d/%m/%Y": "3 April 2026", "%m/%d/%Y": "4 March 2026"})
    ]
    assert in_words("%Y-%m-%dT%H:%M") == "year-month-day hour:minute"
    assert invented("%d/%m/%Y") == ("04/03/2026", "4 March 2026")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2026-01-02T10:00"], {"column": "x", "time": "%Y-%m-%dT%H:%M", "part": "day"}),
        (["2026-01-02"], {"column": "x"}),
        (["13/01/2026"], {"column": "x", "date": "%d/%m/%Y"}),
        (["03/01/2026"], {"column": "x"}),  # two ways: a person says which
        (["0", "14"], {"column": "x", "days_from": FIRST_DAY}),
        (["1", "2"], {"column": "x", "days_from": FIRST_DAY, "first": 1}),
    ],
)
def test_a_day_is_read_as_its_cells_say_beyond_doubt(cells: list[str], expected: dict[str, object]) -> None:
    profile = profile_of(pl.DataFrame({"x": cells}), "x")
    assert detailed("scores", "taken_on", profile, {"column": "x"}, BUILT_IN) == expected


@pytest.mark.parametrize(
    ("name", "column", "least"),
    [
        ("Patienten-Nr.", "client_id", 0.9),
        ("clientId", "client_id", 0.9),
        ("CLIENT_ID", "client_id", 0.9),
        ("Thérapeute", "clinician_id", 0.9),
        ("患者编号", "client_id", 0.5),
        ("Geschlecht", "gender", 0.9),
        ("visit_status", "status", 0.9),
        ("Überweisung", "referred_on", 0.9),
        ("total_score", "value", 0.9),
        ("start_date", "opened_on", 0.9),
    ],
)
def test_names_are_known_in_several_languages_and_spellings(name: str, column: str, least: float) -> None:
    assert likeness(name, NAMES[column]) >= least


def test_names_are_compared_without_case_accents_and_signs() -> None:
    assert tokens("Datum-der_ErstAufnahme2 (é)") == ("datum", "der", "erst", "aufnahme", "2", "e")
    assert table_likeness("employees", "clinicians") > 0.8
    assert table_likeness("visit_types", "appointments") < 0.6


@pytest.mark.parametrize(
    ("column", "word", "ours"),
    [
        ("status", "NO_SHOW", "no_show"),
        ("status", "Nicht erschienen", "no_show"),
        ("status", "Cancelled by therapist", "cancelled_by_clinician"),
        ("status", "completed", "attended"),
        ("ending", "Drop-out", "unilateral"),
        ("gender", "weiblich", "female"),
        ("status", "purple", None),
    ],
)
def test_words_of_closed_lists_are_known_or_left_to_a_person(column: str, word: str, ours: str | None) -> None:
    assert suggested_word(column, word) == ours


def test_every_word_of_ours_is_proposed_for_itself_and_every_column_has_its_words() -> None:
    for column, words in WORDS.items():
        assert set(CLOSED[column]) == set(words)
        assert all(suggested_word(column, word) == word for word in words)
    assert {column for table in TABLES.values() for column in table} <= set(COLUMNS)
    assert set(TABLES) == set(SHOWN)


def test_words_without_a_meaning_are_listed_with_their_counts() -> None:
    profile = profile_of(pl.DataFrame({"s": ["Kept", "Kept", "purple", "attended", None, " "]}), "s")
    spec = detailed("appointments", "status", profile, {"column": "s"}, BUILT_IN)
    assert spec["values"] == {"Kept": "attended"}
    assert unmapped("status", profile, spec, BUILT_IN) == [("purple", 1)]


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["often", "never", "sometimes", "always"], ["never", "sometimes", "often", "always"]),
        (["总是如此", "从来没有", "有时如此"], ["从来没有", "有时如此", "总是如此"]),
        (["Strongly agree", "Disagree", "Neutral"], ["Disagree", "Neutral", "Strongly agree"]),
        (["never", "purple"], None),
        (["never", "nie"], None),  # one amount twice: no order
    ],
)
def test_words_of_amount_have_an_order_where_every_one_is_known(labels: list[str], order: list[str] | None) -> None:
    found = ordered_labels(labels)
    assert (found and found[1]) == order


def test_ids_keep_their_zeros_and_days_are_never_ids() -> None:
    one = source("sessions", {"Session Date": ["2026-01-01", "2026-01-02"], "Client": ["001", "002"]})
    reach = {name: Reach(name, one.stem, name) for name in one.names}
    assert one.profile("Client").leading_zero
    assert not ideas("appointments", "appointment_id", reach, {one.stem: one}, {}, BUILT_IN)


def _clinic() -> dict[str, Source]:
    files = [
        source("staff", {"staff_id": ["s1", "s2"], "name": ["A", "B"]}),
        source("people", {"person_id": ["01", "02", "03"], "sex": ["F", "M", "F"]}),
        source(
            "admissions",
            {
                "admission_no": ["a", "b", "c", "d"],
                "person_id": ["01", "01", "02", "03"],
                "start_date": ["2026-01-01", "2026-05-01", "2026-02-01", "2026-03-01"],
                "end_date": ["2026-04-01", None, None, None],
            },
        ),
        source(
            "bookings",
            {
                "booking_id": [str(n) for n in range(8)],
                "person_id": ["01", "01", "01", "02", "02", "03", "03", "03"],
                "staff_id": ["s1", "s1", "s2", "s2", "s2", "s1", "s1", "s1"],
                "starts_at": [f"2026-0{month}-10T10:00" for month in (1, 2, 5, 2, 3, 3, 4, 5)],
                "status": ["Kept", "DNA", "Kept", "Kept", "Kept", "Kept", "Kept", "Kept"],
            },
        ),
    ]
    return {one.stem: one for one in files}


def test_files_hang_together_by_shared_keys_and_periods() -> None:
    found = propose(Ground(_clinic(), BUILT_IN))
    fed = {(one.table, one.file): one for one in found.targets}
    assert set(fed) == {
        ("clinicians", "staff"), ("clients", "people"), ("episodes", "admissions"), ("appointments", "bookings"),
    }  # fmt: skip
    episodes, appointments = fed["episodes", "admissions"], fed["appointments", "bookings"]
    assert episodes.columns["clinician_id"] == {"column": "bookings.staff_id"}
    assert episodes.spec["join"] == [
        {
            "file": "bookings", "on": {"person_id": "person_id"}, "most": "staff_id",
            "within": {"day": "starts_at", "start": "start_date", "end": "end_date"},
        }
    ]  # fmt: skip
    assert appointments.columns["episode_id"] == {"column": "admissions.admission_no"}
    assert appointments.spec["join"][0]["within"] == {"day": "starts_at", "start": "start_date", "end": "end_date"}
    assert appointments.columns["status"]["values"] == {"Kept": "attended", "DNA": "no_show"}
    assert all(target.why.get(column) for target in found.targets for column in target.columns)


def test_a_file_that_shares_no_key_reaches_nothing() -> None:
    files = _clinic() | {"other": source("other", {"code": ["x"], "note": ["y"]})}
    assert set(reachable(files["other"], files)) == {"code", "note"}


def test_episodes_without_an_id_get_one_and_their_rows_find_it() -> None:
    files = _clinic()
    kept = {name: files["admissions"].rows[name].to_list() for name in ("person_id", "start_date", "end_date")}
    files["admissions"] = source("admissions", kept)
    found = propose(Ground(files, BUILT_IN))
    assert found.of_table("episodes")[0].columns["episode_id"] == {"template": "{person_id}-{start_date}"}
    appointments = found.of_table("appointments")[0]
    assert appointments.columns["episode_id"] == {"template": "{admissions.person_id}-{admissions.start_date}"}
    assert appointments.spec["join"][0]["file"] == "admissions"
