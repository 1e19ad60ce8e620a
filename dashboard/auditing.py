"""``audit verify``: is the audit still what was written? Of the database, or of a file that ``export audit`` made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Engine

from dashboard.errors import UnusableInput
from dashboard.exports import DANGEROUS
from queries.audit_chain import hash_of_detail, hash_of_row
from queries.audit_check import Verdict, check_chain, check_rows, sealed
from queries.engine import reading
from queries.exports import WITHHELD

NUMBERS = ("number", "practice_number", "clinician_number")
TEXTS = ("username", "action", "detail", "purpose", "salt", "detail_hash", "previous_hash", "row_hash")
HASH_DIGITS = 64


def checked_head(head: str | None) -> str | None:
    """A head as somebody typed it. Raises UnusableInput for anything that is no whole hash."""
    if head is None:
        return None
    text = head.strip().lower()
    if len(text) != HASH_DIGITS or not set(text) <= set("0123456789abcdef"):
        raise UnusableInput(
            f"'{head}' is not a head: those are {HASH_DIGITS} digits 0-9 and a-f. Copy the whole of it."
        )
    return text


def verify(engine: Engine, head: str | None) -> Verdict:
    """Checks the audit of a database, a few thousand rows at a time."""
    with reading(engine) as connection:
        return check_chain(connection, checked_head(head))


def verify_file(path: Path, head: str | None, *, part: bool) -> Verdict:
    """Checks an exported audit (.csv, .json or .parquet) without a database.

    ``part``: the file holds one person's part of it, so that rows of others are missing. Raises UnusableInput for a file that
    cannot be read or lacks the columns that prove it.
    """
    frame = _read(path)
    needed = {*NUMBERS, *TEXTS, "exact_at", "episode_number"}
    if missing := sorted(needed - set(frame.columns)):
        raise UnusableInput(
            f"{path} lacks the column '{missing[0]}', without which nothing can be proved. "
            "Export it again: supervision export audit"
        )
    return check_rows(_rows(frame, path), checked_head(head), part=part)


def _read(path: Path) -> pl.DataFrame:
    try:
        match path.suffix.lower():
            case ".json":
                return pl.read_json(path, infer_schema_length=None)
            case ".parquet":
                return pl.read_parquet(path)
            case _:
                return pl.read_csv(path, infer_schema=False)
    except FileNotFoundError:
        raise UnusableInput(f"There is no file {path}.") from None
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        said = (str(error).splitlines() or ["it is empty"])[0]
        raise UnusableInput(f"{path} cannot be read as an exported audit: {said}") from None


def _rows(frame: pl.DataFrame, path: Path) -> Iterator[dict[str, Any]]:
    try:
        frame = frame.with_columns(pl.col(name).cast(pl.Int64) for name in NUMBERS).with_columns(
            pl.col(name).cast(pl.String) for name in (*TEXTS, "exact_at", "episode_number")
        )
    except pl.exceptions.PolarsError:
        raise UnusableInput(f"{path} has a number that is none: it was changed after it was exported.") from None
    for row in frame.sort("number", nulls_last=False).iter_rows(named=True):
        try:
            yield _as_stored(row)
        except (TypeError, ValueError):
            raise UnusableInput(
                f"{path}, row {row['number']}: a time or a number is not what an export writes. It was changed afterwards."
            ) from None


def _as_stored(row: dict[str, Any]) -> dict[str, Any]:
    hidden = row["episode_number"] == WITHHELD
    stored = {
        **{name: row[name] for name in TEXTS},
        "id": int(row["number"]),
        "at": datetime.fromisoformat(row["exact_at"]),
        "practice_id": row["practice_number"],
        "clinician_id": row["clinician_number"],
        "episode_id": None if hidden or row["episode_number"] is None else int(row["episode_number"]),
        "hidden": hidden,
    }
    # an editor of tables may have written an empty detail as none at all
    if stored["detail"] is None and stored["salt"] and hash_of_detail(stored["salt"], "") == stored["detail_hash"]:
        stored["detail"] = ""
    # an export puts an apostrophe before what a spreadsheet would run
    detail = stored["detail"] or ""
    if (
        detail[:1] == "'"
        and detail[1:2] in DANGEROUS
        and hash_of_detail(stored["salt"] or "", detail) != stored["detail_hash"]
    ):
        stored["detail"] = detail[1:]
    for name in ("username", "action"):
        text = stored[name] or ""
        if (
            text[:1] == "'"
            and text[1:2] in DANGEROUS
            and not hidden
            and hash_of_row(sealed(stored)) != stored["row_hash"]
        ):
            stored[name] = text[1:]
    return stored


def is_good(found: Verdict) -> bool:
    """Whether everything is as written and the head that was asked for is there, or was written over by a restore."""
    known = found.knows_head is not False or found.replaced_on is not None
    return found.broken is None and known


def lines(found: Verdict) -> list[str]:
    """The verdict in words; the last line is the head, to be kept elsewhere."""
    if not found.rows:
        said = ["The audit holds no row yet."]
    elif found.broken is not None:
        said = [
            f"Row {found.broken} is not as it was written: {found.why}. Everything before it is unbroken.",
            "Keep the database as it is, and compare it with a copy: supervision restore COPY --db sqlite:///ELSEWHERE",
        ]
    else:
        assert found.since is not None  # noqa: S101 - there is a row
        said = [f"Unbroken: {found.rows:,} rows since {found.since:%d %b %Y %H:%M}."]
    if found.gaps:
        said.append(
            f"{found.gaps:,} places where rows of others are left out: the file alone cannot show that nothing else is missing."
        )
    if found.hidden:
        said.append(
            f"{found.hidden:,} rows name an episode that is withheld here; of those only their place was checked."
        )
    if found.erased:
        said.append(f"{found.erased:,} details were erased with a client's data; the rows say so and are unbroken.")
    if found.knows_head is False:
        said.append(
            f"The head that you kept was written over on {found.replaced_on:%d %b %Y %H:%M}, when an older copy was restored."
            if found.replaced_on is not None
            else "The head that you kept is not here: rows at the end were cut off, or everything was written anew."
        )
    if found.knows_head:
        said.append("The head that you kept is here.")
    return [*said, f"head {found.head}"]
