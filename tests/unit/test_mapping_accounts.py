"""Nothing of a source is lost on the way through a mapping, and neither the order of rows nor repeating them matters."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.instruments import BUILT_IN
from dashboard.intake import Batch, mapped_batch
from dashboard.intake.mapping import parse_mapping
from dashboard.intake.sources import SourceTable

MAPPING = parse_mapping("""
name = "t"
about = "a test"
[[table]]
table = "clients"
file = "answers"
once_by = "who"
[table.columns]
client_id = "who"
[[table]]
table = "scores"
file = "answers"
unpivot = { one = "item_1", two = "item_2" }
[[table.where]]
column = "form"
in = ["weekly"]
[[table.check]]
column = "check"
equals = "ok"
reason = "the check was answered otherwise"
[table.columns]
episode_id = "who"
taken_on = { column = "week", days_from = 2026-01-05, step_days = 7, first = 1 }
instrument = { constant = "phq9" }
scale = "unpivot.name"
value = { column = "unpivot.value", decimal = "," }
""")
COLUMNS = ("who", "form", "week", "check", "one", "two")
ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "", " a "]),
        st.sampled_from(["weekly", "intake", ""]),
        st.sampled_from(["1", "2", "x", "1.5", "", "99999999999999999999"]),
        st.sampled_from(["ok", "no", ""]),
        st.sampled_from(["0", "2", "2,0", "2.0", "7", "many", ""]),
        st.sampled_from(["1", "3", "-1", ""]),
    ),
    max_size=12,
)


def batch_of(rows: list[tuple[str, ...]]) -> Batch:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String()), orient="row").with_columns(
        file=pl.lit("answers.csv"), line=pl.int_range(pl.len(), dtype=pl.Int64) + 2
    )
    return mapped_batch(
        {"answers": SourceTable.of(list(COLUMNS), frame)}, MAPPING, [], today=date(2026, 11, 20), timezone="UTC",
        known_instruments=BUILT_IN, files=["answers.csv"],
    )  # fmt: skip


@settings(max_examples=60)
@given(ANSWERS)
def test_every_row_and_cell_is_in_one_account(rows: list[tuple[str, ...]]) -> None:
    batch = batch_of(rows)
    checked = {one["table"]: one for one in batch.accounts if "given" in one}
    for one in (one for one in batch.accounts if "read" in one):
        left = one["read"] - one["not_meant"] - one["repeated"]
        made = checked[one["table"]]["given"]
        assert one["read"] == len(rows)
        assert made == one["rows"]
        if one["table"] == "clients":
            assert left == made
        else:
            told_at_checks = batch.set_aside.filter(pl.col("column") == "check").height
            told_in_cells = one["set_aside"] - told_at_checks
            assert 2 * (left - told_at_checks) == made + one["empty"] + told_in_cells
    for one in checked.values():
        assert one["given"] == one["accepted"] + one["set_aside"] + one["repeated"]
        assert one["accepted"] == batch.tables[one["table"]].height


@settings(max_examples=30)
@given(ANSWERS, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(rows: list[tuple[str, ...]], draw: object) -> None:
    first: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in rows:
        first.setdefault((row[0].strip(), row[2]), row)  # one answer of a person and week: of several the last counts
    unique = list(first.values())
    shuffled = [*unique, *unique]
    draw.shuffle(shuffled)  # type: ignore[attr-defined]
    for table in ("clients", "scores"):
        ours, theirs = (
            batch.tables[table].drop("file", "line").sort(pl.all()) for batch in (batch_of(unique), batch_of(shuffled))
        )
        assert ours.equals(theirs), table
