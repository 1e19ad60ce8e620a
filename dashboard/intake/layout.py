"""How a source of a mapping is laid out: where its column names stand, how its bytes are read, one value per row or a table."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Encoding = Literal[
    "utf-8", "utf-16", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "latin-1", "iso8859-15", "mac-roman",
    "gb18030", "big5", "shift-jis", "euc-kr",
]  # fmt: skip


class Part(BaseModel):
    """One part of a mapping: frozen, and no name that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Source(Part):
    """One file or sheet that is not a plain UTF-8 table with its column names in the first row; nothing here is ever guessed.

    ``file`` is what the tables call it: a file's name without its ending, a sheet's name, or ``file.sheet``. ``named`` finds it
    by a pattern instead (``*_data_*``; the rows of several such files stand one after the other). ``header_row`` is the row of
    the column names (0: there is none, ``names`` gives them), ``skip_rows`` the rows below it that hold no data. ``names``
    replaces the column names by position. ``doubled`` = number: a column name that stands again becomes ``name (2)``.
    ``delimiter`` and ``encoding`` are for CSV only. ``optional``: where it is not given, what is made from it is left out.
    """

    file: str = Field(min_length=1)
    named: str | None = None
    optional: bool = False
    header_row: int = Field(default=1, ge=0, le=1000)
    skip_rows: int = Field(default=0, ge=0, le=1000)
    names: tuple[str, ...] = ()
    doubled: Literal["refuse", "number"] = "refuse"
    delimiter: str | None = Field(default=None, min_length=1, max_length=1, pattern=r'^[^"\r\n]$')
    encoding: Encoding = "utf-8"

    @model_validator(mode="after")
    def _named(self) -> Source:
        if self.header_row == 0 and not self.names:
            raise ValueError("header_row = 0 needs names")
        if len(set(self.names)) != len(self.names):
            raise ValueError("names holds one name twice")
        return self


class OnePerRow(Part):
    """A source with one value per row (REDCap's EAV export) as a table that the mapping calls ``makes``.

    Rows with the same ``key`` columns become one row; ``name`` holds the column's name and ``value`` the cell. ``checkbox`` names
    the fields that stand once for every box ticked: each becomes a column ``field___code`` that holds 1.
    """

    file: str = Field(min_length=1)
    makes: str = Field(min_length=1)
    key: tuple[str, ...] = Field(min_length=1)
    name: str
    value: str
    checkbox: tuple[str, ...] = ()
