"""Values of Observations and QuestionnaireResponses to scores; codes that nobody has mapped are counted, not guessed."""

from __future__ import annotations

from typing import Any

import polars as pl

from dashboard.intake.fhir.aside import Aside
from dashboard.intake.fhir.codes import CodeBook, Scale
from dashboard.intake.fhir.times import practice_day

WITHDRAWN = "entered-in-error"
# a preliminary value may still change and raises no signal before it is final
FINAL = ("final", "amended", "corrected", "completed")
PHQ2_ITEMS = ({"item_1"}, {"item_2"}, {"item_1", "item_2"})
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)$"


def usable(units: pl.DataFrame, timezone: str, aside: Aside) -> pl.DataFrame:
    """Units with a status that counts (or entered in error), a day, and somebody whose answers they are."""
    status = pl.col("status")
    waiting = ~status.is_in([*FINAL, WITHDRAWN])
    aside.report(units.filter(waiting), "status", "status", "not final, so no score yet")
    kept = units.filter(~waiting.fill_null(True))
    aside.report(
        units.filter(status.is_null()), "status", "status", "without a status nobody can tell whether it is final"
    )
    other = pl.col("rater").is_in(["RelatedPerson", "Device", "Organization"])
    aside.report(kept.filter(other), "source", "rater", "answered by neither the client nor the clinician")
    kept = kept.filter(~other.fill_null(False))
    undated = pl.col("taken").is_null()
    aside.report(kept.filter(undated), "effective", "taken", "no day on which it was taken")
    kept = kept.filter(~undated)
    kept = kept.with_columns(
        taken_on=practice_day(kept["taken"], timezone),
        made_on=practice_day(kept["issued"], timezone),
        respondent=pl.when(pl.col("rater").is_in(["Practitioner", "PractitionerRole"]))
        .then(pl.lit("clinician"))
        .otherwise(pl.lit("client")),
    )
    # `issued` is when a version was made available; earlier than the day itself it cannot be when it was known
    later = pl.col("made_on") > pl.col("taken_on")
    return kept.with_columns(recorded_on=pl.when(later).then(pl.col("made_on")))


def _scales(values: pl.DataFrame, book: CodeBook) -> pl.DataFrame:
    """Every distinct combination of codes, questionnaire and link id with its scale."""
    key = ["codes", "questionnaire", "link"]
    found = []
    for codes, questionnaire, link in values.select(key).unique().iter_rows():
        scale: Scale | None
        if link is None:
            scale, why = book.scale_of(codes)
        else:
            scale, why = book.scale_of_link(questionnaire, link, codes)
        one = scale or Scale("", "")
        found.append(
            (codes, questionnaire, link, one.instrument or None, one.scale or None, one.respondent, one.times, why)
        )
    names = [*key, "instrument", "scale", "told", "times", "why"]
    kinds = [pl.String()] * 6 + [pl.Float64(), pl.String()]
    return pl.DataFrame(found, schema=dict(zip(names, kinds, strict=True)), orient="row")


def _numbers(values: pl.DataFrame, book: CodeBook) -> pl.DataFrame:
    key = ["answer", "questionnaire", "codes"]
    distinct = values.filter(pl.col("number").is_null() & pl.col("answer").is_not_null()).select(key).unique()
    found = [(*row, book.number_of(row[0], row[1] or "", row[2])) for row in distinct.iter_rows()]
    schema = dict.fromkeys([*key, "worth"], pl.String())
    worth = pl.DataFrame(found, schema=schema, orient="row")
    return values.join(worth, on=key, how="left", nulls_equal=True, maintain_order="left").with_columns(
        number=pl.coalesce("number", "worth")
    )


def _unmapped(values: pl.DataFrame) -> list[dict[str, Any]]:
    counts = (
        values.group_by("codes", "questionnaire", "link")
        .len()
        .sort(["len", "codes", "questionnaire", "link"], descending=[True, False, False, False], nulls_last=True)
    )
    found = []
    for codes, questionnaire, link, count in counts.iter_rows():
        system, _, code = (codes or "").split("\n")[0].partition("|")
        found.append(
            {
                "system": system,
                "code": code,
                "questionnaire": questionnaire or "",
                "link_id": link or "",
                "count": count,
            }
        )
    return found


