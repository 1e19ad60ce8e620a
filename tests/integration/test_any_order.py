"""Whatever way the same rows come, split, shuffled or repeated, the same stands; and every row read is accounted for."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.imported import Rows, batch_of, day, differences, give, in_memory, known, small_imports, split, stored

PH = [Phase.explicit, Phase.reuse, Phase.generate]
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
ON = day(30)


def _distinct(rows: Rows) -> Rows:
    """One row per key: of several, the order in the file decides, and they are one thing said."""
    return {name: frame.drop("file", "line").to_dicts() for name, frame in batch_of(rows).tables.items()}


def _unmoved(rows: Rows) -> Rows:
    """Without scores withdrawn: of those an order means something (a score is withdrawn after it is given)."""
    return {name: [row for row in given_ if not row.get("withdrawn")] for name, given_ in rows.items()}


@settings(max_examples=25, phases=PH, suppress_health_check=SLOW)
@given(rows=small_imports, seed=st.integers(0, 999), parts=st.integers(1, 4), again=st.booleans())
def test_the_split_the_order_and_the_repetition_of_rows_do_not_matter(
    rows: Rows, seed: int, parts: int, again: bool
) -> None:
    rows = _unmoved(_distinct(rows))
    # a merge tells of episodes given before it that they were another's until then
    rows["clients"] = [row | {"merged_into": None} for row in rows.get("clients", [])]
    draw = random.Random(seed)
    shuffled = {name: draw.sample(given_, len(given_)) for name, given_ in rows.items()}
    places = [draw.randrange(parts) for given_ in shuffled.values() for _ in given_]
    calls = split(shuffled, places)
    draw.shuffle(calls)
    with in_memory() as whole, in_memory() as other:
        give(whole, rows, ON)
        for call in [*calls, *(draw.sample(calls, len(calls)) if again else [])]:
            give(other, call, ON)
        assert differences(stored(other), stored(whole)) == ""
        for as_of in (day(5), day(20), ON):
            assert differences(known(other, as_of), known(whole, as_of)) == ""


@settings(max_examples=25, phases=PH, suppress_health_check=SLOW)
@given(imports=st.lists(small_imports, min_size=1, max_size=4))
def test_every_row_is_new_changed_the_same_waiting_or_set_aside(imports: list[Rows]) -> None:
    with in_memory() as connection:
        for number, rows in enumerate(imports):
            batch = batch_of(rows)
            counts = give(connection, rows, ON + timedelta(days=number)).counts
            for name, frame in batch.tables.items():
                count = counts[name]
                assert count["rows_in"] == frame.height
            for count in counts.values():
                accepted = count["new"] + count["changed"] + count["unchanged"]
                assert accepted + count["waiting"] + count["set_aside"] == count["rows_in"] + count["had_waited"]
