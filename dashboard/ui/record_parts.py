"""How the models and the rupture rule did in this practice, in words, with counts and intervals; no client row among them."""

from __future__ import annotations

from math import exp

from dashboard.analytics import detector_record
from dashboard.analytics.alert_burden import PUBLISHED_RUPTURES, Ruptures
from dashboard.analytics.hazard import HazardModel
from dashboard.analytics.hazard_terms import PRIOR
from dashboard.analytics.intervals import Z95, wilson
from dashboard.analytics.refits import SETTLED, mostly_priors
from dashboard.analytics.validation import FEWEST_EVENTS, DropoutRecord
from dashboard.charts.panel import Panel
from dashboard.ui.record_ranges import range_blocks
from dashboard.ui.view import Block, Cell, Facts, Figure, Fold, Heading, Notice, Para, Table, Term
from dashboard.ui.words import MISSING, day, plural, share
from dashboard.validating import Validation

TITLE = "How well it does here"
LEARNED = ((0.05, "published only"), (0.35, "a little here"), (0.65, "about half here"), (1.01, "mostly here"))


def record(said: Validation | None, panel: Panel | None) -> list[Block]:
    """The whole section. ``said`` null: nothing has been evaluated. ``panel``: the calibration figure, where it can be shown."""
    if said is None:
        return [Heading(TITLE), Para("Nothing has been evaluated yet, so there is nothing to compare with what came.")]
    since = said.dropout.since
    began = f", on episodes opened from {day(since)} on" if since else ""
    return [
        Heading(TITLE, f"Whole practice, counts only{began}, judged by what was said on the day · as of {day(said.as_of)}"),
        *_dropout(said, panel),
        *_learned(said.models.hazard, said),
        *range_blocks(said),
        *_ruptures(said.ruptures),
    ]  # fmt: skip


def _between(low: float, high: float, digits: int = 2) -> str:
    return f"{low:.{digits}f} to {high:.{digits}f}".replace("-", "−")


def _dropout(said: Validation, panel: Panel | None) -> list[Block]:
    found = said.dropout
    name = "Chance of an ending without agreement"
    if not found.sessions:
        return [Term(name, f"Can't be shown yet: {found.why}.")]
    blocks: list[Block] = [
        Notice(one, "orange") for one in found.warnings
    ]  # a figure too good to be true stands before the figures
    blocks += [
        Term(
            name,
            f"{plural(found.episodes, 'episode')} with {plural(found.sessions, 'judged session')}: the estimates added up to "
            f"{found.expected:.0f} endings without agreement, {found.events} came. {_totals(found)} Sessions of the last "
            "weeks are left out, because it is not known yet who comes back.",
        )
    ]
    if found.auc is None:
        until = (
            "the model is mostly published priors"
            if mostly_priors(said.endings)
            else "read the estimate as published figures fitted to this practice, not as tested here"
        )
        blocks.append(
            Para(
                f"How well it tells clients apart can't be shown yet: that needs {FEWEST_EVENTS} endings without agreement, "
                f"there {'is' if found.events == 1 else 'are'} {found.events}. Until then {until}."
            )
        )
    else:
        blocks += _discrimination(found)
        if panel is not None:
            blocks.append(Figure(panel))
        blocks += _landmarks(found)
    blocks += _alerts(said)
    return blocks


def _totals(found: DropoutRecord) -> str:
    if found.intercept is None or found.intercept_error is None:
        return "Too few to compare."
    half = Z95 * found.intercept_error
    low, high = exp(found.intercept - half), exp(found.intercept + half)
    agree = "as many as estimated, within chance"
    if not low <= 1 <= high:
        agree = "fewer than estimated" if high < 1 else "more than estimated"
    return (
        f"That is {agree} (odds {exp(found.intercept):.2f} times the estimate's, 95 % interval {_between(low, high)})."
    )


def _discrimination(found: DropoutRecord) -> list[Block]:
    assert found.auc is not None  # noqa: S101 - the caller has looked
    half = Z95 * (found.auc_error or 0.0)
    facts = [
        (
            "Telling apart (AUC)",
            f"{found.auc:.2f} ({_between(max(0.0, found.auc - half), min(1.0, found.auc + half))}); 0.50 is a coin, "
            "0.60 to 0.70 is usual for such estimates",
        )
    ]
    if found.slope is not None and found.slope_error is not None:
        half = Z95 * found.slope_error
        facts.append(
            (
                "Spread (slope)",
                f"{found.slope:.2f} ({_between(found.slope - half, found.slope + half)}); 1 is right, below 1 high estimates are "
                "too high and low ones too low",
            )
        )
    if found.brier is not None and found.brier_null is not None:
        better = "nearer" if found.brier < found.brier_null else "no nearer"
        facts.append(
            (
                "Distance (Brier score)",
                f"{found.brier:.4f}, against {found.brier_null:.4f} for one rate for everybody: {better} to what came",
            )
        )
    return [Facts(facts)]


