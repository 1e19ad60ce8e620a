"""Files to raw tables: every cell as text, every row with its file and line; nothing is guessed or converted here."""

from __future__ import annotations

import csv
import io
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dashboard.errors import UnusableInput
from dashboard.harmless import LONGEST_COLUMN, LONGEST_FILE, clean, one_line
from dashboard.intake.batch import PLACE, SET_ASIDE, TABLES
from dashboard.intake.layout import Source

DELIMITERS = (",", ";", "\t")
CHUNK_ROWS = 100_000
KINDS = (".csv", ".csv.gz", ".xlsx", ".parquet")
FHIR_KINDS = (".ndjson.gz", ".json.gz", ".ndjson", ".json")
OWN = "instruments.toml"
MEGABYTE = 1024 * 1024
PLAIN = Source(file="any")
# what a damaged workbook raises, here and in the standard library's zipfile
NO_WORKBOOK = (
    zipfile.BadZipFile, fastexcel.FastExcelError, NotImplementedError, OSError, ValueError, EOFError, struct.error,
)  # fmt: skip
csv.field_size_limit(10 * MEGABYTE)


@dataclass(frozen=True)
class Limits:
    """How large a file may be once unpacked, in megabytes."""

    unpacked_mb: int = 2000


@dataclass(frozen=True)
class RawTable:
    """One table of one file: ``rows`` all text with file and line, ``ragged`` the SET_ASIDE rows of the wrong width."""

    name: str
    file: str
    columns: list[str]
    rows: pl.DataFrame
    ragged: pl.DataFrame


def kind_of(path: Path) -> str | None:
    """Which of KINDS a file is by its name; null for anything else."""
    return next((kind for kind in (".csv.gz", *KINDS) if path.name.lower().endswith(kind)), None)


def fhir_kind_of(path: Path) -> str | None:
    """Which of FHIR_KINDS a file is by its name; null for anything else."""
    return next((kind for kind in FHIR_KINDS if path.name.lower().endswith(kind)), None)


def stem_of(path: Path) -> str:
    """The table's name in a file name: scores for scores.csv.gz."""
    return path.name[: -len(kind_of(path) or path.suffix)].lower()


def refuse(file: str, what: str, mend: str) -> UnusableInput:
    """The refusal of a call because of one file: what is wrong with it, and what to do."""
    return UnusableInput(f"{file}: {what}. {mend} Nothing was imported.")


def first_line(error: Exception) -> str:
    """What a library says of a file, short and without its place on this machine."""
    return str(error).split("\n", 1)[0].split(" (path:", 1)[0][:80]


def too_large(file: str, limits: Limits) -> UnusableInput:
    """The refusal of a file that is larger than the limit once unpacked."""
    return refuse(
        file, f"it is larger than {limits.unpacked_mb} MB unpacked", "Split it, or raise SUPERVISION_MAX_UNPACKED_MB."
    )


def file_bytes(path: Path, file: str, limits: Limits) -> bytes:
    """A file's bytes, unpacked. Raises UnusableInput where it cannot be read, is larger than the limit or no whole gzip file."""
    most = limits.unpacked_mb * MEGABYTE
    try:
        if path.stat().st_size > most:
            raise too_large(file, limits)
        data = path.read_bytes()
    except OSError as error:
        raise refuse(file, f"it cannot be read ({error.strerror})", "Check its name and permissions.") from None
    if not path.name.lower().endswith(".gz"):
        return data
    unpacked = bytearray()
    try:
        while data:
            machine = zlib.decompressobj(wbits=31)
            unpacked += machine.decompress(data, most - len(unpacked) + 1)
            if len(unpacked) > most:
                raise too_large(file, limits)
            if not machine.eof:
                raise zlib.error("it ends too early")
            data = machine.unused_data
    except zlib.error as error:
        raise refuse(file, f"it is not a whole gzip file ({error})", "Pack it again.") from None
    return bytes(unpacked)


