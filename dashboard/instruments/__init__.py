"""The instruments: twenty built in (``builtin.toml``) and the practice's own (``instruments.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dashboard.instruments.instrument import Instrument


def _read_built_in() -> dict[str, Instrument]:
    text = Path(__file__).with_name("builtin.toml").read_text("utf-8")
    return {row["key"]: Instrument.model_validate(row) for row in tomllib.loads(text)["instrument"]}


BUILT_IN: dict[str, Instrument] = _read_built_in()


def registry(own: Iterable[dict[str, Any]] = ()) -> dict[str, Instrument]:
    """Every instrument by key; a practice's own definition of a key stands before the built-in one."""
    return BUILT_IN | {row["key"]: Instrument.model_validate(row) for row in own}
