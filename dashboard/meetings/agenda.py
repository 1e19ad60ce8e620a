"""What a meeting could talk about, sized to its minutes: a proposal that names what it leaves out, and why.

Earlier actions first, then safety (never ranked away, never dropped by length), data gaps, cases, one that went well, one nobody
has discussed for longest. Cases of one stratum are equal; which of them fits is drawn, so that what discussing does can later be
estimated from the draw (science 8, estimator 2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from dashboard.meetings.plans import Plan

# One row per open episode. signals: keys of its standing signals without safety ones, joined by ";". raised_on: day the newest of
# them was first known. unanswered: how many of them the clinician has not answered. brought, marked_well: the clinician's wish.
# gained: latest score beyond the favourable edge of the expected range. last_discussed_on null: never.
CASES = {
    "episode_id": pl.Int64(),
    "clinician_id": pl.Int64(),
    "priority": pl.String(),
    "signals": pl.String(),
    "raised_on": pl.Date(),
    "unanswered": pl.Int64(),
    "brought": pl.Boolean(),
    "marked_well": pl.Boolean(),
    "gained": pl.Boolean(),
    "sessions_attended": pl.Int64(),
    "opened_on": pl.Date(),
    "last_discussed_on": pl.Date(),
    "lacks_data": pl.Boolean(),
}

ACTIONS, SAFETY, GAPS, CASE, WELL, LONGEST = "actions", "safety", "gaps", "case", "well", "longest"
THEME, ASKING, COVERAGE, OWN = "theme", "asking", "coverage", "own"
PATTERN, GROWTH, PRACTICE = "pattern", "growth", "practice"
WORTH = ("talk_first", "worth_discussing")
STRATA = (
    "brought by the clinician",
    "talk about first",
    "talk about first, discussed since",
    "worth discussing",
    "worth discussing, discussed since",
    "answered by the clinician",
)
FOR_TIME = "the minutes are used"
ONE_EACH = "one case by rule and one brought per clinician in a group"
ANSWERED = STRATA[-1]

Draw = Callable[[int], float]


@dataclass(frozen=True)
class Proposed:
    """One item. ``left_out`` empty: on the agenda, in the order given. ``stratum`` and ``draw`` null where nothing was drawn.

    ``drawn_in``: whether the draw gave the case a place among the cases; it may stand on the agenda for another reason.
    """

    kind: str
    minutes: int
    episode_id: int | None = None
    clinician_id: int | None = None
    stratum: str | None = None
    draw: float | None = None
    priority: str | None = None
    signals: str | None = None
    left_out: str | None = None
    drawn_in: bool | None = None


def stratum(row: dict[str, object]) -> str | None:
    """Cases of one stratum are equal; null where nothing speaks for discussing the episode."""
    if row["brought"]:
        return STRATA[0]
    if row["priority"] not in WORTH:
        return None
    if not row["unanswered"]:
        return ANSWERED
    first = 1 if row["priority"] == "talk_first" else 3
    discussed, raised = row["last_discussed_on"], row["raised_on"]
    since = isinstance(discussed, date) and isinstance(raised, date) and discussed >= raised
    return STRATA[first + since]


def _candidates(cases: pl.DataFrame, draw: Draw) -> list[Proposed]:
    found = []
    for row in cases.sort("episode_id").to_dicts():
        name = stratum(row)
        if name is not None:
            found.append(
                Proposed(
                    CASE,
                    0,
                    row["episode_id"],
                    row["clinician_id"],
                    name,
                    draw(row["episode_id"]),
                    row["priority"],
                    row["signals"],
                )
            )
    return sorted(found, key=lambda one: (STRATA.index(str(one.stratum)), one.draw))


def _per_clinician(candidates: list[Proposed], limit: int) -> tuple[list[Proposed], list[Proposed]]:
    """In a group: first one case by rule of each clinician, then one brought by each; the rest waits."""
    rounds: list[list[Proposed]] = [[] for _ in range(limit)]
    waiting = []
    taken: set[tuple[int | None, bool]] = set()
    for one in candidates:
        key = (one.clinician_id, one.stratum == STRATA[0])
        if key in taken:
            waiting.append(replace(one, left_out=ONE_EACH, drawn_in=False))
            continue
        taken.add(key)
        rounds[1 if key[1] else 0].append(one)
    return [one for part in rounds for one in part], waiting


def _well(cases: pl.DataFrame) -> pl.DataFrame:
    """At most one row: marked by the clinician, else better than the expected range; the least discussed first."""
    return (
        cases.filter(pl.col("marked_well") | pl.col("gained").fill_null(False))
        .sort([~pl.col("marked_well"), pl.col("last_discussed_on"), pl.col("episode_id")], nulls_last=False)
        .head(1)
    )


def _optional(cases: pl.DataFrame, plan: Plan, brought: set[int | None], pattern_due: bool) -> list[Proposed]:
    """Data gaps, the one that went well, then the pattern and the growth goal where they are due, else the longest undiscussed.

    The last of them makes room first.
    """
    found = []
    if plan.gaps and cases["lacks_data"].any():
        found.append(Proposed(GAPS, plan.gaps))
    well = _well(cases.filter(~pl.col("episode_id").is_in(list(brought))))
    if plan.well and well.height:
        found.append(_of(WELL, plan.well, well.row(0, named=True)))
    if pattern_due and plan.pattern:
        return [*found, Proposed(PATTERN, plan.pattern), Proposed(GROWTH, plan.growth)]
    if plan.longest and (cases["sessions_attended"] > 0).any():
        found.append(Proposed(LONGEST, plan.longest))
    return found


def _longest_of(cases: pl.DataFrame, part: Proposed, taken: set[int | None]) -> Proposed | None:
    """Of those not on the agenda: never discussed before discussed long ago, then the oldest episode."""
    found = cases.filter((pl.col("sessions_attended") > 0) & ~pl.col("episode_id").is_in(list(taken))).sort(
        ["last_discussed_on", "opened_on", "episode_id"], nulls_last=False
    )
    return None if found.is_empty() else _of(part.kind, part.minutes, found.row(0, named=True))


def _of(kind: str, minutes: int, row: dict[str, object]) -> Proposed:
    return Proposed(
        kind,
        minutes,
        int(str(row["episode_id"])),
        int(str(row["clinician_id"])),
        priority=str(row["priority"]),
        signals=str(row["signals"] or ""),
    )


def _still_drawn(one: Proposed, drawn: Proposed | None) -> Proposed:
    """Somebody the draw left out who stands there as the longest undiscussed stays among those that it left out."""
    return one if drawn is None else replace(one, stratum=drawn.stratum, draw=drawn.draw, drawn_in=False)


def _fill(candidates: list[Proposed], budget: int, plan: Plan) -> tuple[list[Proposed], list[Proposed]]:
    """Cases in order until the minutes are used; the last one may be shorter, never under ``least_case``."""
    chosen, out = [], []
    for one in candidates:
        minutes = min(plan.case, budget)
        if plan.case and minutes >= plan.least_case:
            chosen.append(replace(one, minutes=minutes, drawn_in=True))
            budget -= minutes
        else:
            out.append(replace(one, left_out=FOR_TIME, drawn_in=False))
    return chosen, out


def propose(
    cases: pl.DataFrame,
    plan: Plan,
    minutes: int,
    draw: Draw,
    *,
    actions_due: int,
    safety: int,
    pattern_due: bool = False,
) -> list[Proposed]:
    """The agenda in order, then what it leaves out. ``cases``: CASES of the supervisees' open episodes.

    ``actions_due`` and ``safety``: how many wait; without any the part is absent. ``pattern_due``: the pattern across the
    caseload was not talked about for a month. Where the minutes do not reach, what comes last goes first: the longest undiscussed
    case or the growth goal and the pattern, then the one that went well, then the data gaps; safety and earlier actions stay.
    """
    head = [Proposed(ACTIONS, plan.actions)] if plan.actions and actions_due else []
    if safety:
        head.append(Proposed(SAFETY, plan.safety))
    if plan.coverage:
        head.append(Proposed(COVERAGE, plan.coverage))
    if plan.practice:
        head.append(Proposed(PRACTICE, plan.practice))
    tail = [Proposed(kind, length) for kind, length in ((THEME, plan.theme), (ASKING, plan.asking)) if length]
    candidates = _candidates(cases, draw) if plan.case else []
    waiting: list[Proposed] = []
    if plan.per_clinician is not None:
        candidates, waiting = _per_clinician(candidates, plan.per_clinician)
    brought = {one.episode_id for one in candidates if one.stratum == STRATA[0]}
    optional = _optional(cases, plan, brought, pattern_due)
    budget = minutes - plan.apart - sum(one.minutes for one in [*head, *tail])
    needed = plan.least_case if candidates else 0
    late = []
    while optional and sum(one.minutes for one in optional) + needed > budget:
        late.append(replace(optional.pop(), left_out=FOR_TIME))
    praised = {one.episode_id for one in optional if one.kind == WELL}
    chosen, out = _fill(
        [one for one in candidates if one.episode_id not in praised],
        budget - sum(one.minutes for one in optional),
        plan,
    )
    last = [
        _longest_of(cases, one, {*praised, *(c.episode_id for c in chosen)}) for one in optional if one.kind == LONGEST
    ]
    drawn_out = {one.episode_id: one for one in [*out, *waiting]}
    undiscussed = [_still_drawn(one, drawn_out.get(one.episode_id)) for one in last if one is not None]
    named = {one.episode_id for one in undiscussed}
    first = [one for one in optional if one.kind == GAPS]
    well = [one for one in optional if one.kind in (WELL, PATTERN, GROWTH)]
    left = [one for one in [*out, *waiting] if one.episode_id not in named]
    return [*head, *first, *chosen, *tail, *well, *undiscussed, *left, *late]
