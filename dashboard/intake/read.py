"""Files to raw tables: every cell as text, every row with its file and line; nothing is guessed or converted here."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from dashboard.errors import UnusableInput
from dashboard.intake.batch import PLACE, SET_ASIDE, TABLES

DELIMITERS = (",", ";", "\t")
CHUNK_ROWS = 100_000
KINDS = (".csv", ".csv.gz", ".xlsx", ".parquet")
FHIR_KINDS = (".ndjson.gz", ".json.gz", ".ndjson", ".json")
OWN = "instruments.toml"
MEGABYTE = 1024 * 1024
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


def _refuse(file: str, what: str, mend: str) -> UnusableInput:
    return UnusableInput(f"{file}: {what}. {mend} Nothing was imported.")


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0].split(" (path:", 1)[0][:80]


def _too_large(file: str, limits: Limits) -> UnusableInput:
    return _refuse(
        file, f"it is larger than {limits.unpacked_mb} MB unpacked", "Split it, or raise SUPERVISION_MAX_UNPACKED_MB."
    )


def file_bytes(path: Path, file: str, limits: Limits) -> bytes:
    """A file's bytes, unpacked where it is .gz. Raises UnusableInput where it cannot be read or is beyond the limits."""
    most = limits.unpacked_mb * MEGABYTE
    try:
        if path.stat().st_size > most:
            raise _too_large(file, limits)
        data = path.read_bytes()
    except OSError as error:
        raise _refuse(file, f"it cannot be read ({error.strerror})", "Check its name and permissions.") from None
    if not path.name.lower().endswith(".gz"):
        return data
    unpacked = bytearray()
    try:
        while data:
            machine = zlib.decompressobj(wbits=31)
            unpacked += machine.decompress(data, most - len(unpacked) + 1)
            if len(unpacked) > most:
                raise _too_large(file, limits)
            if not machine.eof:
                raise zlib.error("it ends too early")
            data = machine.unused_data
    except zlib.error as error:
        raise _refuse(file, f"it is not a whole gzip file ({error})", "Pack it again.") from None
    return bytes(unpacked)


