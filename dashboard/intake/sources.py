"""The sources of a mapping among the files given: by name or pattern, with the layout that the mapping states."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import fastexcel
import polars as pl

from dashboard.errors import UnusableInput
from dashboard.harmless import one_line
from dashboard.intake.batch import SET_ASIDE
from dashboard.intake.layout import Source
from dashboard.intake.mapping import Mapping
from dashboard.intake.read import (
    PLAIN,
    Limits,
    first_line,
    header,
    kind_of,
    read_csv,
    read_parquet,
    refuse,
    stem_of,
    typed_table,
    workbook,
)

Progress = Callable[[str, float], None] | None


class SourceTable(NamedTuple):
    """``rows`` are all text with file and line; ``ragged`` holds the rows of the wrong width (SET_ASIDE)."""

    columns: list[str]
    rows: pl.DataFrame
    ragged: pl.DataFrame

    @classmethod
    def of(cls, columns: list[str], rows: pl.DataFrame) -> SourceTable:
        """A table whose rows cannot have a wrong width."""
        return cls(columns, rows, pl.DataFrame(schema=SET_ASIDE))


def _book(path: Path, limits: Limits) -> fastexcel.ExcelReader:
    book = workbook(path, path.name, limits)
    if not book.sheet_names:
        raise refuse(path.name, "it holds no sheet", "Save it again as .xlsx.")
    return book


def sheets_of(path: Path, limits: Limits) -> list[str]:
    """The names of an .xlsx file's sheets. Raises UnusableInput where it cannot be read."""
    return list(_book(path, limits).sheet_names)


def _cells(book: fastexcel.ExcelReader, sheet: str, file: str) -> pl.DataFrame:
    try:
        frame = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise refuse(file, f"it cannot be read ({first_line(error)})", "Save it again as .xlsx.") from None
    # a day comes with midnight behind it, and a time of day behind the first day of Excel's calendar
    return frame.with_columns(
        pl.all()
        .str.strip_chars()
        .str.replace(r"^(\d{4}-\d{2}-\d{2}) 00:00:00$", "$1")
        .str.replace(r"^(?:1899-12-31|1900-01-0[01]) (\d{2}:\d{2}:\d{2})$", "$1")
        .str.replace(r"^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.\d+)?$", "${1}T$2")
    )


def _sheet(path: Path, sheet: str | None, limits: Limits, layout: Source) -> SourceTable:
    book = _book(path, limits)
    sheet = sheet if sheet is not None else book.sheet_names[0]
    file = path.name if len(book.sheet_names) == 1 else f"{path.name}#{one_line(sheet)}"
    raw = _cells(book, sheet, file)
    if raw.height < max(1, layout.header_row):
        raise refuse(file, f"it has no row {max(1, layout.header_row)} with column names", "Add them, or leave it out.")
    if layout.names:
        names = list(layout.names)
        if len(names) != raw.width:
            words = f"it has {raw.width} columns where the mapping names {len(names)}"
            raise refuse(file, words, "Correct the names in the mapping.")
    else:
        names = header(file, [cell or "" for cell in raw.row(layout.header_row - 1)], layout.doubled)
    rows = raw.with_columns(file=pl.lit(file), line=pl.int_range(pl.len(), dtype=pl.Int64) + 1)
    rows = rows.slice(layout.header_row + layout.skip_rows)
    rows = rows.filter(~pl.all_horizontal(pl.col(raw.columns).fill_null("") == ""))
    named = {raw.columns[place]: name for place, name in enumerate(names) if name and name not in ("file", "line")}
    kept = rows.select(*(pl.col(old).alias(new) for old, new in named.items()), "file", "line")
    return SourceTable.of([name for name in names if name], kept)


def source_table(path: Path, limits: Limits, layout: Source = PLAIN, sheet: str | None = None) -> SourceTable:
    """Any CSV, Excel or Parquet file, whatever its name: what a mapping reads from. ``sheet``: the first where null.

    Raises UnusableInput where it cannot be read.
    """
    kind = kind_of(path)
    if kind == ".parquet":
        table = typed_table(stem_of(path), path.name, read_parquet(path, path.name, limits))
        return SourceTable(table.columns, table.rows, table.ragged)
    if kind in (".csv", ".csv.gz"):
        return SourceTable(*read_csv(path, path.name, limits, layout))
    if kind == ".xlsx":
        return _sheet(path, sheet, limits, layout)
    raise refuse(path.name, "a mapping reads .csv, .csv.gz, .xlsx and .parquet files", "Save it as one of these.")


def offers(path: Path, limits: Limits) -> list[tuple[str | None, tuple[str, ...]]]:
    """What a file holds: each sheet (null: the file itself) with the names that a mapping may call it by."""
    stem = stem_of(path)
    if kind_of(path) != ".xlsx":
        return [(None, (stem,))]
    sheets = sheets_of(path, limits)
    alone = (stem,) if len(sheets) == 1 else ()
    return [(sheet, (*alone, f"{stem}.{sheet.strip().lower()}", sheet.strip().lower())) for sheet in sheets]


def chosen_source(names: tuple[str, ...], mapping: Mapping) -> str | None:
    """The source of the mapping that a file or sheet of these names is; null where it names none of them."""
    for source in sorted(mapping.sources):
        pattern = mapping.layout(source).named
        if source in names or (pattern is not None and any(fnmatchcase(name, pattern.lower()) for name in names)):
            return source
    return None


def read_sources(
    paths: list[Path], mapping: Mapping, limits: Limits, progress: Progress = None
) -> tuple[dict[str, SourceTable], dict[str, list[str]]]:
    """The mapping's sources among the files, by name, and what was not used, by file.

    Raises UnusableInput where a file cannot be read, or two are called the same without a pattern that asks for several.
    """
    found: dict[str, list[SourceTable]] = {}
    given: dict[str, str] = {}
    ignored: dict[str, list[str]] = {}
    for number, path in enumerate(paths, start=1):
        for sheet, names in offers(path, limits):
            label = path.name if sheet is None or len(names) == 3 else f"{path.name}#{one_line(sheet)}"
            source = chosen_source(names, mapping)
            if source is None:
                if not any(name.lower() in names for name in mapping.unused):
                    ignored[label] = [f"the whole {'file' if sheet is None else 'sheet'}: the mapping does not name it"]
                continue
            layout = mapping.layout(source)
            if source in found and layout.named is None:
                raise UnusableInput(
                    f"{given[source]} and {label} are both what the mapping calls '{source}'. Give one of them. "
                    "Nothing was imported."
                )
            given[source] = label
            found.setdefault(source, []).append(source_table(path, limits, layout, sheet))
        if progress:
            progress(f"Reading {path.name}", 0.3 * number / len(paths))
    return {source: stacked(tables) for source, tables in found.items()}, ignored


def stacked(tables: list[SourceTable]) -> SourceTable:
    """Several files of one pattern, one after the other."""
    columns = list(dict.fromkeys(name for table in tables for name in table.columns))
    rows = pl.concat([table.rows for table in tables], how="diagonal")
    return SourceTable(columns, rows, pl.concat([table.ragged for table in tables]))
