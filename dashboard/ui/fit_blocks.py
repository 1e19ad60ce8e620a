"""Parts of a page about fit: questions by episode, quadrants, subscales, differences, silent ratings, whom to ask."""

from __future__ import annotations

from typing import Any

import polars as pl

from dashboard.analytics.experience import FEW, NEW_AREA, main_area
from dashboard.analytics.fit import BY_KEY, STANDING
from dashboard.analytics.places import with_places
from dashboard.analytics.quadrants import ABOUT_THE_SAME, QUADRANTS, quadrants
from dashboard.instruments.instrument import Instrument
from dashboard.signals.wording import short_name
from dashboard.ui.view import Block, Cell, Fold, Heading, Para, Table, Term
from dashboard.ui.words import MISSING, day, plural, score

SIGNAL_ABOVE = "Its question stands with the signal."
SHOWN = 20  # rows of a table before the rest is folded away
FIRST = "change_requested"  # always shown, at the top
COLUMNS = ("Episode, since", "Fit question to explore")


def _link(row: dict[str, Any], sub: str = "") -> Cell:
    return Cell(row["client_code"], sub=sub, href=f"episode?episode={row['public_id']}")


def asked(states: pl.DataFrame) -> pl.DataFrame:
    """One row per episode and fit question: client_code, public_id, question, since; what the client asked for first."""
    known = list(BY_KEY)
    parted = (
        states.select("client_code", "public_id", "fit_questions", "fit_since")
        .drop_nulls("fit_questions")
        .with_columns(
            question=pl.col("fit_questions").str.split(";"), since=pl.col("fit_since").fill_null("").str.split(";")
        )
    )
    rows = [
        {"client_code": row["client_code"], "public_id": row["public_id"], "question": key, "since": when or None}
        for row in parted.to_dicts()
        for key, when in zip(row["question"], row["since"] + [""] * len(row["question"]), strict=False)
        if key in known
    ]
    kinds = {name: pl.String() for name in ("client_code", "public_id", "question", "since")}
    return (
        pl.DataFrame(rows, schema=kinds)
        .with_columns(pl.col("since").str.to_date("%Y-%m-%d"), order=pl.col("question") != FIRST)
        .sort(["order", "client_code", pl.col("question").replace_strict({k: i for i, k in enumerate(known)})])
        .drop("order")
    )


def question_blocks(states: pl.DataFrame) -> list[Block]:
    """The fit questions of the episodes given, with their evidence grade; information only is folded away."""
    found = asked(states)
    rows: list[list[str | Cell]] = [
        [_link(row, day(row["since"])), Cell(one.title, sub=f"{one.question} {one.evidence}")]
        for row in found.to_dicts()
        for one in (BY_KEY[row["question"]],)
    ]
    keys = found["question"].to_list()
    main = [row for row, key in zip(rows, keys, strict=True) if key != NEW_AREA]
    quiet = [row for row, key in zip(rows, keys, strict=True) if key == NEW_AREA]
    blocks: list[Block] = [
        Heading(
            "Fit questions to explore",
            "Questions for a conversation, never a match score. The first step is to talk about it, not to transfer.",
        )
    ]
    if main:
        certain = max(SHOWN, keys.count(FIRST))
        blocks.append(Table("Fit questions by episode", COLUMNS, main[:certain]))
        if len(main) > certain:
            more = Table("More fit questions by episode", COLUMNS, main[certain:])
            blocks.append(Fold(f"Show {len(main) - certain} more", [more]))
    else:
        blocks.append(Para("No fit question stands in these episodes."))
    if quiet:
        note = Para(
            f"The clinician has seen at most {FEW} earlier episodes with the main problem area. A count, not skill."
        )
        label = f"Information only: a problem area that is new to the clinician ({len(quiet)})"
        blocks.append(Fold(label, [note, Table("Episodes with a new problem area", COLUMNS, quiet)]))
    return blocks


def episode_questions(state: dict[str, Any]) -> list[Block]:
    """The fit questions of one episode, for its own page; nothing where there are none."""
    found = asked(pl.DataFrame([state], infer_schema_length=None)).to_dicts() if state["fit_questions"] else []
    if not found:
        return []
    words = [
        Term(
            one.title,
            f"{SIGNAL_ABOVE if one.signal else one.question} {one.evidence} Since {day(row['since'])}.",
        )
        for row in found
        for one in (BY_KEY[row["question"]],)
    ]
    return [Heading("Fit questions to explore"), *words]