def _without_phq2(values: pl.DataFrame) -> pl.Series:
    """Answers to the PHQ-2, whose two items share their codes with the PHQ-9: a response with no other item of it."""
    of_response = (
        pl.col("link").is_not_null() & (pl.col("instrument") == "phq9") & pl.col("scale").str.starts_with("item_")
    )
    items = values.filter(of_response)
    few = items.group_by("unit").agg(
        low=pl.col("scale").is_in(["item_1", "item_2"]).all(),
    )
    short = values.join(few.filter("low").select("unit"), on="unit", how="semi").select("unit").unique()
    return values.select(of_response & pl.col("unit").is_in(short["unit"].implode()))["link"]


def mapped(units: pl.DataFrame, values: pl.DataFrame, book: CodeBook) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """Values with the instrument and scale of their code (or ``why`` it is none), and the codes nobody mapped, with counts."""
    rows = values.join(units.select("unit"), on="unit", how="inner", maintain_order="left")
    key = ["codes", "questionnaire", "link"]
    rows = rows.join(_scales(rows, book), on=key, how="left", nulls_equal=True, maintain_order="left")
    short = _without_phq2(rows)
    nobody = (pl.col("instrument").is_null() & pl.col("why").is_null()) | short
    return rows.filter(~nobody), _unmapped(rows.filter(nobody))


def numbered(rows: pl.DataFrame, units: pl.DataFrame, book: CodeBook, aside: Aside) -> pl.DataFrame:
    """Score rows: value as text, with the cells of their unit; what has no number is set aside."""
    rows = rows.join(units, on="unit", how="inner", maintain_order="left")
    panel = pl.col("why").is_not_null()
    aside.report(rows.filter(panel), "code", "number", pl.col("why"))
    rows = _numbers(rows.filter(~panel), book)
    wrong = pl.col("fault").is_not_null()
    aside.report(rows.filter(wrong), "value", "answer", pl.col("fault"))
    rows = rows.filter(~wrong)
    empty = pl.col("number").is_null()
    coded = empty & pl.col("answer").is_not_null()
    aside.report(
        rows.filter(coded), "value", "answer", "nothing says what this answer is worth; give it a number in a mapping"
    )
    aside.report(rows.filter(empty & ~coded), "value", "number", "there is no value")
    rows = rows.filter(~empty)
    multiplied = (pl.col("number").cast(pl.Float64, strict=False) * pl.col("times")).cast(pl.String)
    plain = pl.col("number").str.contains(NUMBER)
    return rows.with_columns(
        value=pl.when((pl.col("times") != 1.0) & plain).then(multiplied).otherwise(pl.col("number")),
        respondent=pl.coalesce("told", "respondent"),
    )


def one_response_a_day(rows: pl.DataFrame, aside: Aside) -> pl.DataFrame:
    """Of several responses of one instrument, respondent, episode and day the last counts whole: answers are never mixed."""
    occasion = ["episode_id", "taken_on", "instrument", "respondent"]
    response = pl.col("link").is_not_null()
    last = rows.filter(response).group_by(occasion).agg(pl.col("unit").max().alias("last"), pl.col("unit").n_unique())
    last = last.filter(pl.col("unit") > 1).drop("unit")
    if last.is_empty():
        return rows
    marked = rows.join(last, on=occasion, how="left", nulls_equal=True, maintain_order="left")
    earlier = pl.col("link").is_not_null() & (pl.col("unit") < pl.col("last"))
    lost = marked.filter(earlier.fill_null(False)).unique("unit", keep="first", maintain_order=True)
    aside.report(
        lost, "authored", "taken", "another response of the same day stands later in the file; that one counts"
    )
    return marked.filter(~earlier.fill_null(False)).drop("last")
