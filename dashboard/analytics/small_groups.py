"""Which groups may be told of, so that nobody can work out a small count that is not printed.

``snapshot.audience.release`` withholds a total that would give a part away. Here the totals stand on other pages, and several
measures speak of the same groups, so that a row left out of one could be worked out from another. These rules hold against a
reader who knows every total, the size of every group not withheld altogether, and every printed count to the last one.

1. A group of 7 or fewer episodes appears in no measure. With it others are left out, the smallest first, until those beside it
   that are left out hold at least 7 episodes.
2. A measure tells of a group only with more than 7 episodes on each side (left, and did not leave). Again others are left out,
   until those beside each such group hold at least 7 on each side. Where that cannot be had, the measure is left out.

Why that is enough: take a group left out with k of 7 or fewer on one side. Up to 7 episodes can be thought to be on that side
instead, and an equal number of others of the groups left out on the other one, without changing any total, any size that may be
known or any printed count; and as well down to none. The smallest groups, whose size is not known, may also be thought to be
larger or smaller at each other's cost. So the count can be anything from 0 to 7 (Hundepool 2012, secondary suppression).
"""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.snapshot.audience import WITHHELD_TO

Cells = Mapping[str, tuple[int, ...]]


def sized_groups(sizes: Mapping[str, int]) -> frozenset[str]:
    """Groups of one attribute that may be told of at all, by their number of episodes (rule 1)."""
    return _kept({name: (n,) for name, n in sizes.items()}, frozenset(sizes))


def told_groups(cells: Cells, sized: frozenset[str]) -> frozenset[str]:
    """Of ``sized`` (of ``sized_groups``) those that a measure may tell of; ``cells``: both sides of every group (rule 2)."""
    return _kept(cells, sized)


def _kept(cells: Cells, candidates: frozenset[str]) -> frozenset[str]:
    shown = {name for name in candidates if min(cells[name]) > WITHHELD_TO}
    while shown and len(shown) < len(cells) and not _covered([cells[name] for name in cells if name not in shown]):
        shown.remove(min(shown, key=lambda name: (sum(cells[name]), name)))
    return frozenset(shown)


def _covered(left_out: list[tuple[int, ...]]) -> bool:
    """Whether beside each group left out for its small numbers the others left out hold enough on every side."""
    totals = [sum(column) for column in zip(*left_out, strict=True)]
    return all(
        total - own >= WITHHELD_TO
        for one in left_out
        if min(one) <= WITHHELD_TO
        for total, own in zip(totals, one, strict=True)
    )
