"""Mutated mappings, mutated source files in every layout, and mutated mappings over sound files."""

from __future__ import annotations

import gzip
import io
import random
import re
import tempfile
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl

from dashboard.instruments import BUILT_IN
from dashboard.intake import Limits, mapped_batch
from dashboard.intake.layout import Source
from dashboard.intake.mapping import built_in, parse_mapping
from dashboard.intake.sources import SourceTable, source_table
from tests.fuzz.mutation import Counts, hammer, mutated
from tests.fuzz.workbooks import steady

SMALL = Limits(unpacked_mb=8)
ENCODINGS = ("utf-8", "utf-16", "cp1252", "gb18030", "shift-jis")
ROWS = 'id,day,week,word,number,form\na,2026-01-05,1,never,"2,5",weekly\nb,05/01/2026,2,often,3,\n,,,,,\nc,x,y,z,-1,intake\n'
SEED = """name = "t"
about = "a test"
watermark = { rows = "day" }
[[source]]
file = "rows"
header_row = 1
[[eav]]
file = "long"
makes = "wide"
key = ["id"]
name = "word"
value = "number"
checkbox = ["often"]
[[table]]
table = "scores"
file = "rows"
once_by = ["id", "day"]
order_by = "week"
unpivot = { number = "item_1", week = "item_2" }
[[table.join]]
file = "wide"
on = { id = "id" }
latest = "never"
[[table.where]]
column = "form"
not_in = ["x"]
[[table.check]]
column = "form"
equals = "weekly"
reason = "not weekly"
[table.columns]
episode_id = { template = "{id}-{day}", empty = "none" }
taken_on = { column = "day", date = "%d/%m/%Y" }
recorded_on = { column = "week", days_from = "2026-01-05", step_days = 7, first = 1 }
instrument = { constant = "phq9" }
scale = "unpivot.name"
value = { column = "unpivot.value", values = { never = 0, often = 2 }, decimal = ",", times = 2 }
[[table]]
table = "appointments"
file = "wide"
[[table.join]]
file = "rows"
on = { id = "id" }
most = "word"
within = { day = "day", start = "day", end = "week" }
[table.columns]
appointment_id = "id"
episode_id = "id"
starts_at = { column = "never", time = "%Y-%m-%d %H:%M", part = "day" }
status = { column = "rows.word", other = "attended" }
[derive]
sessions = "from_scores"
"""


SHORT = """name = "t"
about = "a test"
[[table]]
table = "scores"
file = "rows"
unpivot = { number = "item_1" }
[table.columns]
episode_id = "id"
taken_on = { column = "day", time = "%d/%m/%Y", part = "day" }
instrument = { constant = "phq9" }
scale = "unpivot.name"
value = "unpivot.value"
"""


QUOTED = re.compile(rb'"[^"]*"')
WORDS = [
    b"id", b"day", b"week", b"word", b"number", b"form", b"never", b"wide", b"rows", b"long", b"wide.never", b"rows.day", b"_all",
    b"unpivot.name", b"unpivot.value", b"%Y-%m-%d", b"%d/%m/%Y %H:%M", b"%H", b"2026-01-05", b"9999-12-31", b"{id}{day}", b"x",
    b"total", b"item_1", b"scores", b"episodes", b"clients", b"", b"file", b"_row", b"99999999999999999999", b"-1",
]  # fmt: skip


def reworded(seed: bytes, draw: random.Random) -> bytes:
    """The seed with one to four of its quoted words replaced, so that most of what comes is still TOML; now and then mutated."""
    if draw.random() < 0.2:
        return mutated(seed, draw)
    found = list(QUOTED.finditer(seed))
    for one in sorted(draw.sample(found, min(len(found), draw.randint(1, 4))), key=lambda m: -m.start()):
        seed = seed[: one.start()] + b'"' + draw.choice(WORDS) + b'"' + seed[one.end() :]
    return seed


def mapping_texts(inputs: int, start: int = 0) -> Counts:
    """Mutated texts of the shipped mappings: parse_mapping."""
    seeds = [text.encode() for text in built_in().values()] + [SEED.encode()]
    return hammer(lambda data, _: parse_mapping(data.decode("utf-8", "replace")), seeds, inputs, start)


def mappings_on_data(inputs: int, start: int = 0) -> Counts:
    """Mutated mappings, each over sound rows where it parses: mapped_batch."""
    frame = pl.read_csv(ROWS.encode(), infer_schema=False)
    table = SourceTable.of(
        frame.columns, frame.with_columns(file=pl.lit("rows.csv"), line=pl.int_range(pl.len(), dtype=pl.Int64) + 2)
    )

    def read(data: bytes, _: random.Random) -> object:
        mapping = parse_mapping(data.decode("utf-8", "replace"))
        return mapped_batch(
            {"rows": table, "long": table}, mapping, [], today=date(2026, 11, 20), timezone="UTC",
            known_instruments=BUILT_IN, files=[],
        )  # fmt: skip

    return hammer(read, [SEED.encode(), SHORT.encode(), SHORT.encode()], inputs, start, reworded)


def _book() -> bytes:
    made = openpyxl.Workbook()
    for row in csv_rows():
        made.active.append(row)
    made.create_sheet("second").append([date(2026, 1, 5), 3, None, True])
    return steady(made)


def csv_rows() -> list[list[str]]:
    """The sound rows as cells."""
    return [line.split(",") for line in ROWS.splitlines()]


def source_files(inputs: int, start: int = 0) -> Counts:
    """Mutated CSV, gzip, Excel and Parquet files in a layout drawn for each: source_table."""
    parquet = io.BytesIO()
    pl.read_csv(ROWS.encode(), infer_schema=False).write_parquet(parquet)
    seeds = {
        ".csv": [ROWS.encode(encoding) for encoding in ENCODINGS],
        ".csv.gz": [gzip.compress(ROWS.encode(), mtime=0)],
        ".xlsx": [_book()],
        ".parquet": [parquet.getvalue()],
    }
    kinds = {seed: kind for kind, several in seeds.items() for seed in several}
    with tempfile.TemporaryDirectory() as folder:

        def read(data: bytes, draw: random.Random) -> object:
            # the kind goes by how the bytes begin, so that a mutated file mostly keeps its name's kind
            kind = next((k for seed, k in kinds.items() if data[:4] == seed[:4]), draw.choice(list(seeds)))
            path = Path(folder) / f"input{kind}"
            path.write_bytes(data)
            layout = Source(
                file="input",
                header_row=draw.choice([1, 1, 1, 2, 5]),
                skip_rows=draw.choice([0, 0, 2]),
                doubled=draw.choice(["refuse", "number"]),
                encoding=draw.choice(ENCODINGS),
                delimiter=draw.choice([None, ";", "|"]),
            )
            return source_table(path, SMALL, layout)

        return hammer(read, list(kinds), inputs, start)
