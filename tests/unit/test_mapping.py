"""Mappings: what a file may say, and every row of the two real sources in or set aside with a reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from dashboard.errors import UnusableInput
from dashboard.instruments import BUILT_IN
from dashboard.intake import Batch, Limits, read_batch
from dashboard.intake.mapping import built_in, read_mapping

TODAY = date(2026, 11, 20)

VISITS = """Visit;Person;When;Outcome;Mood;Kilos
v1;p1;05/01/2026 09:30;Came;very bad;1.5
v2;p1;12/01/2026 09:30;DNA;;2
v3;p2;31/02/2026 09:30;Came;good;x
v4;p2;19/01/2026 09:30;Something else;so-so;
"""
PEOPLE = "Person;Name;Team\np1;Ann;north\np2;Bo;south\n"

MAPPING = """
name = "clinic"
about = "a test"
[[table]]
table = "clinicians"
file = "people"
once_by = "Team"
[table.columns]
clinician_id = "Team"
display_name = { template = "Team {Team}" }
[[table]]
table = "clients"
file = "people"
[table.columns]
client_id = "Person"
[[table]]
table = "episodes"
file = "people"
[table.columns]
episode_id = "Person"
client_id = "Person"
clinician_id = "Team"
opened_on = { constant = "2026-01-01" }
[[table]]
table = "appointments"
file = "visits"
[table.columns]
appointment_id = "Visit"
episode_id = "Person"
starts_at = { column = "When", time = "%d/%m/%Y %H:%M" }
status = { column = "Outcome", values = { Came = "attended", DNA = "no_show" } }
[[table]]
table = "scores"
file = "visits"
[[table.join]]
file = "people"
on = { Person = "Person" }
[table.columns]
episode_id = "people.Person"
taken_on = { column = "When", time = "%d/%m/%Y %H:%M", part = "day" }
instrument = { constant = "who5" }
scale = { constant = "total" }
value = { column = "Mood", values = { "very bad" = "10", good = "80" } }
"""


def mapped(folder: Path, mapping: str = MAPPING, **files: str) -> Batch:
    (folder / "clinic.toml").write_text(mapping)
    for name, text in ({"visits": VISITS, "people": PEOPLE} | files).items():
        (folder / f"{name}.csv").write_text(text)
    paths = [folder / "visits.csv", folder / "people.csv"]
    return read_batch(
        [path for path in paths if path.exists()],
        today=TODAY,
        timezone="UTC",
        mapping=str(folder / "clinic.toml"),
        limits=Limits(),
        known_instruments=BUILT_IN,
    )


def test_value_maps_dates_templates_joins_and_text_to_scores(tmp_path: Path) -> None:
    batch = mapped(tmp_path)
    assert batch.tables["clinicians"].select("clinician_id", "display_name").rows() == [
        ("north", "Team north"),
        ("south", "Team south"),
    ]
    assert batch.tables["appointments"].select("appointment_id", "status").rows() == [
        ("v1", "attended"),
        ("v2", "no_show"),
    ]
    assert batch.tables["scores"].select("episode_id", "taken_on", "value").rows() == [("p1", date(2026, 1, 5), 10.0)]


def test_what_a_mapping_does_not_cover_is_set_aside_with_its_own_text_and_line(tmp_path: Path) -> None:
    aside = mapped(tmp_path).set_aside.sort("line", "column").select("line", "column", "value").rows()
    assert (4, "starts_at", "31/02/2026 09:30") in aside
    assert (5, "status", "Something else") in aside
    assert (4, "taken_on", "31/02/2026 09:30") in aside
    assert (5, "value", "so-so") in aside
    assert (3, "value", None) in aside  # v2 has no answer: required, and said so


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('table = "clients"', 'table = "patients"', "there is no table 'patients'"),
        ('client_id = "Person"', 'client_no = "Person"', "no column 'client_no'"),
        ('clinician_id = "Team"\ndisplay', 'clinician_id = "Squad"\ndisplay', "no source column 'Squad'"),
        ('file = "visits"\n[table.columns]', 'file = "sessions"\n[table.columns]', "needs the file 'sessions'"),
        ('{ constant = "who5" }', '{ constant = "who5", column = "Mood" }', "exactly one of"),
        ('{ constant = "who5" }', "{ colour = 3 }", "colour|Extra"),
        ('name = "clinic"', "name = clinic", "not TOML"),
        ('on = { Person = "Person" }', 'on = { Who = "Person" }', "no source column 'Who'"),
    ],
)
def test_a_slip_in_a_mapping_is_named_and_nothing_is_read(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in MAPPING
    with pytest.raises(UnusableInput, match=words):
        mapped(tmp_path, MAPPING.replace(old, new))


def test_an_unknown_mapping_says_which_there_are() -> None:
    with pytest.raises(UnusableInput, match="bhsim, enrichd, nhs_talking_therapies, omop"):
        read_mapping("no-such-mapping")


def test_numbers_can_be_scaled_and_days_counted_from_a_first_day(tmp_path: Path) -> None:
    mapping = (
        MAPPING.split('[[table]]\ntable = "appointments"')[0]
        + """