def decoded(path: Path, file: str, limits: Limits, encoding: str = "utf-8") -> str:
    """The text of a CSV or TOML file. Raises UnusableInput where it cannot be read or is not in that encoding."""
    data = file_bytes(path, file, limits)
    if encoding != "utf-8":
        return _in_encoding(data, file, encoding)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse(file, "it is UTF-16, not UTF-8", "Save it as 'CSV UTF-8'.")
    if b"\0" in data:
        raise refuse(file, "it holds bytes that no text has", "Check that it is a CSV file.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise refuse(file, f"line {line} is not UTF-8", "Save it as 'CSV UTF-8'.") from None


def _in_encoding(data: bytes, file: str, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        where = f"it is not {encoding} from byte {error.start + 1} on"
        raise refuse(file, where, "Name its encoding in the mapping.") from None


def header(file: str, cells: list[str], doubled: str = "refuse") -> list[str]:
    """The column names of a header row. Raises UnusableInput where one stands twice, unless they are to be numbered."""
    names = [cell.strip() for cell in cells]
    if long := [place for place, name in enumerate(names, start=1) if len(name) > LONGEST_COLUMN]:
        what = f"the name of column {long[0]} is longer than {LONGEST_COLUMN:,} characters"
        raise refuse(file, what, "Shorten it, or check the quotation marks.")
    if doubled == "number":
        seen: dict[str, int] = {}
        for place, name in enumerate(names):
            seen[name] = seen.get(name, 0) + 1
            if name and seen[name] > 1:
                names[place] = f"{name} ({seen[name]})"
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise refuse(file, f"the column '{one_line(twice[0], 80)}' stands twice", "Keep one of them.")
    return names


def _delimiter(first: str) -> str:
    return max(DELIMITERS, key=lambda mark: (first.count(mark), -DELIMITERS.index(mark)))


def _named(file: str, cells: list[str], layout: Source) -> list[str]:
    if not layout.names:
        return header(file, cells, layout.doubled)
    if layout.header_row and len(layout.names) != len(cells):
        words = f"it has {len(cells)} columns where the mapping names {len(layout.names)}"
        raise refuse(file, words, "Correct the names in the mapping.")
    return list(layout.names)


def read_csv(
    path: Path, file: str, limits: Limits, layout: Source = PLAIN
) -> tuple[list[str], pl.DataFrame, pl.DataFrame]:
    """Column names, rows as text with file and line, and the rows of the wrong width (SET_ASIDE)."""
    text = decoded(path, file, limits, layout.encoding)
    first = next(iter(text.split("\n", layout.header_row)[max(0, layout.header_row - 1) :]), "")
    if not first.strip():
        which = "its first line holds" if layout.header_row < 2 else f"its line {layout.header_row} holds"
        raise refuse(file, f"{which} no column names", "Add them, or leave the file out.")
    delimiter = layout.delimiter or _delimiter(first)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    parts: list[pl.DataFrame] = []
    wrong: list[tuple[str, int, None, str, str]] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for _ in range(layout.header_row - 1):
            next(reader)
        names = _named(file, next(reader) if layout.header_row else [], layout)
        for _ in range(layout.skip_rows):
            next(reader, None)
        width = len(names)
        header_words = "first line" if layout.header_row == 1 else "line of column names"

        def flush() -> None:
            frame = pl.DataFrame(rows, schema=dict.fromkeys(map(str, range(width)), pl.String()), orient="row")
            parts.append(frame.with_columns(file=pl.lit(file), line=pl.Series(lines, dtype=pl.Int64)))
            rows.clear()
            lines.clear()

        before = reader.line_num
        for row in reader:
            line, before = before + 1, reader.line_num
            if not row or (len(row) == 1 and not row[0].strip()):
                continue
            if len(row) != width:
                words = f"the line has {len(row)} cells where the {header_words} has {width}"
                wrong.append((file, line, None, delimiter.join(row)[:200], words))
                continue
            rows.append(row)
            lines.append(line)
            if len(rows) >= CHUNK_ROWS:
                flush()
        flush()
    except StopIteration:
        raise refuse(file, f"it has no row {layout.header_row}", "Correct header_row in the mapping.") from None
    except csv.Error as error:
        raise refuse(file, f"line {reader.line_num} cannot be read ({error})", "Check its quotation marks.") from None
    frame = pl.concat(parts)
    named = {str(i): name for i, name in enumerate(names) if name}
    frame = frame.select(*(pl.col(i).alias(name) for i, name in named.items() if name not in PLACE), "file", "line")
    ragged = pl.DataFrame(wrong, schema=SET_ASIDE, orient="row")
    return [name for name in names if name], frame, ragged


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    def text(name: str, dtype: pl.DataType) -> pl.Expr:
        if isinstance(dtype, pl.Datetime):
            midnight = pl.col(name).dt.time() == pl.time(0)
            stamp = pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S")
            return pl.when(midnight).then(pl.col(name).dt.strftime("%Y-%m-%d")).otherwise(stamp).alias(name)
        if dtype.is_float():
            whole = pl.col(name) == pl.col(name).round(0)
            as_whole = pl.col(name).cast(pl.Int64, strict=False).cast(pl.String)
            return (
                pl.when(whole.fill_null(False) & pl.col(name).is_finite())
                .then(as_whole)
                .otherwise(pl.col(name).cast(pl.String))
                .alias(name)
            )
        if dtype == pl.Boolean():
            return pl.when(pl.col(name)).then(pl.lit("true")).when(~pl.col(name)).then(pl.lit("false")).alias(name)
        return pl.col(name).cast(pl.String, strict=False).alias(name)

    return frame.select(text(name, dtype) for name, dtype in frame.schema.items())


def typed_table(name: str, file: str, frame: pl.DataFrame) -> RawTable:
    """A typed frame as text, its rows numbered as a sheet's below one row of column names; blank rows left out."""
    columns = header(file, frame.columns)
    frame.columns = columns
    rows = _as_text(frame).with_columns(file=pl.lit(file), line=pl.int_range(pl.len(), dtype=pl.Int64) + 2)
    said = [pl.col(c).is_not_null() & (pl.col(c).str.strip_chars() != "") for c in columns]
    rows = rows.filter(pl.any_horizontal(said)) if said else rows.clear()
    return RawTable(name, file, columns, rows, pl.DataFrame(schema=SET_ASIDE))


def workbook(path: Path, file: str, limits: Limits) -> fastexcel.ExcelReader:
    """An Excel file, opened. Raises UnusableInput where it cannot be read or is larger than the limit."""
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(part.file_size for part in packed.infolist()) > limits.unpacked_mb * MEGABYTE:
                raise too_large(file, limits)
        return fastexcel.read_excel(str(path))
    except NO_WORKBOOK as error:
        raise _no_workbook(file, error) from None


def _no_workbook(file: str, error: Exception) -> UnusableInput:
    return refuse(file, f"it is not an Excel file that can be read ({first_line(error)})", "Save it again as .xlsx.")


def _excel(path: Path, file: str, limits: Limits) -> list[RawTable]:
    book = workbook(path, file, limits)
    found = []
    try:
        for sheet in book.sheet_names:
            name = sheet.strip().lower()
            if name not in TABLES:
                continue
            raw = book.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
            # a date among text comes as text with midnight behind it
            typed = (
                book.load_sheet(sheet)
                .to_polars()
                .with_columns(pl.col(pl.String).str.replace(r"^(\d{4}-\d{2}-\d{2}) 00:00:00$", "$1"))
            )
            header(f"{file}, sheet {sheet}", [cell or "" for cell in raw.row(0)] if raw.height else [])
            found.append(typed_table(name, f"{file}#{one_line(sheet)}", typed))
    except fastexcel.FastExcelError as error:
        raise _no_workbook(file, error) from None
    if not found:
        raise refuse(file, "none of its sheets is called like a table", f"Name sheets {', '.join(TABLES)}.")
    return found


def read_parquet(path: Path, file: str, limits: Limits) -> pl.DataFrame:
    """A Parquet file's rows. Raises UnusableInput where it cannot be read or is larger than the limit."""
    most = limits.unpacked_mb * MEGABYTE
    batches: list[pa.RecordBatch] = []
    # Arrow's own reader says what is wrong with a damaged file where Polars' ends in a panic of its threads
    try:
        with pq.ParquetFile(path) as parquet:
            if parquet.metadata.num_rows * max(1, parquet.metadata.num_columns) * 8 > most:
                raise too_large(file, limits)
            for batch in parquet.iter_batches(use_threads=False):
                batches.append(batch)
                most -= batch.nbytes
                if most < 0:
                    raise too_large(file, limits)
            schema = parquet.schema_arrow
            table = pa.Table.from_batches(batches, schema=schema)
        table.validate(full=True)
        _ = [str(kind) for kind in schema.types]  # a name or a type that is no text fails here, in words
        made = pl.from_arrow(pa.Table.from_arrays(table.columns, names=schema.names))
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, OverflowError) as error:
        what = f"it is not a Parquet file that can be read ({first_line(error)})"
        raise refuse(file, what, "Write it again.") from None
    assert isinstance(made, pl.DataFrame)  # noqa: S101 - a table makes a frame
    return made


def raw_tables(path: Path, limits: Limits) -> list[RawTable]:
    """The tables of one file. Raises UnusableInput where the contract does not know it or it cannot be read."""
    file, kind = path.name, kind_of(path)
    if kind == ".xlsx":
        return _excel(path, file, limits)
    name = stem_of(path)
    if kind is None or name not in TABLES:
        raise refuse(
            file,
            "the program knows no such file",
            f"Known: {', '.join(TABLES)} as .csv, .csv.gz, .xlsx or .parquet; FHIR.",
        )
    if kind == ".parquet":
        return [typed_table(name, file, read_parquet(path, file, limits))]
    columns, rows, ragged = read_csv(path, file, limits)
    return [RawTable(name, file, columns, rows, ragged)]


def checked_file_name(name: str) -> None:
    """Raises UnusableInput where a file's name is too long, or holds characters that nobody sees or no text has."""
    if len(name) > LONGEST_FILE or clean(name) != name or not name.isprintable():
        raise refuse(
            one_line(name, 80), f"its name is longer than {LONGEST_FILE} characters or holds hidden ones", "Rename it."
        )


def files_in(paths: list[Path]) -> list[Path]:
    """The data files of folders and single files, by name. Raises UnusableInput for a path that is not there, or none."""
    found: list[Path] = []
    for path in paths:
        if os.path.isdir(path):  # false for a name that no disk can hold, where pathlib raises
            inside = [
                p for p in sorted(path.iterdir()) if p.is_file() and (kind_of(p) or fhir_kind_of(p) or p.name == OWN)
            ]
            if not inside:
                raise refuse(
                    str(path), "the folder holds no file that the program knows", f"Known: {', '.join(TABLES)}."
                )
            found += inside
        elif os.path.isfile(path):
            found.append(path)
        else:
            raise refuse(str(path), "there is no such file or folder", "Check the name.")
    for path in found:
        checked_file_name(path.name)
    return sorted(found, key=lambda p: (p.name, str(p)))
