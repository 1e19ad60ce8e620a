"""A practice's own instruments, checked as they come in from ``instruments.toml``."""

from __future__ import annotations

import tomllib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dashboard.analytics.reliable_change import cutoff as jacobson_cutoff
from dashboard.errors import UnusableInput
from dashboard.harmless import clean, one_line

LONGEST_SCALE = 60  # project default: what a form can send back


class OwnInstrument(BaseModel):
    """One ``[[instrument]]`` of the file; the names are the contract's."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name: str = Field(min_length=1, max_length=120)
    kind: Literal["outcome", "alliance"]
    minimum: float
    maximum: float
    better: Literal["lower", "higher"]
    reliable_change: float | None = Field(default=None, gt=0)
    reliability: float | None = Field(default=None, gt=0, lt=1)
    sd_clinical: float | None = Field(default=None, gt=0)
    cutoff: float | None = None
    cutoff_rule: Literal["a", "b", "c"] | None = None
    mean_clinical: float | None = None
    mean_functional: float | None = None
    sd_functional: float | None = Field(default=None, gt=0)
    source: str = Field(min_length=3, max_length=500)
    items: int | None = Field(default=None, ge=1, le=500)
    item_minimum: float | None = None
    item_maximum: float | None = None
    reverse: tuple[int, ...] = ()
    subscales: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    prorate_missing: int = Field(default=0, ge=0)

    @field_validator("name", "source")
    @classmethod
    def _clean(cls, text: str) -> str:
        if not (said := clean(text).strip()):
            raise ValueError("nothing that can be read")
        return said

    @model_validator(mode="after")
    def _consistent(self) -> OwnInstrument:
        if self.maximum <= self.minimum:
            raise ValueError("maximum must be above minimum")
        if self.cutoff is not None and self.cutoff_rule is not None:
            raise ValueError("give either cutoff or cutoff_rule, not both")
        if self.cutoff is not None and not self.minimum <= self.cutoff <= self.maximum:
            raise ValueError("cutoff lies outside minimum and maximum")
        if self.items is not None and (self.item_minimum is None or self.item_maximum is None):
            raise ValueError("items needs item_minimum and item_maximum")
        numbers = [*self.reverse, *(n for part in self.subscales.values() for n in part)]
        if numbers and (self.items is None or not all(1 <= n <= self.items for n in numbers)):
            raise ValueError("reverse and subscales name item numbers between 1 and items")
        if any(name == "total" or name.startswith("item_") for name in self.subscales):
            raise ValueError("a subscale cannot be called total or item_...")
        if any(len(name) > LONGEST_SCALE or clean(name).strip() != name for name in self.subscales):
            raise ValueError(f"a subscale's name has 1 to {LONGEST_SCALE} characters that can be read")
        return self

    def stored(self) -> dict[str, Any]:
        """The definition as the database keeps it and ``registry`` reads it."""
        cut = self.cutoff
        if self.cutoff_rule is not None:
            cut = jacobson_cutoff(
                self.cutoff_rule,
                better=self.better,
                mean_clinical=self.mean_clinical,
                sd_clinical=self.sd_clinical,
                mean_functional=self.mean_functional,
                sd_functional=self.sd_functional,
            )
        fields = self.model_dump(exclude={"cutoff_rule"}, mode="json")
        note = f"rule {self.cutoff_rule} of Jacobson and Truax" if self.cutoff_rule else ""
        return fields | {"cutoff": cut, "cutoff_note": note, "licence": "The practice's own entry."}


def read_own(text: str, file: str) -> list[dict[str, Any]]:
    """The definitions of an ``instruments.toml``, ready to store.

    Raises UnusableInput naming the file, the instrument and the field that is wrong.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnusableInput(f"{file} is not valid TOML: {error}. Mend it and import again.") from None
    rows = tables.pop("instrument", None)
    if tables or not isinstance(rows, list):
        raise UnusableInput(f"{file}: expected only [[instrument]] tables. Mend it and import again.")
    return own_instruments(rows, file)


def own_instruments(rows: list[dict[str, Any]], file: str) -> list[dict[str, Any]]:
    """Checked definitions, ready to store. Raises UnusableInput naming the file, the instrument and the field."""
    found: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, start=1):
        label = one_line(str(row.get("key", f"number {number}")), 60) if isinstance(row, dict) else f"number {number}"
        try:
            own = OwnInstrument.model_validate(row)
            found[own.key] = own.stored()
        except ValidationError as error:
            first = error.errors()[0]
            field = one_line(".".join(str(part) for part in first["loc"]) or "the entry", 60)
            raise UnusableInput(
                f"{file}: instrument {label}, {field}: {first['msg']}. Mend it and import again."
            ) from None
        except ValueError as error:
            raise UnusableInput(f"{file}: instrument {label}: {error}. Mend it and import again.") from None
    if len(found) != len(rows):
        raise UnusableInput(f"{file}: one key stands twice. Keep one entry per key and import again.")
    return list(found.values())
