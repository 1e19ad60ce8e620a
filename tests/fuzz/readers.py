"""The readers under test: valid files of each kind, how to spoil them, and how the product reads them."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl
from openpyxl import Workbook

from dashboard.instruments import registry
from dashboard.intake import Limits, read_batch
from dashboard.intake.mapping import built_in, read_mapping
from queries.backup import write_copy
from queries.backup_file import check_copy
from queries.engine import open_engine
from queries.schema import migrate
from tests.factories import write_practice
from tests.fuzz.mutations import BYTES, JSON, TEXT, Mutation, packed, zipped
from tests.fuzz.workbooks import steady

TODAY = date(2026, 11, 20)
FHIR = Path(__file__).resolve().parents[1] / "data" / "fhir"
SMALL = Limits(unpacked_mb=200)
OWN_INSTRUMENT = """[[instrument]]
key = "bdi2"
name = "Own"
kind = "outcome"
minimum = 0
maximum = 63
better = "lower"
reliability = 0.801
sd_clinical = 8.16
mean_clinical = 35.48
mean_functional = 7.69
sd_functional = 7.52
cutoff_rule = "c"
source = "made up"
items = 21
item_minimum = 0
item_maximum = 3
reverse = [2]
[instrument.subscales]
bond = [3, 5, 7, 9]
"""


@dataclass(frozen=True)
class Reader:
    """``seeds`` are valid contents by file name; ``read`` takes the folder with the spoiled file among the others."""

    name: str
    seeds: dict[str, bytes]
    mutations: tuple[Mutation, ...]
    read: Callable[[Path], object]

    def spoiled(self, number: int, seed: int) -> dict[str, bytes]:
        """The files of input ``number``: always the same for the same number and seed."""
        draw = random.Random(f"{self.name}:{seed}:{number}")
        files = dict(self.seeds)
        name = draw.choice(sorted(files))
        for _ in range(draw.choice([1, 1, 1, 2, 4])):
            files[name] = draw.choice(self.mutations)(files[name], draw)
        return files


def batch(mapping: str | None = None) -> Callable[[Path], object]:
    """Reads and checks a folder as an import does, short of the database."""

    def read(folder: Path) -> object:
        return read_batch(
            [folder],
            today=TODAY,
            timezone="Europe/Berlin",
            mapping=mapping,
            limits=SMALL,
            known_instruments=registry([]),
        )

    return read


def practice_files(folder: Path) -> dict[str, bytes]:
    """A small practice in the contract's tables."""
    write_practice(folder, today=TODAY, episodes=3, clinicians=2)
    return {path.name: b"\n".join(path.read_bytes().splitlines()[:60]) + b"\n" for path in sorted(folder.iterdir())}


def workbook(files: dict[str, bytes]) -> bytes:
    """The same tables as sheets of one workbook."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, content in files.items():
        sheet = book.create_sheet(name.removesuffix(".csv"))
        for row in content.decode().splitlines()[:20]:
            sheet.append(row.split(","))
    return steady(book)


def parquet(content: bytes) -> bytes:
    """A table as Parquet."""
    out = io.BytesIO()
    pl.read_csv(io.BytesIO(content), infer_schema_length=0).write_parquet(out)
    return out.getvalue()


def _mapping(folder: Path) -> object:
    return read_mapping(str(folder / "mapping.toml"))


def _copy(folder: Path) -> object:
    return check_copy(folder / "practice.backup", None)


def _backup(scratch: Path) -> bytes:
    """A small practice's backup."""
    engine = open_engine(f"sqlite:///{scratch / 'p.sqlite'}")
    migrate(engine)
    write_copy(engine, scratch / "practice.backup", None, program="test", now=datetime(2026, 11, 20, 12))
    engine.dispose()
    return (scratch / "practice.backup").read_bytes()


def _fhir() -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in sorted(FHIR.glob("*.json"))}
    whole = files.pop("ahrq_phq9.stu3.json")
    return {**files, "bundle.json": whole[:400_000]}


def _lines(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same resources one per line, as a bulk export."""
    rows = [json.dumps(json.loads(content)) for name, content in files.items() if name != "bundle.json"]
    bundle = json.loads(files["bundle.json"])
    rows += [json.dumps(entry["resource"]) for entry in bundle["entry"][:12]]
    return {"export.ndjson": "\n".join(rows).encode()}


def readers(scratch: Path) -> dict[str, Reader]:
    """Every reader by name; ``scratch`` is a folder for making the valid files."""
    scratch.mkdir(parents=True, exist_ok=True)
    files = practice_files(scratch)
    tables = {name: content for name, content in files.items() if name.endswith(".csv")}
    fhir = _fhir()
    visits = b"".join(b"%d,%d,%d,0,10000\n" % (i // 5, i, i % 63) for i in range(40))
    enrichd = {"BDIdata.csv": b"ID,time,BDI,med,med.time\n" + visits}
    every = [
        Reader("csv", tables, TEXT, batch()),
        Reader("csv.gz", {f"{n}.gz": gzip.compress(c, 1) for n, c in tables.items()}, (packed(TEXT),), batch()),
        Reader("xlsx", {"practice.xlsx": workbook(tables)}, (zipped,), batch()),
        Reader("parquet", {n.replace(".csv", ".parquet"): parquet(c) for n, c in tables.items()}, BYTES, batch()),
        Reader("instruments", {**tables, "instruments.toml": OWN_INSTRUMENT.encode()}, TEXT, batch()),
        Reader("mapped csv", enrichd, TEXT, batch("enrichd")),
        Reader("fhir json", fhir, JSON, batch()),
        Reader("fhir ndjson", _lines(fhir), JSON, batch()),
        Reader(
            "fhir ndjson.gz",
            {"export.ndjson.gz": gzip.compress(_lines(fhir)["export.ndjson"], 1)},
            (packed(JSON),),
            batch(),
        ),
        Reader("backup", {"practice.backup": _backup(scratch.parent)}, BYTES, _copy),
        Reader("mapping", {"mapping.toml": built_in()["bhsim"].encode()}, TEXT, _mapping),
    ]
    return {one.name: one for one in every}
