"""Undoing is exact: whatever was imported, before, after or by the import itself, it is as if that one had never been."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from queries.undo import UndoResult, undo_import
from tests.imported import Rows, day, differences, give, in_memory, known, small_imports, stored

PH = [Phase.explicit, Phase.reuse, Phase.generate]
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
BASE: Rows = {
    "clients": [{"client_id": "k1", "client_code": "A-1"}, {"client_id": "k2"}],
    "clinicians": [{"clinician_id": "c1"}],
    "episodes": [{"episode_id": "e1", "client_id": "k1", "clinician_id": "c1", "opened_on": day(0)}],
    "scores": [
        {
            "episode_id": "e1",
            "taken_on": day(3),
            "instrument": "phq9",
            "scale": "total",
            "respondent": "client",
            "value": 6.0,
        }
    ],
}
DAYS = [day(number) for number in (2, 4, 6, 9, 13, 18, 24, 30, 45)]


def undo(connection: Connection, import_id: int, on: date) -> UndoResult:
    return undo_import(connection, 1, import_id, today=on, now=datetime.combine(on, time(12)), username=None)


@settings(max_examples=400, phases=PH, suppress_health_check=SLOW)
@given(
    imports=st.lists(small_imports, min_size=1, max_size=4),
    gaps=st.lists(st.integers(0, 4), min_size=6, max_size=6),
    which=st.integers(0, 4),
    later=st.integers(0, 3),
    after=small_imports,
)
def test_an_undone_import_has_never_been_but_on_the_days_between(
    imports: list[Rows], gaps: list[int], which: int, later: int, after: Rows
) -> None:
    """Also a further import afterwards gives what it would have given without the undone one."""
    sequence = [BASE, *imports]
    which %= len(sequence)
    days = [day(25 + sum(gaps[: number + 1])) for number in range(len(sequence))]
    on = days[-1] + timedelta(days=later)
    with in_memory() as real, in_memory() as never:
        made = [give(real, rows, when).import_id for rows, when in zip(sequence, days, strict=True)]
        for number, (rows, when) in enumerate(zip(sequence, days, strict=True)):
            # an import that changed nothing is not on record, and so said nothing
            if number != which and made[number] is not None:
                give(never, rows, when)
        undone = made[which]
        if undone is None:
            return
        said = {one: known(real, one) for one in [*DAYS, *days] if days[which] <= one < on}
        undo(real, undone, on)
        event("something was taken back")
        assert differences(stored(real), stored(never)) == ""
        for one in sorted({*DAYS, *days, on}):
            expected = said.get(one) or known(never, one)
            assert differences(known(real, one), expected) == "", f"as of {one}"
        give(real, after, on)
        give(never, after, on)
        assert differences(stored(real), stored(never)) == "", "after another import"