def decoded(path: Path, file: str, limits: Limits) -> str:
    """The text of a CSV or TOML file. Raises UnusableInput where it cannot be read or is not UTF-8."""
    data = file_bytes(path, file, limits)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refuse(file, "it is UTF-16, not UTF-8", "Save it as 'CSV UTF-8'.")
    if b"\0" in data:
        raise _refuse(file, "it holds bytes that no text has", "Check that it is a CSV file.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _refuse(file, f"line {line} is not UTF-8", "Save it as 'CSV UTF-8'.") from None


def _header(file: str, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise _refuse(file, f"the column '{doubled[0]}' stands twice", "Keep one of them.")
    return names


def _delimiter(first: str) -> str:
    return max(DELIMITERS, key=lambda mark: (first.count(mark), -DELIMITERS.index(mark)))


def read_csv(path: Path, file: str, limits: Limits) -> tuple[list[str], pl.DataFrame, pl.DataFrame]:
    """Column names, rows as text with file and line, and the rows of the wrong width (SET_ASIDE)."""
    text = decoded(path, file, limits)
    first = text.split("\n", 1)[0]
    if not first.strip():
        raise _refuse(file, "its first line holds no column names", "Add them, or leave the file out.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(first), strict=True)
    parts: list[pl.DataFrame] = []
    wrong: list[tuple[str, int, None, str, str]] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        names = _header(file, next(reader))
        width = len(names)

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
                words = f"the line has {len(row)} cells where the first line has {width}"
                wrong.append((file, line, None, _delimiter(first).join(row)[:200], words))
                continue
            rows.append(row)
            lines.append(line)
            if len(rows) >= CHUNK_ROWS:
                flush()
        flush()
    except csv.Error as error:
        raise _refuse(file, f"line {reader.line_num} cannot be read ({error})", "Check its quotation marks.") from None
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


def _typed_table(name: str, file: str, frame: pl.DataFrame) -> RawTable:
    columns = _header(file, frame.columns)
    frame.columns = columns
    rows = _as_text(frame).with_columns(file=pl.lit(file), line=pl.int_range(pl.len(), dtype=pl.Int64) + 2)
    blank = pl.all_horizontal(pl.col(c).is_null() | (pl.col(c).str.strip_chars() == "") for c in columns)
    return RawTable(name, file, columns, rows.filter(~blank), pl.DataFrame(schema=SET_ASIDE))


def _excel(path: Path, file: str, limits: Limits) -> list[RawTable]:
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(part.file_size for part in packed.infolist()) > limits.unpacked_mb * MEGABYTE:
                raise _too_large(file, limits)
        book = fastexcel.read_excel(str(path))
        found = []
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
            header = ["" if cell is None else str(cell) for cell in raw.row(0)] if raw.height else []
            _header(f"{file}, sheet {sheet}", header)
            found.append(_typed_table(name, f"{file}#{sheet}", typed))
    except (zipfile.BadZipFile, fastexcel.FastExcelError, OSError) as error:
        raise _refuse(
            file, f"it is not an Excel file that can be read ({_first_line(error)})", "Save it again as .xlsx."
        ) from None
    if not found:
        raise _refuse(file, "none of its sheets is called like a table", f"Name sheets {', '.join(TABLES)}.")
    return found


def _parquet(path: Path, file: str, limits: Limits) -> pl.DataFrame:
    try:
        frame = pl.scan_parquet(path)
        width = max(1, len(frame.collect_schema()))
        rows = frame.select(pl.len()).collect().item()
        if rows * width * 8 > limits.unpacked_mb * MEGABYTE:
            raise _too_large(file, limits)
        return frame.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _refuse(
            file, f"it is not a Parquet file that can be read ({_first_line(error)})", "Write it again."
        ) from None


def raw_tables(path: Path, limits: Limits) -> list[RawTable]:
    """The tables of one file. Raises UnusableInput where the contract does not know it or it cannot be read."""
    file, kind = path.name, kind_of(path)
    if kind == ".xlsx":
        return _excel(path, file, limits)
    name = stem_of(path)
    if kind is None or name not in TABLES:
        raise _refuse(
            file,
            "the program knows no such file",
            f"Known: {', '.join(TABLES)} as .csv, .csv.gz, .xlsx or .parquet; FHIR.",
        )
    if kind == ".parquet":
        return [_typed_table(name, file, _parquet(path, file, limits))]
    columns, rows, ragged = read_csv(path, file, limits)
    return [RawTable(name, file, columns, rows, ragged)]


def source_table(path: Path, limits: Limits) -> tuple[list[str], pl.DataFrame, pl.DataFrame]:
    """Columns, rows and ragged rows of any CSV or Parquet file, whatever its name: what a mapping reads from."""
    file, kind = path.name, kind_of(path)
    if kind == ".parquet":
        table = _typed_table(stem_of(path), file, _parquet(path, file, limits))
        return table.columns, table.rows, table.ragged
    if kind in (".csv", ".csv.gz"):
        return read_csv(path, file, limits)
    raise _refuse(file, "a mapping reads .csv, .csv.gz and .parquet files", "Save it as one of these.")


def files_in(paths: list[Path]) -> list[Path]:
    """The data files of folders and single files, by name. Raises UnusableInput for a path that is not there, or none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [
                p for p in sorted(path.iterdir()) if p.is_file() and (kind_of(p) or fhir_kind_of(p) or p.name == OWN)
            ]
            if not inside:
                raise _refuse(
                    str(path), "the folder holds no file that the program knows", f"Known: {', '.join(TABLES)}."
                )
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise _refuse(str(path), "there is no such file or folder", "Check the name.")
    return sorted(found, key=lambda p: (p.name, str(p)))
