"""The seven fit questions: how client, clinician and approach are working together, read from what is known on a day.

A question to explore, never a match score; the first step is a conversation, not a transfer (science 7). F2 and F5 repeat what
the alliance and outcome signals say and raise no flag of their own; F7 is information only.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dashboard.analytics.experience import FEW
from dashboard.settings import Rules

STANDING = ("open", "unrated", "unrepaired")
GRADES = ("strong", "moderate")


@dataclass(frozen=True)
class FitQuestion:
    """One question. ``grade``: how good the evidence is; ``title`` what was seen; ``signal``: the key of its flag, or none.

    ``repeats``: the keys of the signals that a question without a flag of its own is read from.
    """

    key: str
    number: str
    grade: str
    title: str
    question: str
    source: str
    signal: str = ""
    repeats: tuple[str, ...] = ()

    @property
    def evidence(self) -> str:
        """The grade in words: how good the evidence is, or that there is none to grade."""
        return f"Evidence: {self.grade}." if self.grade in GRADES else f"{self.grade[0].upper()}{self.grade[1:]}."

    @property
    def rests_on(self) -> tuple[str, ...]:
        """The signals without which the question would not be asked; none for what is information only."""
        return (self.signal,) if self.signal else self.repeats


FIT_QUESTIONS: tuple[FitQuestion, ...] = (
    FitQuestion(
        "early_alliance_low",
        "F1",
        "strong",
        "Early ratings of the working relationship are low for this practice",
        "What would this client want more of, or less of, in how the sessions go?",
        "Fluckiger 2018: alliance and outcome r = .278 [.256, .299]; sessions 3 to 6 and the tenth are project defaults.",
        "early_alliance_low",
    ),
    FitQuestion(
        "rupture_not_mended",
        "F2",
        "moderate",
        "A possible rupture that is not known to have mended",
        "Has it been possible to ask what happened, and what would the client say about it?",
        "Larsson 2018 (n = 605), Eubanks 2018, Chen 2018.",
        repeats=("rupture_open",),
    ),
    FitQuestion(
        "goal_task_below_bond",
        "F3",
        "moderate",
        "Goals or tasks are rated below the bond",
        "Do the two of you want the same thing from therapy, and does the way of working make sense to the client?",
        "Webb 2011 (PMC3124012, n = 105): goal and task, not bond, related to later change in CBT for depression.",
        "goal_task_below_bond",
    ),
    FitQuestion(
        "preference_unmet",
        "F4",
        "moderate",
        "A recorded preference of the client is not met",
        "Which wish could not be met, has that been talked about, and could part of it be?",
        "Swift 2018: dropout OR 1.79 and outcome d = .28 where preferences are met; one study of 470 clients found none.",
        "preference_unmet",
    ),
    FitQuestion(
        "off_track_and_alliance",
        "F5",
        "moderate",
        "Scores beyond the expected range while the working relationship is rated low or has fallen",
        "Might the one have to do with the other, and which of them would the client want to talk about first?",
        "Clinical support tools: Shimokawa 2010.",
        repeats=("off_track", "reliable_worsening", "rupture_open", "early_alliance_low"),
    ),
    FitQuestion(
        "change_requested",
        "F6",
        "always shown",
        "The client asked for a change",
        "What did the client hope would be different, and what can be offered?",
        "The client's own words; no threshold.",
        "change_requested",
    ),
    FitQuestion(
        "new_area",
        "F7",
        "information only",
        "The clinician has seen few earlier episodes with this problem area",
        "Who in the practice has worked with this before and could be asked?",
        "No evidence that few episodes make a difference; a count, not a measure of skill.",
    ),
)
BY_KEY = {one.key: one for one in FIT_QUESTIONS}

FOUND = {"episode_id": pl.Int64(), "question": pl.String(), "since": pl.Date()}


def rupture_stands() -> pl.Expr:
    """A possible rupture that is open, unrated or unrepaired, and not back near the earlier level."""
    back = (pl.col("rupture") == "unrepaired") & pl.col("rupture_back").fill_null(False)
    return pl.col("rupture").is_in(list(STANDING)) & ~back


def early_low(rules: Rules) -> pl.Expr:
    """F1: low for this practice at a session at which the working relationship is still forming."""
    return pl.col("alliance_low_since").is_not_null() & pl.col("sessions_attended").is_between(
        rules.early_alliance_from, rules.early_alliance_to
    )


def fit_questions(features: pl.DataFrame, earlier: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """episode_id, question and since, of open episodes, by episode and question.

    ``features``: FEATURES of one day with JUDGED filled in; ``earlier``: from ``experience.earlier_episodes`` of that day.
    ``since`` is the day of the finding; a preference that is not met and a new area stand from the opening.
    """
    standing = features.filter("is_open")
    if standing.is_empty():
        return pl.DataFrame(schema=FOUND)
    known = standing.join(earlier, on="episode_id", how="left")
    fallen_since = pl.when(rupture_stands()).then(pl.col("rupture_since"))
    alliance_since = pl.min_horizontal(fallen_since, "alliance_low_since")
    both = (pl.col("on_track") == "not_on_track") & alliance_since.is_not_null()
    asked: dict[str, tuple[pl.Expr, pl.Expr]] = {
        "early_alliance_low": (early_low(rules), pl.col("alliance_low_since")),
        "rupture_not_mended": (rupture_stands(), pl.col("rupture_since")),
        "goal_task_below_bond": (pl.col("agreement_since").is_not_null(), pl.col("agreement_since")),
        "preference_unmet": (pl.col("preference_met") == "no", pl.col("opened_on")),
        "off_track_and_alliance": (both, pl.max_horizontal("off_track_since", alliance_since)),
        "change_requested": (pl.col("change_requested_on").is_not_null(), pl.col("change_requested_on")),
        "new_area": (pl.col("earlier") <= FEW, pl.col("opened_on")),
    }
    assert asked.keys() == BY_KEY.keys(), "every fit question has a rule"  # noqa: S101
    parts = [
        known.filter(holds).select("episode_id", question=pl.lit(key), since=since.cast(pl.Date))
        for key, (holds, since) in asked.items()
    ]
    return pl.concat(parts).sort(["episode_id", "question"])


def joined(found: pl.DataFrame) -> pl.DataFrame:
    """episode_id, fit_questions (sorted codes joined by ;) and fit_since (their days in the same order)."""
    return (
        found.sort(["episode_id", "question"])
        .group_by("episode_id", maintain_order=True)
        .agg(
            fit_questions=pl.col("question").str.join(";"),
            fit_since=pl.col("since").dt.to_string("%Y-%m-%d").str.join(";"),
        )
    )


def resting_on(raised: pl.DataFrame) -> pl.DataFrame:
    """episode_id, question: the fit questions that rest on these signals (episode_id, signal)."""
    pairs = [(key, one.key) for one in FIT_QUESTIONS for key in one.rests_on]
    known = pl.DataFrame(pairs, schema={"signal": pl.String(), "question": pl.String()}, orient="row")
    return raised.join(known, on="signal").select("episode_id", "question").unique()


def asked_only(states: pl.DataFrame, without: pl.DataFrame) -> pl.DataFrame:
    """``states`` with fit_questions and fit_since less those in ``without`` (episode_id, question); null where none is left."""
    no_days = pl.col("fit_questions").str.replace_all("[^;]", "")
    parted = (
        states.select("episode_id", "fit_questions", "fit_since")
        .drop_nulls("fit_questions")
        .with_columns(
            question=pl.col("fit_questions").str.split(";"), since=pl.col("fit_since").fill_null(no_days).str.split(";")
        )
        .explode("question", "since")
        .join(without, on=["episode_id", "question"], how="anti")
        .with_columns(since=pl.col("since").str.to_date("%Y-%m-%d", strict=False))
    )
    return (
        states.drop("fit_questions", "fit_since")
        .join(joined(parted), on="episode_id", how="left", maintain_order="left")
        .select(states.columns)
    )