[[table]]
table = "scores"
file = "visits"
[table.columns]
episode_id = "Person"
taken_on = { column = "Day", days_from = "2026-01-01" }
instrument = { constant = "who5" }
scale = { constant = "total" }
value = { column = "Raw", times = 4 }
[derive]
sessions = "from_scores"
"""
    )
    batch = mapped(tmp_path, mapping, visits="Person;Day;Raw\np1;0;12\np1;14;13\n")
    assert batch.tables["scores"].select("taken_on", "value").rows() == [
        (date(2026, 1, 1), 48.0),
        (date(2026, 1, 15), 52.0),
    ]
    assert batch.tables["appointments"].select("episode_id", "status").rows() == [("p1", "attended")] * 2


@pytest.mark.parametrize("name", sorted(built_in()))
def test_every_shipped_mapping_is_well_formed(name: str) -> None:
    assert read_mapping(name).name == name


def real(shared_data: Path, folder: str, mapping: str) -> Batch:
    return read_batch(
        [shared_data / folder],
        today=TODAY,
        timezone="UTC",
        mapping=mapping,
        limits=Limits(),
        known_instruments=BUILT_IN,
    )


def test_every_enrichd_row_is_in_or_told(shared_data: Path) -> None:
    """557 patients and their dated scores; a repeat of the same value on the same day is the same score."""
    source = pl.read_csv(shared_data / "enrichd_bdi" / "BDIdata.csv", infer_schema=False)
    batch = real(shared_data, "enrichd_bdi", "enrichd")
    rows = batch.tables["scores"]
    assert rows["episode_id"].n_unique() == source["ID"].n_unique() == batch.tables["episodes"].height == 557
    aside = set(batch.set_aside["line"].to_list())
    taken = set(rows["line"].to_list())
    counted = {(e, d.isoformat()): v for e, d, v in rows.select("episode_id", "taken_on", "value").iter_rows()}
    first = date(2001, 1, 1).toordinal()
    for line, (one, day, value) in enumerate(source.select("ID", "time", "BDI").iter_rows(), start=2):
        if line in taken or line in aside:
            continue
        key = (one, date.fromordinal(first + int(float(day))).isoformat())
        assert counted[key] == float(value), line
    assert batch.tables["appointments"].height == rows.select("episode_id", "taken_on").unique().height


def test_every_bhsim_row_is_in_or_told(shared_data: Path) -> None:
    batch = real(shared_data, "bhsim_synthetic/csv", "bhsim")
    sizes = {name: table.height for name, table in batch.tables.items()}
    folder = shared_data / "bhsim_synthetic" / "csv"

    def lines(name: str) -> int:
        found = next(path for path in folder.glob("*.csv") if path.stem.lower() == name)
        return pl.read_csv(found, infer_schema=False).height

    for target in read_mapping("bhsim").table:
        if target.once_by is not None:
            continue
        table = batch.tables[target.table].filter(pl.col("file").str.to_lowercase() == f"{target.file}.csv")
        told = batch.set_aside.filter(pl.col("file").str.to_lowercase() == f"{target.file}.csv")["line"]
        both = set(table["line"].to_list()) | set(told.to_list())
        if target.table in ("episodes", "appointments"):
            assert len(both) == lines(target.file), target.file
    assert sizes["clinicians"] == 30
    assert sizes["clients"] == 400
    assert sizes["supervision"] > 0
    assert sizes["scores"] > 10_000
