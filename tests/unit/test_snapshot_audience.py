"""What may leave: every table that a reader could still think of is counted, and no withheld count is given away by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.snapshot.audience import OTHERWISE, Released, State, alone, release

MOST = 100  # larger tables than this are not thought of


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "7 or fewer"),
        (1, "7 or fewer"),
        (7, "7 or fewer"),
        (8, "10"),
        (12, "10"),
        (13, "15"),
        (17, "15"),
        (232, "230"),
    ],
)
def test_seven_or_fewer_are_withheld_and_others_rounded_to_five(count: int, words: str) -> None:
    assert alone(count).words == words


def words(released: Released, group: str) -> dict[str, str]:
    return {name: one.words for name, one in released.groups[group].items()}


@pytest.mark.parametrize(
    ("parts", "total", "said"),
    [
        ({"a": 20, "b": 30}, "50", {"a": "20", "b": "30"}),
        # one small part: the total would give it away
        ({"a": 3, "b": 40}, "not shown", {"a": "7 or fewer", "b": "40"}),
        # two small parts whose sum is known to be eight: neither could be nought
        ({"a": 3, "b": 5}, "not shown", {"a": "7 or fewer", "b": "7 or fewer"}),
        ({"a": 0, "b": 0}, "not shown", {"a": "7 or fewer", "b": "7 or fewer"}),
    ],
)
def test_a_total_is_withheld_where_it_would_give_a_part_away(
    parts: dict[str, int], total: str, said: dict[str, str]
) -> None:
    released = release({"status": parts})
    assert released.total.words == total
    assert words(released, "status") == said


def test_the_rest_of_a_total_is_guarded_though_it_is_never_printed() -> None:
    released = release({"measured": {"yes": 40, OTHERWISE: 5}})
    assert OTHERWISE not in released.groups["measured"]
    assert released.total.state is State.HIDDEN
    assert release({"measured": {"yes": 40, OTHERWISE: 50}}).total.words == "90"


def test_another_grouping_does_not_give_away_what_the_total_would() -> None:
    released = release({"status": {"a": 0, "b": 44}, "kind": {"c": 22, "d": 22}})
    shown = [one for parts in released.groups.values() for one in parts.values() if one.state is State.SHOWN]
    assert released.total.state is State.HIDDEN
    assert len(shown) < 3


def test_groupings_of_different_totals_are_refused() -> None:
    with pytest.raises(ValueError, match="same total"):
        release({"a": {"x": 1}, "b": {"y": 2}})


def possible(one: State, value: int | None, name: str, is_dropped: bool) -> list[int]:
    """Every count that a reader who knows the rules could think of behind what is printed."""
    if name == OTHERWISE or is_dropped:
        return list(range(MOST))
    if one is State.WITHHELD:
        return list(range(8))
    if one is State.HIDDEN:
        return list(range(8, MOST))
    return [n for n in range(8, MOST) if alone(n).value == value]


def sums(options: list[list[int]]) -> set[int]:
    found = {0}
    for one in options:
        found = {a + b for a in found for b in one if a + b < 4 * MOST}
    return found


@given(
    st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=3), min_size=1, max_size=3),
    st.booleans(),
)
def test_no_withheld_count_can_be_recovered_from_what_is_printed(drawn: list[list[int]], quiet: bool) -> None:
    total = max(sum(parts) for parts in drawn)
    groups: dict[str, dict[str, int]] = {}
    for place, parts in enumerate(drawn):
        rest = OTHERWISE if quiet and place else "rest"
        groups[str(place)] = {f"p{n}": count for n, count in enumerate(parts)} | {rest: total - sum(parts)}
    released = release(groups)
    options: dict[str, dict[str, list[int]]] = {}
    for group, counts in groups.items():
        printed = released.groups[group]
        dropped = all(one.state is State.HIDDEN for one in printed.values())
        options[group] = {
            name: possible(
                printed[name].state if name in printed else State.HIDDEN,
                printed[name].value if name in printed else None,
                name,
                dropped,
            )
            for name in counts
        }
    totals = set(range(4 * MOST))
    if released.total.state is State.SHOWN:
        totals = set(possible(State.SHOWN, released.total.value, "", False))
    for counts in options.values():
        totals &= sums(list(counts.values()))
    assert total in totals
    for group, counts in options.items():
        for name in counts:
            small = name == OTHERWISE and groups[group][name] <= 7
            withheld = name in released.groups[group] and released.groups[group][name].state is State.WITHHELD
            if not (small or withheld):
                continue
            others = sums([choices for other, choices in counts.items() if other != name])
            left = {one for one in range(8) if any(one + rest in totals for rest in others)}
            assert left == set(range(8)), (groups, released)
