"""Streamlit's own settings, found wherever we are started from."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent
# the copy inside an installed wheel, else the checkout's
CANDIDATES = (PACKAGE / ".streamlit" / "config.toml", PACKAGE.parent / ".streamlit" / "config.toml")


def config_file() -> Path:
    """The config.toml that is in force."""
    return next(path for path in CANDIDATES if path.is_file())


def options(**overrides: Any) -> dict[str, Any]:
    """The file flattened, such as {"theme.light.textColor": …}, with overrides that are not None."""

    def flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
        for key, value in table.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", value

    found = dict(flat(tomllib.loads(config_file().read_text("utf-8"))))
    return found | {key: value for key, value in overrides.items() if value is not None}
