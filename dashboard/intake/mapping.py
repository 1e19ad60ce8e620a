"""What a mapping file may say: for each table of ours, which source file and columns feed it, and how.

A mapping is TOML. Every name in it is checked before a single row is read, so that a slip is named and nothing is half read.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dashboard.errors import UnusableInput
from dashboard.intake.batch import TABLES


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Within(_Part):
    """The joined row must hold a day: ``day`` of the left row between ``start`` and ``end`` (empty: no end) of the right."""

    day: str
    start: str
    end: str


class Join(_Part):
    """Columns of another file, as ``file.column``, where ``on`` (left column to right column) agrees.

    ``most``: instead of rows, the value of that column that most matching rows have (ties: the first in text order).
    """

    file: str
    on: dict[str, str] = Field(min_length=1)
    within: Within | None = None
    most: str | None = None


class Column(_Part):
    """How one of our columns is made: from a ``column``, a ``constant`` or a ``template`` of columns in braces.

    ``values`` maps words (also text to scores); ``other`` stands in for words it does not name. ``date`` and ``time`` are
    formats such as %d/%m/%Y; ``part`` = day keeps the day of a time. ``days_from`` reads the column as days since that day.
    ``times`` multiplies a number (a unit). What does not fit is left as it is, so that it is set aside with its text.
    """

    column: str | None = None
    constant: str | None = None
    template: str | None = None
    values: dict[str, str] = Field(default_factory=dict)
    other: str | None = None
    date: str | None = None
    time: str | None = None
    part: Literal["day"] | None = None
    days_from: str | None = None
    times: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_origin(self) -> Column:
        given = [name for name in ("column", "constant", "template") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of column, constant, template")
        return self


class Target(_Part):
    """One of our tables and where it comes from.

    ``once_by`` keeps the first row of each value of a source column (``_all``: one row altogether), for tables that the
    source repeats in every row.
    """

    table: str
    file: str
    join: tuple[Join, ...] = ()
    once_by: str | None = None
    columns: dict[str, Column]

    @model_validator(mode="after")
    def _known(self) -> Target:
        if self.table not in TABLES:
            raise ValueError(f"there is no table '{self.table}'; there is {', '.join(TABLES)}")
        if unknown := sorted(set(self.columns) - set(TABLES[self.table])):
            raise ValueError(f"table {self.table} has no column '{unknown[0]}'")
        return self


class Derive(_Part):
    """``sessions``: from_scores makes an attended session of every day on which an episode has a score."""

    sessions: Literal["from_scores"] | None = None


class Code(_Part):
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


class Mapping(_Part):
    """A whole mapping. ``unused`` names the source files that are known and left alone; ``code`` is for FHIR files."""

    name: str
    about: str
    table: tuple[Target, ...] = ()
    code: tuple[Code, ...] = ()
    unused: tuple[str, ...] = ()
    derive: Derive = Derive()
    instrument: tuple[dict[str, Any], ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Mapping:
        if not self.table and not self.code:
            raise ValueError("there is neither a [[table]] nor a [[code]]")
        return self

    @property
    def sources(self) -> set[str]:
        """The stems of every file it reads."""
        return {one.file for one in self.table} | {join.file for one in self.table for join in one.join}


def built_in() -> dict[str, str]:
    """The shipped mappings: name to text."""
    folder = files("dashboard.intake") / "mappings"
    return {
        one.name.removesuffix(".toml"): one.read_text("utf-8") for one in folder.iterdir() if one.name.endswith(".toml")
    }


def mapping_abouts() -> dict[str, str]:
    """The shipped mappings: name to what it reads, in a few words."""
    return {name: read_mapping(name).about for name in sorted(built_in())}


def read_mapping(name_or_file: str) -> Mapping:
    """The mapping of that name, or in that file. Raises UnusableInput where there is none or it is not well formed."""
    shipped = built_in()
    if name_or_file in shipped:
        text = shipped[name_or_file]
    else:
        try:
            text = Path(name_or_file).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            names = ", ".join(sorted(shipped))
            raise UnusableInput(
                f"There is no mapping '{name_or_file}': neither a file that can be read nor one of {names}."
            ) from None
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UnusableInput(f"The mapping '{name_or_file}' is not TOML: {error}. Nothing was imported.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnusableInput(
            f"The mapping '{name_or_file}' cannot be used: {where}: {first['msg']}. Nothing was imported."
        ) from None
