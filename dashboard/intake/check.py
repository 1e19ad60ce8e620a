"""Raw text to typed tables. A row that breaks a rule is set aside with file, line, column, value and reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from dashboard import contracts
from dashboard.harmless import HIDDEN, LONGEST_CELL, STORM
from dashboard.intake.batch import KEYS, SAID_OR_NOT, TABLES, row_key

DAY = r"^\d{4}-\d{2}-\d{2}$"
TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$"
OFFSET = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$"
REAL = r"^[+-]?(\d+(\.\d*)?|\.\d+)$"
WHOLE = r"^[+-]?\d+$"
YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
EARLIEST_YEAR = 1900  # anything earlier is a mistyped year

REQUIRED = {
    "clinicians": ("clinician_id",),
    "leave": ("clinician_id", "from", "to"),
    "supervision": ("supervisor_id", "supervisee_id"),
    "clients": ("client_id",),
    "episodes": ("episode_id", "client_id", "clinician_id", "opened_on"),
    "appointments": ("appointment_id", "episode_id", "starts_at", "status"),
    "scores": ("episode_id", "taken_on", "instrument", "scale", "value"),
}
WORDS = {
    "ending": contracts.ENDINGS,
    "status": contracts.STATUSES,
    "mode": contracts.MODES,
    "kind": contracts.KINDS,
    "preference_met": contracts.PREFERENCES,
    "respondent": contracts.RESPONDENTS,
}
# table -> pairs of days of which the first may not be later than the second
ORDERED = {
    "clinicians": (("started_on", "ended_on"),),
    "leave": (("from", "to"),),
    "supervision": (("from", "to"),),
    "episodes": (("opened_on", "closed_on"),),
}


@dataclass(frozen=True)
class Day:
    """Today and the practice's time zone ('' means the machine's)."""

    today: date
    timezone: str


class Checked:
    """A table on its way: the rows still good, and what was set aside so far."""

    def __init__(self, name: str, rows: pl.DataFrame) -> None:
        """Starts with all rows good."""
        self.name = name
        self.rows = rows
        self.aside: list[pl.DataFrame] = []
        self.repeated = 0

    def drop(self, broken: pl.Expr, column: str | None, reason: str | pl.Expr, *, shown: str | None = None) -> None:
        """Sets aside the rows where ``broken``; ``shown`` is the column whose text is reported."""
        bad = self.rows.filter(broken.fill_null(False))
        if bad.is_empty():
            return
        self.report(bad, column, reason, shown=shown, refused=True)
        self.rows = self.rows.filter(~broken.fill_null(False))

    def report(
        self,
        bad: pl.DataFrame,
        column: str | None,
        reason: str | pl.Expr,
        *,
        shown: str | None = None,
        refused: bool = False,
    ) -> None:
        """Notes rows without dropping them; ``refused``: none of the row is taken in."""
        name = shown or column
        value = (
            pl.col(f"raw_{name}")
            if name and f"raw_{name}" in bad.columns
            else pl.col(name).cast(pl.String)
            if name
            else None
        )
        self.aside.append(
            bad.select(
                "file",
                "line",
                pl.lit(column, dtype=pl.String).alias("column"),
                (pl.lit(None, dtype=pl.String) if value is None else value.str.slice(0, 200)).alias("value"),
                (pl.lit(reason) if isinstance(reason, str) else reason).alias("reason"),
                pl.lit(self.name if refused else None, dtype=pl.String).alias("table_name"),
                (row_key(self.name, "raw_") if refused else pl.lit(None, dtype=pl.String)).alias("row_key"),
            )
        )


def _local(text: str, timezone: str) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(text)
        return stamp.astimezone(ZoneInfo(timezone) if timezone else None).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def local_times(column: pl.Series, timezone: str) -> pl.Series:
    """Dates and times as practice time without an offset; null for what is neither. '' means the machine's zone."""
    frame = column.to_frame("t").with_columns(c=pl.col("t").str.replace(" ", "T", literal=True))
    plain = pl.when(pl.col("t").str.contains(TIME)).then(pl.col("c"))
    formats = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
    parsed = pl.coalesce(
        *(plain.str.to_datetime(f, strict=False, time_unit="us") for f in formats),
        plain.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")),
    )
    found = frame.with_columns(v=parsed)
    offset = found.with_row_index("i").filter(pl.col("t").str.contains(OFFSET))
    result = found["v"]
    if offset.height:
        local = pl.Series([_local(t, timezone) for t in offset["c"]], dtype=pl.Datetime("us"))
        result = result.scatter(offset["i"], local)
    return result


def _convert(table: Checked, column: str, dtype: pl.DataType, day: Day) -> None:
    raw = pl.col(f"raw_{column}")
    given = raw.is_not_null()
    typed: pl.Expr
    if dtype == pl.Date():
        typed = pl.when(raw.str.contains(DAY)).then(raw.str.to_date("%Y-%m-%d", strict=False))
        typed = pl.when(typed.dt.year() >= EARLIEST_YEAR).then(typed)
        reason = "not a date of the calendar written as 2026-11-20"
    elif isinstance(dtype, pl.Datetime):
        table.rows = table.rows.with_columns(local_times(table.rows[f"raw_{column}"], day.timezone).alias(column))
        typed = pl.when(pl.col(column).dt.year() >= EARLIEST_YEAR).then(pl.col(column))
        reason = "not a date and time written as 2026-11-20T14:30"
    elif dtype == pl.Float64():
        typed = pl.when(raw.str.contains(REAL)).then(raw.cast(pl.Float64, strict=False))
        typed = pl.when(typed.is_finite()).then(typed)
        reason = "not a plain decimal number"
    elif dtype == pl.Int64():
        typed = pl.when(raw.str.contains(WHOLE)).then(raw.cast(pl.Int64, strict=False))
        reason = "not a whole number"
    elif dtype == pl.Boolean():
        typed = raw.replace_strict(YES_NO, default=None, return_dtype=pl.Boolean)
        reason = "not one of true, false, yes, no, 1, 0"
    elif column in WORDS:
        typed = pl.when(raw.is_in(list(WORDS[column]))).then(raw)
        reason = f"not one of {', '.join(WORDS[column])}"
    else:
        typed, reason = raw, ""
    table.rows = table.rows.with_columns(typed.alias(column))
    table.drop(given & pl.col(column).is_null(), column, reason)