def _landmarks(found: DropoutRecord) -> list[Block]:
    def said(value: float | None, digits: int) -> str:
        return MISSING if value is None else f"{value:.{digits}f}"

    rows = [
        [
            f"Session {one.session}", str(one.clients), str(one.left), said(one.auc, 2), said(one.brier, 3),
            said(one.brier_null, 3),
        ]
        for one in found.landmarks
    ]  # fmt: skip
    gains = [
        [f"{100 * one.threshold:.0f} %", _per_100(one.estimate), _per_100(one.everyone), "0.0"] for one in found.benefits
    ]  # fmt: skip
    return [
        Fold(
            "The chance over four sessions, as said at sessions 1, 3 and 6",
            [
                Table(
                    "The chance of leaving within four sessions, as said at three sessions",
                    ("Said at", "Clients", "Left within four", "AUC", "Brier score", "Brier score of one rate"),
                    rows,
                    numeric=frozenset({1, 2, 3, 4, 5}),
                    note="Weighted for clients not followed that far; an agreed ending counts as the end of following.",
                )
            ],
        ),
        Fold(
            "Is it worth acting on?",
            [
                Table(
                    "Net benefit: endings foreseen per 100 clients, less the price of talking about others",
                    ("Talk about clients from", "By the estimate", "About everyone", "About nobody"),
                    gains,
                    numeric=frozenset({1, 2, 3}),
                    note="Net benefit per 100 clients at sessions 1, 3 and 6 (Vickers & Elkin 2006): clients who left and were "
                    "picked, less those picked in vain, at the price that the limit implies: whoever talks from 5 % on "
                    "holds 19 talks in vain worth one in time. The estimate earns its place where its column is the largest.",
                )
            ],
        ),
    ]


def _per_100(value: float) -> str:
    return f"{100 * value:.1f}".replace("-", "−")


def _alerts(said: Validation) -> list[Block]:
    load, named = said.burden, said.in_time
    raised, every = load.per_week(load.raised), load.per_week(load.every)
    facts = []
    if raised is not None and every is not None:
        facts.append(
            (
                "Per clinician and week",
                f"“May end without agreement” {raised:.2f} times, all signals but data and safety {every:.1f} times "
                f"({plural(load.clinician_weeks, 'week')} of a clinician with sessions)",
            )
        )
    if named.endings:
        once = f"; {named.after_one} came only once, before any signal could" if named.after_one else ""
        facts.append(
            (
                "Named before the last session",
                f"{share(named.named, named.endings)} {'ending' if named.endings == 1 else 'endings'} without agreement"
                f"{_interval(named.named, named.endings)}{once}",
            )
        )
    if named.episodes:
        facts.append(
            (
                "Ended so when named",
                f"{share(named.left, named.episodes)} of which the ending is known{_interval(named.left, named.episodes)}",
            )
        )
    return [Facts(facts)] if facts else []


def _interval(part: int, whole: int) -> str:
    found = wilson(part, whole)
    return "" if found is None or whole < 10 else f", {100 * found[0]:.0f} to {100 * found[1]:.0f} %"


def _learned(model: HazardModel, said: Validation) -> list[Block]:
    if not model.episodes:
        text = "Nothing yet: the model is the published priors. It begins to learn with the twentieth known ending."
        return [Term("How much of it was learned here", text)]
    text = (
        f"Learned from {plural(model.episodes, 'episode')} with {model.events} endings without agreement, last on "
        f"{day(said.models.fitted_on)}; model {model.version[:6]}."
    )
    if mostly_priors(said.endings):
        text += f" With {plural(said.endings, 'known ending')} (under {SETTLED}) it is mostly published priors."
    rows: list[list[str | Cell]] = []
    for term in PRIOR:
        if (share_here := model.learned.get(term.key)) is None:
            continue
        word = next(word for limit, word in LEARNED if share_here < limit)
        rows.append([term.words[0].upper() + term.words[1:], Cell(f"{100 * share_here:.0f} %", sub=word), term.basis])
    return [
        Term("How much of it was learned here", text),
        Fold(
            "Show it term by term",
            [
                Table(
                    "How much of each term of the model was learned in this practice",
                    ("What it looks at", "Learned here", "What was believed before"),
                    rows,
                    note="0 %: as published or assumed; 100 %: all from this practice. How much surer the practice's own "
                    "sessions made the figure, not how much it changed.",
                )
            ],
        ),
    ]


def _ruptures(found: Ruptures) -> list[Block]:
    published = f"{100 * PUBLISHED_RUPTURES:.0f} %"
    if not found.enough:
        here = (
            f"Here {plural(found.clients, 'client') if found.clients else 'no client'} rated often enough, too few to compare "
            f"with the published {published} of clients (Larsson 2018)."
        )
    else:
        sure = _interval(found.ruptured, found.clients)
        here = (
            f"Here {share(found.ruptured, found.clients)} clients who rated often enough{sure} had one; "
            f"published: about {published} (Larsson 2018)."
        )
    rules = (detector_record.SHIPPED, *detector_record.AT_EQUAL_RATE[:2])
    rows = [[one.name, f"{one.found:.0f} %", f"{one.false_per_100:.1f}", f"{one.precision:.0f} %"] for one in rules]
    columns = ("Rule", "Falls found", "False alarms per 100 rated sessions", "Alarms that were true")
    blocks: list[Block] = [Term("Possible ruptures", here)]
    if found.incredible:
        blocks.append(
            Notice(
                "That is outside 5 to 50 %: check the alliance measure and how it is given before trusting it.",
                "orange",
            )
        )
    return [
        *blocks,
        Table("How well possible ruptures are found, on invented series", columns, rows, numeric=frozenset({1, 2, 3})),
        Para(f"{detector_record.LIMITS} Measured on {day(detector_record.MEASURED_ON)}.", quiet=True),
        Fold("How this was measured", [Para(detector_record.SERIES)]),
    ]
