"""Parts of the retention page as blocks: definitions, what was visible before, open episodes with a raised chance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from dashboard.analytics.ending_rules import AS_AGREED, FEW, FEW_PAIRS, LEFT, OTHERWISE, agreement, rates
from dashboard.analytics.hazard import HazardModel
from dashboard.analytics.hazard_terms import HIGH, PRIOR, RAISED, REASONS
from dashboard.analytics.intervals import wilson
from dashboard.analytics.refits import SETTLED, mostly_priors
from dashboard.analytics.retention import Course
from dashboard.signals import BY_KEY
from dashboard.signals.wording import frequency
from dashboard.ui.ending_words import Definition
from dashboard.ui.status import ATTENDANCE
from dashboard.ui.view import Block, Cell, Facts, Fold, Heading, Para, Table
from dashboard.ui.words import MISSING, day, plural, share

BANDS = (("High", "more than 3 times what is usual at that session"), ("Raised", "1.5 to 3 times what is usual then"))
TICKS = (1, 2, 4, 6, 8, 12, 16, 20, 26, 40, 52, 104)
LISTED = 12  # rows shown before the rest is folded away
LAST_APPOINTMENTS, LAST_SIGNALS = 3, 2
Names = Mapping[int, str]


def at_risk_table(course: Course, phrase: str) -> Table:
    """Beneath the curve (KMunicate, Morris 2019): at risk at a session; ended and still open by then, added up."""
    drawn = course.drawn.with_columns(
        pl.col(name).cum_sum().alias(name) for name in (LEFT, AS_AGREED, OTHERWISE, "not_known_yet")
    )
    last = drawn["session"].max()
    shown = drawn.filter(pl.col("session").is_in([*TICKS, last]))
    words = {
        "at_risk": "At risk",
        LEFT: "Ended early",
        AS_AGREED: "As agreed",
        OTHERWISE: "Otherwise",
        "not_known_yet": "Still open",
    }
    rows: list[list[str | Cell]] = [[name, *map(str, shown[column].to_list())] for column, name in words.items()]
    return Table(
        "At risk, ended and still open by session",
        ("Session", *map(str, shown["session"].to_list())),
        rows,
        numeric=frozenset(range(1, shown.height + 1)),
        note="At risk: had that session, and it is known whether another followed. The other rows are added up to that session; "
        f"ended early: {phrase}; still open: it was the latest session so far.",
    )


def before_first_session(counted: Mapping[str, int], waiting_since: date | None) -> list[Block]:
    """Opened and never seen: a stage of its own, no dropout by any definition."""
    settled = counted["seen"] + counted["closed_unseen"]
    limits = wilson(counted["closed_unseen"], settled) if settled >= FEW else None
    interval = f", 95 % interval {round(100 * limits[0])} to {round(100 * limits[1])} %" if limits else ""
    since = f", the longest since {day(waiting_since)}" if waiting_since else ""
    return [
        Heading("Before the first session", "A stage of its own: nobody who was never seen counts as having left."),
        Facts(
            [
                ("Opened", plural(counted["opened"], "episode")),
                ("Seen at least once", str(counted["seen"])),
                ("Closed and never seen", f"{share(counted['closed_unseen'], settled)}{interval}"),
                ("Open and not seen yet", f"{counted['waiting']}{since}"),
            ]
        ),
    ]


def definition_blocks(states: pl.DataFrame, words: Mapping[str, Definition], chosen: str) -> list[Block]:
    """How the rate moves with the definition, who left improved, and how far the definitions agree."""
    rows: list[list[str | Cell]] = []
    for row in rates(states).to_dicts():
        one = words[row["definition"]]
        used = " Used above." if row["definition"] == chosen else ""
        sure = "" if row["low"] is None else f"{round(100 * row['low'])} to {round(100 * row['high'])} %, 95 % interval"
        counted = share(row["left"], row["judged"]) if row["judged"] else "none it can judge"
        rows.append([Cell(one.name, sub=f"{one.rule}{used}"), Cell(counted, sub=sure)])
    table = Table(
        "Episodes that ended early by each definition",
        ("Definition", "Ended early"),
        rows,
        note=f"Of the episodes that each definition can judge, and whose ending is known. Under {FEW} there are counts only. "
        "The curve above also counts open episodes as far as they have come, so its shares differ from these.",
    )
    return [
        Heading("How the rate moves with the definition", "The same episodes, counted by each definition."),
        table,
        *_left_improved(states, chosen),
        Fold("How far the definitions agree", [_agreement(states, words)]),
    ]


def _left_improved(states: pl.DataFrame, chosen: str) -> list[Block]:
    left = states.filter(pl.col("outcome") == LEFT)
    if left.is_empty() or chosen == "d5":
        return []
    not_improved = left.filter(pl.col("d5_not_improved")).height
    improved = left.filter(~pl.col("d5_not_improved")).height
    words = f"Of the {plural(left.height, 'episode')} that ended early by the definition used above, " if (
        left.height > 1
    ) else "Of the one episode that ended early by the definition used above, "  # fmt: skip
    return [
        Para(
            f"{words}{improved} ended with reliable improvement or outside the clinical range, {not_improved} with neither; for "
            f"{left.height - improved - not_improved} it is not known (still open, or under two scores). Leaving early is not "
            "always leaving unwell.",
        )
    ]


def _agreement(states: pl.DataFrame, words: Mapping[str, Definition]) -> Table:
    rows: list[list[str | Cell]] = []
    for row in agreement(states).to_dicts():
        found = MISSING if row["kappa"] is None else f"{row['kappa']:.2f}".replace("-", "−")
        rows.append(
            [
                Cell(words[row["one"]].name, sub=f"and {words[row['other']].name}"),
                share(row["same"], row["judged"]) if row["judged"] else "none judged by both",
                str(row["both"]),
                found,
            ]
        )
    return Table(
        "Agreement between the definitions, pair by pair",
        ("Definitions", "Same answer", "Both say left early", "Kappa"),
        rows,
        numeric=frozenset({2, 3}),
        note="Kappa is agreement beyond what the two rates alone would give: 1 is full agreement, 0 is chance. It is left out "
        f"under {FEW_PAIRS} episodes judged by both, and where both give everyone the same answer. Definitions of leaving early "
        "agree poorly to moderately wherever they were compared (Xiao 2023).",
    )


def visible_before(left: pl.DataFrame, appointments: pl.DataFrame, flags: pl.DataFrame, names: Names) -> list[Block]:
    """One row per episode left in the last months, newest last session first: what was on record before that session."""
    held = _by_episode(appointments.sort(["episode_id", "starts_at"]))
    raised = _by_episode(flags.sort(["episode_id", "raised_on", "signal"], descending=[False, True, False]))
    rows: list[list[str | Cell]] = []
    told = 0
    for state in left.sort(["last_attended_on", "client_code"], descending=[True, False]).to_dicts():
        stood = [one for one in raised.get(state["episode_id"], []) if one["signal"] in BY_KEY][:LAST_SIGNALS]
        told += bool(stood)
        signals = [Cell(BY_KEY[one["signal"]].title, sub=_when(one, state["last_attended_on"])) for one in stood]
        marks = [
            (ATTENDANCE[one["status"]][0], f"{ATTENDANCE[one['status']][1]} {day(one['starts_at'].date())}")
            for one in held.get(state["episode_id"], [])[-LAST_APPOINTMENTS:]
        ]
        rows.append(
            [
                Cell(state["client_code"], names.get(state["clinician_id"], ""), f"episode?episode={state['public_id']}"),
                Cell(day(state["last_attended_on"]), sub=f"session {state['sessions_attended']}"),
                Cell(strip=marks, sub=_last(held.get(state["episode_id"], []))),
                *(signals or [Cell(sub="no signal stood")]),
                *[MISSING] * (LAST_SIGNALS - max(1, len(signals))),
            ]
        )  # fmt: skip
    columns = (
        "Episode", "Last session", "Last three appointments", "Last signal before that session", "And the one before",
    )  # fmt: skip
    first = Table("Episodes that ended early, newest last session first", columns, rows[:LISTED])
    blocks: list[Block] = [
        Para(
            f"In {told} of {len(rows)} at least one signal stood before the last session. Looking back makes signs look clearer "
            "than they were: many episodes with the same signals go on. What might have been worth asking then?"
        ),
        first,
        Para("■ attended · □ cancelled · ✕ did not attend, oldest first", quiet=True),
    ]
    if len(rows) > LISTED:
        rest = Table("Episodes that ended early, before those above", columns, rows[LISTED:])
        blocks.append(Fold(f"Show {len(rows) - LISTED} more", [rest]))
    return blocks


def _last(slots: list[dict[str, Any]]) -> str:
    return f"last: {ATTENDANCE[slots[-1]['status']][1]}" if slots else "none recorded"


def _when(flag: dict[str, Any], last_session: date) -> str:
    gone = flag["cleared_on"]
    until = f" to {day(gone)}" if gone is not None and gone < last_session else ""
    return f"{'from' if until else 'since'} {day(flag['since'])}{until}"


def _by_episode(frame: pl.DataFrame) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in frame.to_dicts():
        found.setdefault(row["episode_id"], []).append(row)
    return found


def raised_blocks(states: pl.DataFrame, names: Names) -> list[Block]:
    """Open episodes by band word, by client code within it: natural numbers beside what is usual, the interval, the reasons."""
    blocks: list[Block] = []
    for (word, meant), wanted in zip(
        BANDS,
        (pl.col("dropout_relative") > HIGH, pl.col("dropout_relative").is_between(RAISED, HIGH, closed="right")),
        strict=True,
    ):
        rows = [_raised(row, names) for row in states.filter(wanted).sort(["client_code", "public_id"]).to_dicts()]
        count = plural(len(rows), "open episode") if rows else "none at present"
        blocks.append(Heading(f"{word}: {count}", f"The chance is {meant}."))
        if not rows:
            continue
        columns = (
            "Episode",
            "End without agreement within four sessions from here",
            "80 % interval",
            "What speaks for it",
        )
        blocks.append(Table(f"{word} chance of an ending without agreement, by client code", columns, rows))
    return blocks


def _raised(state: dict[str, Any], names: Names) -> list[str | Cell]:
    low, high = frequency(state["dropout_next_4_low"]), frequency(state["dropout_next_4_high"])
    reasons = [REASONS[code] for code in (state["dropout_reasons"] or "").split(";") if code in REASONS]
    return [
        Cell(state["client_code"], names.get(state["clinician_id"], ""), f"episode?episode={state['public_id']}"),
        Cell(
            frequency(state["dropout_next_4"]),
            sub=f"usual at session {state['sessions_attended']}: {frequency(state['dropout_usual_4'])}",
        ),
        low if low == high else f"{low} to {high.removeprefix('about ')}",
        "; ".join(reasons) or "nothing in this client's own record stands out",
    ]


def learned_blocks(model: HazardModel | None, fitted_on: date | None, endings: int) -> list[Block]:
    """How much of the estimate comes from this practice, in a sentence and term by term."""
    if model is None or not model.rows:
        return [
            Para(
                "Learned here: nothing yet. The estimate is published priors only; it gives way to this practice's own endings "
                "as they become known.",
                quiet=True,
            )
        ]
    mostly = (
        f"mostly published priors, since fewer than {SETTLED} are known"
        if mostly_priors(endings)
        else "this practice's own endings on top of published priors"
    )
    rows: list[list[str | Cell]] = [
        [term.words[0].upper() + term.words[1:], f"{round(100 * model.learned[term.key])} %"]
        for term in PRIOR
        if term.key in model.learned
    ]
    table = Table(
        "How much of each part of the estimate was learned in this practice",
        ("What the estimate looks at", "Learned here"),
        rows,
        numeric=frozenset({1}),
        note="0 % is the published prior alone, 100 % this practice's data alone: one less the squared ratio of the spread that "
        "is left to the spread of the prior.",
    )
    return [
        Para(
            f"Learned here: {plural(endings, 'ending')} of this practice known; {mostly}. Last fitted {day(fitted_on)} on "
            f"{plural(model.rows, 'session')} of {plural(model.episodes, 'episode')}, {model.events} of which ended without "
            "agreement. It is an estimate about clients like this one: most of those listed stay.",
            quiet=True,
        ),
        Fold("What was learned, part by part", [table]),
    ]
