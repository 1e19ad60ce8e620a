"""Step 4 of the assistant: words of closed lists, ways of writing days, the first day of a count."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from dashboard.assist.details import dated, is_day, is_time, unmapped, with_format
from dashboard.assist.draft import FIRST_DAY, Target
from dashboard.assist.formats import in_words, invented, readings
from dashboard.assist.profile import Profile
from dashboard.assist.questions import Topic, profile_at
from dashboard.assist.words import FREE, UNSAID, actor_unsaid
from dashboard.intake.check import WORDS as CLOSED
from dashboard.ui.assistant_answers import answers_topic, instrument_topic, own_topic
from dashboard.ui.assistant_columns import choose_day
from dashboard.ui.assistant_controls import cut, line, pick, said, turn_to, write_text
from dashboard.ui.assistant_state import Work
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Block, Notice, Para, Table

PAGE = 12  # words shown at once
STEPS = {1: "days", 7: "weeks", 30: "months of 30 days"}
SPOKEN = {
    "in_person": "in person", "no_show": "did not attend", "late_cancelled": "cancelled late",
    "cancelled_by_client": "cancelled by the client", "cancelled_by_clinician": "cancelled by the clinician",
}  # fmt: skip


def words_step(work: Work) -> None:
    """One topic at a time, first those that lack an answer."""
    found = work.topics()
    if not found:
        show_blocks([Para("Nothing has to be said about words or dates.")])
        return
    by_key = {one.key: one for one in found}
    opened = [one for one in found if one.open]
    words = f"{len(opened)} of {len(found)} still need an answer." if opened else "Everything here has an answer."
    show_blocks([Para(words, quiet=True)])

    def shown(key: str) -> str:
        return by_key[key].words + (" (needs an answer)" if by_key[key].open else "")

    key = turn_to(
        work, "What to look at", list(by_key), shown, back="Previous", on="Next one", width=520,
        wanted={one.key for one in opened},
    )  # fmt: skip
    if work.looks_at.get("words of") != key:
        work.looks_at |= {"words of": key, "page": 0}
    _topic(work, by_key[key])


def _topic(work: Work, topic: Topic) -> None:
    target = work.draft.target(topic.uid)
    match topic.kind:
        case "first_day":
            _first_day(work)
        case "own":
            own_topic(work, topic.column)
        case _ if target is None:
            return
        case "days":
            _days(work, target, topic.column)
        case "words":
            _words(work, target, topic.column)
        case "instrument":
            instrument_topic(work, target)
        case "answers":
            answers_topic(work, target)


def _first_day(work: Work) -> None:
    show_blocks(
        [
            Para("These files count days, weeks or months instead of naming dates. From which day do they count?"),
            Para(
                "Where only the order matters, any day of the past that leaves room for the longest count will do.",
                quiet=True,
            ),
        ]
    )
    with line("first-day"):
        said("The first day", width=210)
        choose_day(
            work,
            "The first day",
            work.draft.first_day,
            lambda text: setattr(work.draft, "first_day", text),
            key="as-first-day",
        )


def _days(work: Work, target: Target, column: str) -> None:
    spec = target.columns[column]
    profile = profile_at(target, spec, work.reach(target), work.sources)
    if profile is None:
        return
    if spec.get("days_from") is not None:
        _counted(work, target, column, spec, profile)
        return
    formats = profile.written.formats
    if not formats and not profile.written.iso:
        show_blocks(
            [
                Notice(
                    "No way of writing days fits every cell of this column. Choose another column under Columns.",
                    "orange",
                )
            ]
        )
        return
    if not formats:
        show_blocks([Para("Days and times are written as this program reads them."), *_iso(target, column, profile)])
    told = spec.get("date") or spec.get("time") or ""

    def write(text: str) -> None:
        _everywhere(work, target, column, text)
        target.columns[column] = (
            with_format(target.table, column, spec, text) if text else dated_plain(target, column, profile)
        )

    if len(formats) > 1:
        show_blocks(
            [
                Notice(
                    "The days can be read in more than one way, and every cell fits. Only you can say which is meant.",
                    "orange",
                )
            ]
        )
        show_blocks([_both_ways(work, profile, formats)])
    elif formats:
        show_blocks([Para(f"Every cell is written as {in_words(formats[0])}.")])
    options = ["", *formats] if len(formats) > 1 or not told else list(formats)
    with line(f"format-{target.uid}-{column}"):
        said("It is written as", width=210)
        pick(
            work, "It is written as", options, told, write, key=f"as-format-{target.uid}-{column}",
            shown=lambda one: in_words(one) if one else "Choose",
        )  # fmt: skip


def _everywhere(work: Work, target: Target, column: str, text: str) -> None:
    """One source column is written one way, whichever of our columns it feeds."""
    at = work.reach(target).get(str(target.columns[column].get("column")))
    for other, name, spec in list(work.draft.specs()):
        theirs = work.reach(other).get(str(spec.get("column")))
        same = at and theirs and (theirs.source, theirs.column) == (at.source, at.column)
        if text and same and (is_day(other.table, name) or is_time(other.table, name)):
            other.columns[name] = with_format(other.table, name, spec, text)


def _iso(target: Target, column: str, profile: Profile) -> list[Block]:
    if profile.written.clock and is_day(target.table, column):
        return [Para("Only the day of each time is kept.", quiet=True)]
    return []


def dated_plain(target: Target, column: str, profile: Profile) -> dict[str, Any]:
    """The column without a format."""
    kept = {key: value for key, value in target.columns[column].items() if key not in ("date", "time", "part")}
    return dated(target.table, column, profile, kept) if len(profile.written.formats) < 2 else kept


def _both_ways(work: Work, profile: Profile, formats: tuple[str, ...]) -> Table:
    if work.masked:
        rows = [[*invented(text)] for text in formats]
        return Table("How each way would read a made-up day", ("A cell such as", "is read as"), rows)
    cells = pl.Series([word for word, _ in profile.words], dtype=pl.String)
    rows = [[cell, *(read[text] for text in formats)] for cell, read in readings(cells, formats)]
    return Table("The same cells read each way", ("In the file", *(in_words(text) for text in formats)), rows)


def _counted(work: Work, target: Target, column: str, spec: dict[str, Any], profile: Profile) -> None:
    key = f"{target.uid}-{column}"
    low, high = int(profile.low or 0), int(profile.high or 0)
    if not work.masked:
        show_blocks([Para(f"The column holds whole numbers from {low} to {high}.")])
    with line(f"step-{key}"):
        said("They count", width=210)
        pick(work, "They count", list(STEPS), spec.get("step_days", 1), lambda n: _step(spec, n), key=f"as-step-{key}",
             shown=lambda n: STEPS.get(n, f"steps of {n} days"), width=220)  # fmt: skip
    with line(f"first-{key}"):
        said("The first day has the number", width=210)
        pick(work, "The first day has the number", [0, 1], spec.get("first", 0), lambda n: _first(spec, n),
             key=f"as-first-{key}", width=120)  # fmt: skip
    if spec.get("days_from") == FIRST_DAY:
        with line(f"day-{key}"):
            said("That first day is", width=210)
            choose_day(work, "That first day is", work.draft.first_day, lambda text: setattr(work.draft, "first_day", text),
                 key=f"as-day-{key}")  # fmt: skip


def _step(spec: dict[str, Any], days: int) -> None:
    spec["step_days"] = days
    if days == 1:
        del spec["step_days"]


def _first(spec: dict[str, Any], number: int) -> None:
    spec["first"] = number
    if number == 0:
        del spec["first"]


def _allowed(work: Work, column: str) -> dict[str, str]:
    if column == "instrument":
        own = {str(one["key"]): str(one.get("name", one["key"])) for one in work.draft.instruments}
        return {key: one.name for key, one in work.defined.items()} | own
    if column == "is_trainee":
        return {"yes": "yes", "no": "no"}
    return {word: SPOKEN.get(word, word) for word in CLOSED.get(column, ())}


def _words(work: Work, target: Target, column: str) -> None:
    spec = target.columns[column]
    profile = profile_at(target, spec, work.reach(target), work.sources)
    if profile is None:
        return
    left = unmapped(column, profile, spec, work.defined)
    if left:
        rows = sum(count for _, count in left)
        note = f"{len(left)} of {profile.distinct} words have no meaning yet; their {rows:,} rows would be set aside."
        show_blocks([Notice(note, "orange")])
    if work.masked and any(work.shown_word(word) != word for word, _ in profile.words):
        show_blocks(
            [
                Para(
                    "Words that this program does not know are withheld from administrators; a director reads them.",
                    quiet=True,
                )
            ]
        )
    pages = -(-len(profile.words) // PAGE)
    page = min(int(work.looks_at.get("page", 0)), pages - 1)
    values = dict(spec.get("values") or {})
    for number, (word, count) in list(enumerate(profile.words))[page * PAGE : (page + 1) * PAGE]:
        _word(work, target, column, values, (number, word, count), profile)
    if pages > 1:
        with st.container(horizontal=True):
            st.button("Fewer rows ↓", key="as-more", on_click=_turn, args=(work, 1), disabled=page == pages - 1)
            st.button("More rows ↑", key="as-less", on_click=_turn, args=(work, -1), disabled=page == 0)


def _turn(work: Work, by: int) -> None:
    work.looks_at["page"] = int(work.looks_at.get("page", 0)) + by


def _word(
    work: Work, target: Target, column: str, values: dict[str, str], one: tuple[int, str, int], profile: Profile
) -> None:
    number, word, count = one
    allowed = _allowed(work, column)
    now = values.get(word, word if word in allowed else "")

    def write(ours: str) -> None:
        if ours and ours != word:
            values[word] = ours
        else:
            values.pop(word, None)
        target.columns[column]["values"] = values

    key = f"{target.uid}-{column}-{number}"
    with line(f"word-{key}"):
        said(cut(work.shown_word(word)), f"{count:,} rows", width=260)
        if column in FREE:
            write_text(work, f"Word {number + 1} means", values.get(word, word if not work.masked else ""), write,
                       key=f"as-word-{key}", width=260)  # fmt: skip
        else:
            pick(work, f"Word {number + 1} means", ["", *allowed], now, write, key=f"as-word-{key}", width=300,
                 shown=lambda w: allowed.get(w, w or "Set these rows aside"))  # fmt: skip
        said("", UNSAID if column == "status" and actor_unsaid(word) and now == "cancelled_by_client" else "")
