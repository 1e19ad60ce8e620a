"""What may leave: small counts withheld, others rounded, and nothing that gives a withheld one away.

The policy is the one of ehrQL, stated in the design: counts of 7 or fewer are withheld, others are rounded to 5. A total or
a neighbour that would narrow a withheld count down is not shown either. All pure; the tests count every table that a reader
could still think of and check that each withheld count can be anything from 0 to 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

WITHHELD_TO = 7
ROUNDED_TO = 5
_ENDLESS = 10**9

FEW = f"{WITHHELD_TO} or fewer"
HIDDEN = "not shown"
OTHERWISE = (
    "otherwise"  # a part that is never printed: the rest of a total; where it is small it is guarded all the same
)


class State(Enum):
    """How a count leaves: rounded, as "7 or fewer", or not at all because it would give another one away."""

    SHOWN = "shown"
    WITHHELD = "withheld"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Count:
    """A count as it leaves. ``value``: rounded; null unless it is shown."""

    state: State
    value: int | None = None

    @property
    def words(self) -> str:
        """For a table cell."""
        if self.state is State.SHOWN:
            return str(self.value)
        return FEW if self.state is State.WITHHELD else HIDDEN


def rounded(count: int) -> int:
    """To the nearest 5."""
    return ROUNDED_TO * ((count + ROUNDED_TO // 2) // ROUNDED_TO)


def alone(count: int) -> Count:
    """A count that belongs to no total."""
    return Count(State.WITHHELD) if count <= WITHHELD_TO else Count(State.SHOWN, rounded(count))


@dataclass(frozen=True)
class Released:
    """Counts that leave together: ``total`` and for each grouping its parts by name."""

    total: Count
    groups: Mapping[str, Mapping[str, Count]]


def release(groups: Mapping[str, Mapping[str, int]]) -> Released:
    """Counts of the same episodes grouped in one or several ways; the parts of each grouping sum to the same total.

    A total of 7 or fewer is not shown at all: the words "7 or fewer" would tell it from one withheld for its parts' sake.
    Raises ValueError where the groupings have different totals, or there is none.
    """
    totals = {sum(parts.values()) for parts in groups.values()}
    if len(totals) != 1:
        raise ValueError("every grouping must sum to the same total")
    total = totals.pop()
    states = {
        group: {
            name: State.HIDDEN if name == OTHERWISE else State.WITHHELD if n <= WITHHELD_TO else State.SHOWN
            for name, n in parts.items()
        }
        for group, parts in groups.items()
    }
    total_state = State.HIDDEN if total <= WITHHELD_TO else State.SHOWN
    dropped: set[str] = set()
    while (group := _given_away(groups, states, dropped, total, total_state)) is not None:
        shown = [name for name, state in states[group].items() if state is State.SHOWN]
        if total_state is State.SHOWN:
            total_state = State.HIDDEN
        elif shown:  # the smallest goes: it says least
            states[group][min(shown, key=lambda name: (groups[group][name], name))] = State.HIDDEN
        else:
            dropped.add(group)
            states[group] = dict.fromkeys(states[group], State.HIDDEN)
    return Released(
        _count(total, total_state),
        {
            group: {name: _count(n, states[group][name]) for name, n in parts.items() if name != OTHERWISE}
            for group, parts in groups.items()
        },
    )


def _count(count: int, state: State) -> Count:
    return Count(state, rounded(count) if state is State.SHOWN else None)


def _range(name: str, count: int, state: State) -> tuple[int, int]:
    """What a reader who knows these rules knows of one part by itself."""
    if name == OTHERWISE:
        return 0, _ENDLESS
    if state is State.WITHHELD:
        return 0, WITHHELD_TO
    if state is State.HIDDEN:
        return WITHHELD_TO + 1, _ENDLESS
    half = ROUNDED_TO // 2
    return max(WITHHELD_TO + 1, rounded(count) - half), rounded(count) + half


def _given_away(
    groups: Mapping[str, Mapping[str, int]],
    states: Mapping[str, Mapping[str, State]],
    dropped: set[str],
    total: int,
    total_state: State,
) -> str | None:
    """A grouping with a withheld count that cannot be everything from 0 to 7; null where there is none.

    The groupings share nothing but their total, so ranges added and compared are all that a reader can find out.
    """
    ranges = {
        group: {name: _range(name, n, states[group][name]) for name, n in parts.items()}
        for group, parts in groups.items()
        if group not in dropped
    }
    sums = {
        group: (sum(r[0] for r in parts.values()), sum(r[1] for r in parts.values())) for group, parts in ranges.items()
    }
    own = (0, _ENDLESS) if total_state is State.HIDDEN else _range("", total, total_state)
    low = max([own[0], *(one[0] for one in sums.values())])
    high = min([own[1], *(one[1] for one in sums.values())])
    for group, parts in ranges.items():
        for name, (least, most) in parts.items():
            small = name == OTHERWISE and groups[group][name] <= WITHHELD_TO
            if small or states[group][name] is State.WITHHELD:
                others_low, others_high = sums[group][0] - least, sums[group][1] - most
                if low - others_high > 0 or high - others_low < WITHHELD_TO:
                    return group
    return None
