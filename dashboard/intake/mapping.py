"""What a mapping file may say: for each table of ours, which source and columns feed it, and how.

A mapping is TOML. Every name in it is checked before a single row is read, so that a slip is named and nothing is half read.
How a source is laid out (sheets, header rows, encodings, one-value-per-row exports) is in ``layout``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping as Named
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from dashboard.errors import UnusableInput
from dashboard.intake.batch import TABLES
from dashboard.intake.check import REQUIRED
from dashboard.intake.layout import OnePerRow, Part, Source

UNPIVOT_NAME, UNPIVOT_VALUE = "unpivot.name", "unpivot.value"
# the parts of a date or time that a format may name; anything else is a slip, not a character of the data
TEMPLATE = re.compile(r"[^{}]*(\{[^{}]+\}[^{}]*)+")
FORMAT = re.compile(r"(%[-]?[YymdHMSjeIl]|%[bBpPTFRDz]|%\.f|%%|[^%])+")


def _as_text(given: Any) -> Any:
    """A number or yes/no of TOML as the text that a cell would hold."""
    if isinstance(given, bool):
        return str(given).lower()
    return str(given) if isinstance(given, (int, float)) else given


Text = Annotated[str, BeforeValidator(_as_text)]


def _format(given: str) -> str:
    if not FORMAT.fullmatch(given):
        raise ValueError(f"'{given}' is not a format such as %d/%m/%Y or %Y-%m-%d %H:%M")
    return given


def _day_format(given: str) -> str:
    try:
        pl.Series(["x"]).str.to_date(_format(given), strict=False)
    except pl.exceptions.PolarsError:
        raise ValueError(f"'{given}' is not a format of days such as %d/%m/%Y") from None
    return given


def _time_format(given: str) -> str:
    try:
        pl.Series(["x"]).str.to_datetime(_format(given), strict=False, time_unit="us")
    except pl.exceptions.PolarsError:
        raise ValueError(f"'{given}' is not a format of days and times such as %Y-%m-%d %H:%M") from None
    return given


DayFormat = Annotated[str, AfterValidator(_day_format)]
TimeFormat = Annotated[str, AfterValidator(_time_format)]


class Within(Part):
    """The joined row must hold a day: ``day`` of the left row between ``start`` and ``end`` (empty: no end) of the right."""

    day: str
    start: str
    end: str


class Join(Part):
    """Columns of another file, as ``file.column``, where ``on`` (left column to right column) agrees.

    Of several matching rows the first counts, or that with the ``earliest`` or ``latest`` text in a column (ISO dates order as
    text). ``most``: instead of rows, the value of that column that most matching rows have (ties: the first in text order).
    """

    file: str = Field(min_length=1)
    on: dict[str, str] = Field(min_length=1)
    within: Within | None = None
    most: str | None = None
    earliest: str | None = None
    latest: str | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> Join:
        if sum(one is not None for one in (self.most, self.earliest, self.latest)) > 1:
            raise ValueError("give at most one of most, earliest, latest")
        return self


class Where(Part):
    """Rows that are meant for this table: ``column`` holds one of ``in``, none of ``not_in``, or anything at all (``not_empty``).

    A row that is not meant for the table is no error and is not set aside; the report counts it apart.
    """

    column: str
    one_of: tuple[Text, ...] | None = Field(default=None, alias="in")
    not_in: tuple[Text, ...] | None = None
    not_empty: bool = False

    @model_validator(mode="after")
    def _one_rule(self) -> Where:
        if (self.one_of is not None) + (self.not_in is not None) + self.not_empty != 1:
            raise ValueError("give exactly one of in, not_in, not_empty")
        return self


class Check(Part):
    """A row whose ``column`` is not ``equals`` is set aside with ``reason`` (an attention check): nothing of it is taken in."""

    column: str
    equals: Text
    reason: str = Field(min_length=3, max_length=200)


class Column(Part):
    """How one of our columns is made: from a ``column``, a ``constant`` or a ``template`` of columns in braces.

    ``values`` maps words (also text to scores); ``other`` stands in for words it does not name, ``empty`` for an empty cell.
    ``date`` and ``time`` are formats such as %d/%m/%Y; ``part`` = day keeps the day of a time (without ``time``: of one in ISO
    form). ``days_from`` reads the column as a whole number of steps since a day (2026-01-31, or the column that holds it): a
    step is ``step_days`` days (7: weeks) and ``first`` is the number of the first day (1 where the first week is called 1).
    ``decimal`` = "," reads 12,5 as twelve and a half; ``times`` multiplies a number (a unit). What does not fit is left as it
    is, so that it is set aside with its text.
    """

    column: str | None = None
    constant: Text | None = None
    template: str | None = None
    values: dict[str, Text] = Field(default_factory=dict)
    other: Text | None = None
    empty: Text | None = None
    date: DayFormat | None = None
    time: TimeFormat | None = None
    part: Literal["day"] | None = None
    days_from: str | None = None
    step_days: int = Field(default=1, ge=1, le=366)
    first: int = Field(default=0, ge=-1000, le=1000)
    decimal: Literal[",", "."] = "."
    times: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"column": given}
        if isinstance(given, dict) and isinstance(given.get("days_from"), date):
            return given | {"days_from": given["days_from"].isoformat()[:10]}
        return given

    @model_validator(mode="after")
    def _one_origin(self) -> Column:
        given = [name for name in ("column", "constant", "template") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of column, constant, template")
        if self.template is not None and not TEMPLATE.fullmatch(self.template):
            raise ValueError(f"'{self.template}' is not text with columns in braces, such as {{Person}}-{{Visit}}")
        if self.days_from is None and (self.step_days != 1 or self.first != 0):
            raise ValueError("step_days and first belong to days_from")
        return self


class Target(Part):
    """One of our tables and where it comes from.

    ``unpivot`` makes one row of every listed source column (source column to label), so that a wide survey becomes scores:
    ``unpivot.name`` is the label and ``unpivot.value`` the cell; an empty cell makes no row. ``once_by`` keeps the first row of
    each value of a source column, or of several (``_all``: one row altogether), for tables that the source repeats in every row;
    with ``order_by`` it is the row with the smallest text in that column (the first day).
    Order: join, where, check, once_by, unpivot.
    """

    table: str
    file: str = Field(min_length=1)
    join: tuple[Join, ...] = ()
    where: tuple[Where, ...] = ()
    check: tuple[Check, ...] = ()
    once_by: str | tuple[str, ...] | None = None
    order_by: str | None = None
    unpivot: dict[str, Text] = Field(default_factory=dict)
    columns: dict[str, Column]

    @model_validator(mode="after")
    def _known(self) -> Target:
        if self.table not in TABLES:
            raise ValueError(f"there is no table '{self.table}'; there is {', '.join(TABLES)}")
        if unknown := sorted(set(self.columns) - set(TABLES[self.table])):
            raise ValueError(f"table {self.table} has no column '{unknown[0]}'")
        if lacking := [name for name in REQUIRED[self.table] if name not in self.columns]:
            raise ValueError(f"table {self.table} needs the column '{lacking[0]}'; say where it comes from")
        if not self.unpivot and any(one.column in (UNPIVOT_NAME, UNPIVOT_VALUE) for one in self.columns.values()):
            raise ValueError(f"table {self.table} uses {UNPIVOT_NAME} or {UNPIVOT_VALUE} without unpivot")
        joined = [one.file for one in self.join]
        if doubled := sorted({one for one in joined if joined.count(one) > 1}):
            raise ValueError(f"table {self.table} joins '{doubled[0]}' twice")
        if self.order_by is not None and self.once_by is None:
            raise ValueError("order_by belongs to once_by")
        return self

    @property
    def repeated_by(self) -> tuple[str, ...]:
        """The columns of ``once_by``; none where all rows or one row altogether count."""
        if self.once_by is None or self.once_by == "_all":
            return ()
        return (self.once_by,) if isinstance(self.once_by, str) else self.once_by


class Watermark(Part):
    """The ``column`` of a source table that grows whenever a row is new or changed: only rows from the last mark on are read.

    ``overlap_days`` reads that many days before the mark again, where the source may write a row late with an older time.
    Repeated rows change nothing. A table that another one is joined to is always read whole.
    """

    column: str
    overlap_days: int = Field(default=0, ge=0, le=366)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given


class Derive(Part):
    """``sessions``: from_scores makes an attended session of every day on which an episode has a score."""

    sessions: Literal["from_scores"] | None = None


class Code(Part):
    """What a code of a FHIR resource is here: a ``code`` of a ``system``, or a ``link_id`` (or ``items``, in order) of a
    ``questionnaire``'s answers.

    ``answers`` gives numbers to answer codes (plain, or system|code). ``times`` turns a raw total into the published scale.
    """

    system: str = "http://loinc.org"
    code: str | None = None
    questionnaire: str | None = None
    link_id: str | None = None
    items: tuple[str, ...] = ()
    instrument: str | None = None
    scale: str = "total"
    respondent: Literal["client", "clinician"] | None = None
    times: float | None = None
    answers: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_thing(self) -> Code:
        named = sum(map(bool, (self.code, self.link_id, self.items)))
        if named > 1 or (named == 0 and not self.answers):
            raise ValueError("give one of code, link_id, items, or answers alone")
        if named and not self.instrument:
            raise ValueError("instrument is missing")
        return self


class Mapping(Part):
    """A whole mapping. ``unused`` names the source files that are known and left alone; ``code`` is for FHIR files.

    ``source`` says how a source is laid out where it is not a plain UTF-8 table; ``eav`` turns an export of one value per row
    into a table. ``watermark`` is by source table, for reading straight from a database.
    """

    name: str
    about: str
    table: tuple[Target, ...] = ()
    code: tuple[Code, ...] = ()
    source: tuple[Source, ...] = ()
    eav: tuple[OnePerRow, ...] = ()
    watermark: dict[str, Watermark] = Field(default_factory=dict)
    unused: tuple[str, ...] = ()
    derive: Derive = Derive()
    instrument: tuple[dict[str, Any], ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Mapping:
        if not self.table and not self.code:
            raise ValueError("there is neither a [[table]] nor a [[code]]")
        for kind, names in (("source", [s.file for s in self.source]), ("eav", [e.makes for e in self.eav])):
            lower = [name.lower() for name in names]
            if doubled := sorted({name for name in lower if lower.count(name) > 1}):
                raise ValueError(f"[[{kind}]] '{doubled[0]}' stands twice")
        if unknown := sorted(name for name in self.watermark if name.lower() not in self.sources):
            raise ValueError(f"watermark names '{unknown[0]}', which no table reads")
        reshaped = {one.file.lower() for one in self.eav}
        if whole := sorted(name for name in self.watermark if name.lower() in reshaped):
            raise ValueError(f"watermark names '{whole[0]}', of which [[eav]] needs every row")
        return self

    @property
    def spelled(self) -> dict[str, str]:
        """Every file or source table it reads: the name in lower case to the name as the mapping writes it."""
        made = {one.makes.lower(): one.file for one in self.eav}
        named = [one.file for one in self.table] + [join.file for one in self.table for join in one.join]
        return {name.lower(): name for name in (made.get(one.lower(), one) for one in named)}

    def needs(self, target: Target) -> set[str]:
        """The names, in lower case, of the sources that one table is made from."""
        made = {one.makes.lower(): one.file.lower() for one in self.eav}
        return {made.get(one.lower(), one.lower()) for one in (target.file, *(join.file for join in target.join))}

    @property
    def sources(self) -> set[str]:
        """The names of every file or source table it reads, in lower case."""
        return set(self.spelled)

    def layout(self, name: str) -> Source:
        """How a source is laid out: as the mapping says, else a plain table with its column names in the first row."""
        return next((one for one in self.source if one.file.lower() == name), Source(file=name))


def built_in() -> dict[str, str]:
    """The shipped mappings: name to text."""
    folder = files("dashboard.intake") / "mappings"
    return {
        one.name.removesuffix(".toml"): one.read_text("utf-8") for one in folder.iterdir() if one.name.endswith(".toml")
    }


def mapping_abouts() -> dict[str, str]:
    """The shipped mappings: name to what it reads, in a few words."""
    return {name: read_mapping(name).about for name in sorted(built_in())}


def _where(error: ValidationError) -> tuple[str, str]:
    first = error.errors()[0]
    place = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
    return place or "the whole", first["msg"].removeprefix("Value error, ")


def parse_mapping(text: str, name: str = "mapping") -> Mapping:
    """The mapping that ``text`` (TOML) says; ``name`` is how messages call it. Raises UnusableInput naming place and slip."""
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except ValidationError as error:
        place, what = _where(error)
        raise UnusableInput(f"The mapping '{name}' cannot be used: {place}: {what}. Nothing was imported.") from None
    except (ValueError, RecursionError) as error:
        raise UnusableInput(f"The mapping '{name}' is not TOML: {str(error)[:200]}. Nothing was imported.") from None


def read_mapping(name_or_file: str, saved: Named[str, str] | None = None) -> Mapping:
    """The mapping of that name (``saved`` in the practice: name to text; else shipped), or in that file.

    Raises UnusableInput where there is none or it is not well formed.
    """
    known = built_in() | dict(saved or {})
    if name_or_file in known:
        return parse_mapping(known[name_or_file], name_or_file)
    try:
        text = Path(name_or_file).read_text("utf-8")
    except (OSError, ValueError):
        names = ", ".join(sorted(known))
        raise UnusableInput(
            f"There is no mapping '{name_or_file}': neither a file that can be read nor one of {names}."
        ) from None
    return parse_mapping(text, name_or_file)
