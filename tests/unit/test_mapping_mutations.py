"""A short run of what ``python -m tests.fuzz`` does at length, and the inputs that it once found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dashboard.errors import UnusableInput
from dashboard.intake import Limits
from dashboard.intake.mapping import parse_mapping
from dashboard.intake.read import raw_tables
from dashboard.intake.sources import source_table
from tests.fuzz import mappings
from tests.fuzz.mutation import Counts
from tests.fuzz.workbooks import steady


@pytest.mark.parametrize("reader", [mappings.mapping_texts, mappings.mappings_on_data, mappings.source_files])
def test_a_mutated_input_is_read_or_refused_in_words(reader: Callable[[int], Counts]) -> None:
    counts = reader(150)
    assert counts.wrong == []
    assert counts.read
    assert counts.refused


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{id}-{day}", "{id", "is not text with columns in braces"),
        ("%d/%m/%Y", "%H", "is not a format of days"),
        ('file = "rows"\nheader_row', 'file = ""\nheader_row', "source.1.file"),
        ("[[table.where]]", '[[table.join]]\nfile = "wide"\non = { id = "id" }\n[[table.where]]', "joins 'wide' twice"),
    ],
)
def test_a_slip_that_a_mutation_found_is_named(old: str, new: str, words: str) -> None:
    assert old in mappings.SEED
    with pytest.raises(UnusableInput, match=words):
        parse_mapping(mappings.SEED.replace(old, new))


def test_a_damaged_parquet_file_is_refused_and_a_large_one_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": ["a" * 100] * 100_000}), path)
    with pytest.raises(UnusableInput, match="larger than 1 MB unpacked"):
        source_table(path, Limits(unpacked_mb=1))
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + b"\xff" * 40 + whole[80:])
    with pytest.raises(UnusableInput, match="not a Parquet file that can be read"):
        source_table(path, Limits())


def test_a_workbook_packed_in_a_way_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "clients"
    packed = steady(book)
    assert steady(book) == packed
    needed = packed.index(b"PK\x01\x02") + 6
    path = tmp_path / "practice.xlsx"
    path.write_bytes(packed[:needed] + b"\x54" + packed[needed + 1 :])
    for read in (source_table, raw_tables):
        with pytest.raises(UnusableInput, match=r"not an Excel file that can be read \(zip file version 8.4\)"):
            read(path, Limits())