def _table_rules(table: Checked, day: Day) -> None:
    for first, last in ORDERED.get(table.name, ()):
        table.drop(pl.col(last) < pl.col(first), last, f"earlier than {first}")
    if table.name == "appointments":
        ahead = (pl.col("status") == "attended") & (pl.col("starts_at").dt.date() > day.today)
        table.drop(ahead, "starts_at", "attended on a day that has not come yet")
    if table.name == "scores":
        table.rows = table.rows.with_columns(pl.col("respondent").fill_null("client"))
        table.drop(pl.col("taken_on") > day.today, "taken_on", "a day that has not come yet")
    if table.name == "clients":
        table.drop(
            ~pl.col("birth_year").is_between(EARLIEST_YEAR, day.today.year),
            "birth_year",
            "not a possible year of birth",
        )
        table.drop(pl.col("merged_into") == pl.col("client_id"), "merged_into", "merged into itself")
    if table.name == "episodes":
        table.drop(pl.col("planned_sessions") < 0, "planned_sessions", "below zero")
        table.drop(
            pl.col("ending").is_not_null() & pl.col("closed_on").is_null(), "ending", "an ending without closed_on"
        )
        table.drop(
            pl.col("reopened") & pl.col("closed_on").is_not_null(),
            "reopened",
            "reopened, yet closed_on says when it closed",
        )
    for column in ("recorded_on", "booked_on", "ending_recorded_on"):
        if column in table.rows.columns:
            table.drop(pl.col(column) > day.today, column, "a day that has not come yet")
    if table.name == "supervision":
        table.drop(
            pl.col("supervisor_id") == pl.col("supervisee_id"), "supervisee_id", "the same person as the supervisor"
        )


OF_A_WITHDRAWAL = ("withdrawn", "recorded_on")  # what a withdrawn row says beside its key


def _said_withdrawn(name: str) -> pl.Expr:
    if "withdrawn" not in TABLES[name]:
        return pl.lit(False)
    return pl.col("raw_withdrawn").is_in([word for word, meant in YES_NO.items() if meant]).fill_null(False)


def needed_columns(name: str, columns: list[str]) -> tuple[str, ...]:
    """What a file of a table has to have: of one that withdraws rows only their key."""
    if "withdrawn" in TABLES[name] and "withdrawn" in columns:
        return tuple(c for c in REQUIRED[name] if c in KEYS[name])
    return REQUIRED[name]


def _clean(column: str) -> pl.Expr:
    """A cell without what nobody sees: see ``dashboard.harmless``."""
    text = pl.col(column).str.replace_all(HIDDEN, "").str.replace_all(STORM, "$1")
    return text.str.strip_chars().replace("", None)


def _cut_long(table: Checked) -> None:
    """Sets aside the rows with a cell that is longer than any cell may be; their key is known by its beginning."""
    columns = [f"raw_{c}" for c in TABLES[table.name]]
    long = {c: pl.col(c).str.len_chars() > LONGEST_CELL for c in columns}
    flagged = table.rows.with_columns(
        pl.coalesce(pl.when(is_long).then(pl.lit(c)) for c, is_long in long.items()).alias("long")
    )
    if flagged["long"].null_count() == flagged.height:
        return
    table.rows = flagged.with_columns(pl.col(c).str.head(LONGEST_CELL) for c in columns)
    for c in flagged["long"].drop_nulls().unique(maintain_order=True):
        table.drop(pl.col("long") == c, c.removeprefix("raw_"), f"longer than {LONGEST_CELL} characters")
    table.rows = table.rows.drop("long")


def checked(name: str, raw: pl.DataFrame, day: Day) -> Checked:
    """Types and rules of one table; ``raw`` has text columns (absent ones are added empty), file and line."""
    schema = TABLES[name]
    cells = [_clean(c) if c in raw.columns else pl.lit(None, dtype=pl.String) for c in schema]
    named = [cell.alias(f"raw_{c}") for cell, c in zip(cells, schema, strict=True)]
    table = Checked(name, raw.select(*named, "file", "line"))
    _cut_long(table)
    table.rows = table.rows.with_columns(gone=_said_withdrawn(name))
    said = [c for c in schema if c not in (*KEYS[name], *OF_A_WITHDRAWAL)]
    # whatever else stands in a withdrawn row is no longer true, and need not be well formed
    table.rows = table.rows.with_columns(pl.when(~pl.col("gone")).then(f"raw_{c}").alias(f"raw_{c}") for c in said)
    for column in REQUIRED[name]:
        needed = pl.lit(True) if column in KEYS[name] else ~pl.col("gone")
        table.drop(needed & pl.col(f"raw_{column}").is_null(), column, "empty, and it is required")
    for column, dtype in schema.items():
        _convert(table, column, dtype, day)
    table.rows = table.rows.drop("gone")
    table.rows = table.rows.with_columns(pl.col(c).fill_null(False) for c in SAID_OR_NOT if c in schema)
    _table_rules(table, day)
    return table