def with_fallen(states: pl.DataFrame) -> pl.DataFrame:
    """``states`` with ``fallen``: the rating fell and is not known to be back; before any question is held back from a viewer."""
    asked_of = pl.col("fit_questions").fill_null("").str.contains("rupture_not_mended")
    return states.with_columns(fallen=pl.col("rupture").is_in(list(STANDING)) & asked_of)


def _placed(states: pl.DataFrame, marked: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    rated = with_places(marked)
    ends = rated.filter("is_last").select(
        "episode_id", "instrument", latest="value", earliest=rated["value"].gather(rated.filter("is_last")["first"])
    )

    def scaled(row: dict[str, Any], name: str) -> float | None:
        one = instruments.get(row["instrument"] or "")
        if one is None or not one.usable:
            return None
        place = (row[name] - float(one.minimum or 0)) / (float(one.maximum or 0) - float(one.minimum or 0))
        return place if one.direction > 0 else 1 - place

    rows = [
        {
            "episode_id": row["episode_id"],
            "alliance_first": scaled(row, "earliest"),
            "alliance_latest": scaled(row, "latest"),
            "sem": instruments[row["instrument"]].sem_01 if row["instrument"] in instruments else None,
        }
        for row in ends.to_dicts()
    ]
    kinds = {"alliance_first": pl.Float64(), "alliance_latest": pl.Float64(), "sem": pl.Float64()}
    made = pl.DataFrame(rows, schema={"episode_id": pl.Int64(), **kinds})
    known = states.select("episode_id", "alliance_scores", "change_category", "fallen")
    return quadrants(known.join(made, on="episode_id", how="left"))


def quadrant_blocks(states: pl.DataFrame, marked: pl.DataFrame, instruments: dict[str, Instrument]) -> list[Block]:
    """The four places with their questions and the episodes in each; the rest is about the same or not known."""
    placed = states.join(_placed(states, marked, instruments), on="episode_id")
    told = placed.drop_nulls(["alliance", "symptoms"])
    if told.is_empty():
        return []
    rows: list[list[str | Cell]] = []
    for one in QUADRANTS:
        inside = told.filter((pl.col("alliance") == one.alliance) & (pl.col("symptoms") == one.symptoms))
        codes = sorted(inside["client_code"].to_list())
        named = ", ".join(codes[:12]) + (f" and {len(codes) - 12} more" if len(codes) > 12 else "")
        rows.append([Cell(one.title, sub=one.question), Cell(str(len(codes)), sub=named)])
    same = told.filter((pl.col("alliance") == "same") | (pl.col("symptoms") == "same")).height
    return [
        Heading(
            "Alliance and scores together", "Change within each client, first to latest, beyond measurement error."
        ),
        Table(
            "Episodes by change in the alliance rating and in scores",
            ("Where", "Episodes"),
            [*rows, [ABOUT_THE_SAME, str(same)]],
            note=f"{plural(placed.height - told.height, 'episode')} with too few ratings or scores to say. Neither is read as "
            "the other's cause: early gain lifts ratings too.",
        ),
    ]


def subscale_blocks(states: pl.DataFrame, parts: pl.DataFrame, instruments: dict[str, Instrument]) -> list[Block]:
    """Latest rating of each part of the alliance where a questionnaire has parts, with the client's own earlier level."""
    if parts.is_empty():
        return []
    last = parts.sort(["episode_id", "scale", "taken_on"]).group_by(["episode_id", "scale"], maintain_order=True).last()
    by_episode: dict[int, dict[str, dict[str, Any]]] = {}
    for row in last.to_dicts():
        by_episode.setdefault(row["episode_id"], {})[row["scale"]] = row
    blocks: list[Block] = []
    for key in sorted(set(last["instrument"].to_list())):
        names = sorted(set(last.filter(pl.col("instrument") == key)["scale"].to_list()))
        rows: list[list[str | Cell]] = []
        for state in states.sort("client_code").to_dicts():
            own = by_episode.get(state["episode_id"], {})
            if not own or next(iter(own.values()))["instrument"] != key:
                continue
            cells = [_part(own.get(name)) for name in names]
            rows.append([_link(state, day(max(one["taken_on"] for one in own.values()))), *cells])
        if not rows:
            continue
        one = instruments[key]
        columns = ("Episode, latest", *(name.replace("_", " ").capitalize() for name in names))
        table = Table(
            f"Parts of the alliance on the {short_name(one)}", columns, rows, numeric=frozenset(range(1, len(names) + 1)),
            note=f"{one.better.capitalize()} is better. Small: the client's own earlier level. Few items, so a wide error.",
        )  # fmt: skip
        blocks.append(table if len(rows) <= SHOWN else Fold(f"{short_name(one)} ({len(rows)} episodes)", [table]))
    return [Heading("Bond, goals and tasks" if _has_bond(last) else "Parts of the alliance"), *blocks] if blocks else []


def _has_bond(last: pl.DataFrame) -> bool:
    return "bond" in set(last["scale"].to_list())


def _part(row: dict[str, Any] | None) -> Cell:
    if row is None:
        return Cell(MISSING)
    fell = " · marked fall" if row["mark"] == "major" else ""
    return Cell(
        score(row["value"]), sub=f"own level {score(row['reference'])}{fell}" if row["reference"] is not None else ""
    )


def difference_blocks(states: pl.DataFrame, differences: pl.DataFrame) -> list[Block]:
    """Where client and therapist differ in another way than is usual here: a prompt for reflection, never a risk."""
    found = states.join(differences, on="episode_id", how="inner").sort("client_code").to_dicts()
    if not found:
        return []
    rows: list[list[str | Cell]] = [
        [
            _link(row),
            f"{'the client' if row['difference'] > 0 else 'the therapist'} rates higher, by "
            f"{abs(row['difference']) * 100:.0f} of 100 on average",
            plural(row["pairs"], "session"),
        ]
        for row in found
    ]
    return [
        Heading("You and your client see this differently"),
        Table(
            "Client and therapist ratings that differ unlike the usual",
            ("Episode", "How", "Rated by both"),
            rows,
            note="For reflection only: in 700 treatments such a difference was not related to outcome. What might the client see "
            "that you do not, or the other way round?",
        ),
    ]


def silent_blocks(states: pl.DataFrame, ceilings: list[int]) -> list[Block]:
    """Episodes whose ratings say nothing: always at the top of the scale, or not rated."""
    top = states.filter(pl.col("episode_id").is_in(ceilings)).sort("client_code").to_dicts()
    never = (
        states.filter((pl.col("alliance_scores") == 0) & (pl.col("sessions_attended") > 0))
        .sort("client_code")
        .to_dicts()
    )
    if not top and not never:
        return []
    columns = ("Episode", "Rating", "Sessions")
    blocks: list[Block] = [Heading("What the ratings cannot tell", "Not good news and not bad news: nothing is known.")]
    for label, these, words in (
        ("Uninformative: at the top of the scale each time", top, lambda r: f"{score(r['alliance_latest'])} each time"),
        ("Not rated by the client", never, lambda _: "not rated"),
    ):
        if these:
            rows: list[list[str | Cell]] = [[_link(row), words(row), str(row["sessions_attended"])] for row in these]
            blocks.append(Fold(f"{label} ({len(these)})", [Table(label, columns, rows, numeric=frozenset({2}))]))
    return blocks


def experience_blocks(states: pl.DataFrame, experience: pl.DataFrame | None, *, least: int) -> list[Block]:
    """Whom to ask about a problem area, where the practice has agreed to share counts; else how to switch it on."""
    heading = Heading("Whom to ask", "Colleagues by how many episodes with a problem area they have seen.")
    if experience is None:
        return [
            heading,
            Para(
                "Switched off. Once everyone concerned has agreed, whoever runs the dashboard sets share_experience = true in "
                "supervision.toml, or SUPERVISION_SHARE_EXPERIENCE=true.",
                quiet=True,
            ),
        ]
    if experience.is_empty():
        return [
            heading,
            Para(f"No colleague has seen {least} or more episodes with any of these problem areas.", quiet=True),
        ]
    by_area: dict[str, list[str]] = {}
    for row in experience.to_dicts():
        by_area.setdefault(row["area"], []).append(f"{row['clinician']} ({row['episodes']})")
    new = set(
        states.filter(pl.col("fit_questions").fill_null("").str.contains(NEW_AREA))
        .select(main_area())
        .to_series()
        .to_list()
    )
    rows: list[list[str | Cell]] = [
        [Cell(area, sub="new to a clinician here" if area in new else ""), ", ".join(people)]
        for area, people in by_area.items()
    ]
    return [
        heading,
        Table(
            "Colleagues to ask, by problem area",
            ("Problem area", "Colleagues (episodes seen)"),
            rows,
            note=f"Counts of episodes, from {least} on; equal counts in alphabetical order. How many somebody has seen says "
            "nothing about how well anyone works.",
        ),
    ]
