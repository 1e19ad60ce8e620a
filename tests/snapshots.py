"""Views and contents of snapshots for tests, from a few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from dashboard.charts.episode_course import Course, Slot, episode_course
from dashboard.snapshot.compose import About, Part, compose
from dashboard.snapshot.content import Content, Kind, Listed, Made
from dashboard.ui.status import PRIORITY
from dashboard.ui.view import (
    Block,
    Cell,
    Facts,
    Figure,
    Fold,
    Heading,
    Lead,
    Notice,
    Para,
    RaisedSignal,
    Signals,
    Split,
    Table,
    Term,
    View,
)
from dashboard.ui.view import Slot as Place

AS_OF = date(2026, 11, 20)
MADE = Made("R. Okafor", datetime(2026, 11, 20, 14, 5))


def course_figure(code: str = "4F-210", words: str = "") -> Figure:
    """The figure of a short episode; ``words`` stands in its texts."""
    days = [date(2026, 9, 1), date(2026, 9, 8), date(2026, 9, 22)]
    name = words or "PHQ-9"
    outcome = Course(
        name, "lower", 0, 27, 10, list(zip(days, [17, 19, 12], strict=True)), frozenset({days[1]}), words or "a rise"
    )
    slots = [Slot(day, "a", f"attended {words}".strip()) for day in days]
    return Figure(
        episode_course(
            code=code, headline=words or "Higher since week 1", outcome=outcome, alliance=None, slots=slots, origin=days[0],
            as_of=AS_OF, theme="light",
        )
    )  # fmt: skip


def raised(
    title: str = "Reliable worsening", words: str = "PHQ-9 17, then 19.", *, stands: bool = True
) -> RaisedSignal:
    """A signal as a page shows it."""
    return RaisedSignal(
        title, f"Since 8 Sep 2026 {words}", words, f"What changed? {words}", f"Source: {words}", stands, words
    )


def episode_view(code: str = "4F-210", words: str = "") -> View:
    """Every kind of block that a page may have, with ``words`` in each place for text."""
    text = words or "plain"
    blocks: list[Block] = [
        Place("back"),
        Lead(text, text, None if words else PRIORITY["talk_first"]),
        Notice(text, "orange"),
        Split([course_figure(code, words)], [Heading("Signals", text), Signals([raised(words=text)])]),
        Fold(text, [Signals([raised(words=text, stands=False)])]),
        Fold("Open episodes", [Table(f"Fold {text}", ("A",), [[text]])]),
        Term(text, text),
        Facts([(text, text)]),
        Para(text),
        Table(
            f"Change {text}", ("Questionnaire", text), [[Cell(text, sub=text), Cell(mark=PRIORITY["no_signals"])]],
            numeric=frozenset({1}), note=text,
        ),
        Table("Marks", ("Day", "Visits"), [["x", Cell(strip=[("a", text), ("x", text)])]]),
    ]  # fmt: skip
    return View(f"Episode {code}", "What has happened?", f"You are seeing: {text}", AS_OF, blocks)


def listed(code: str = "4F-210", **given: object) -> Listed:
    """An episode on a list."""
    row: dict[str, object] = {
        "code": code,
        "clinician": "R. Okafor",
        "priority": "talk_first",
        "since": "since 2 weeks",
        "signals": ("Reliable worsening",),
        "latest": "PHQ-9 12",
        "alliance": "SRS 36",
        "shown": True,
        "why": "below",
    }
    return Listed(**(row | given))  # type: ignore[arg-type]


def content(codes: Sequence[str] = ("4F-210",), words: str = "", **given: object) -> Content:
    """A packet with a block for each code."""
    row: dict[str, object] = {
        "kind": Kind.CASELOAD,
        "practice": words or "Our practice",
        "title": words or "Caseload of R. Okafor",
        "people": (words or "R. Okafor",),
        "as_of": AS_OF,
        "rules_version": "abc123",
        "model_version": "def456",
        "filters": (words or "all open episodes",),
        "coverage": words or "10 of 12 have an outcome score",
    }
    about = About(**(row | given))  # type: ignore[arg-type]
    parts = [Part(episode_view(code, words), notes=True) for code in codes]
    list_words = (
        {"since": words, "signals": (words,), "latest": words, "alliance": words, "why": words} if words else {}
    )
    return compose(about, words or "4 of 23 open episodes.", parts, [listed(code, **list_words) for code in codes])


def as_drawn(figure: dict[str, object], extra: str = "") -> str:
    """What a browser might send for a figure: its texts, and marks in plenty."""
    from html import escape, unescape
    from re import split, sub

    layout: dict[str, object] = figure["figure"]["layout"]  # type: ignore[index, assignment]
    texts = [one["text"] for one in layout.get("annotations", [])]  # type: ignore[attr-defined]
    for name, axis in layout.items():
        if name.startswith(("xaxis", "yaxis")):
            texts.append((axis.get("title") or {}).get("text", ""))  # type: ignore[attr-defined]
    lines = [unescape(sub("<[^>]*>", "", line)) for text in texts for line in split("<br>", text)]
    said = "".join(
        f'<text x="4" y="9" style="fill: rgb(1, 2, 3); font-size: 12px">{escape(line)}</text>' for line in lines
    )
    marks = '<path d="M0,0L4,4" style="stroke: rgb(1, 2, 3)"/>' * 400
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="680" height="350"><g>{marks}{said}</g>{extra}</svg>'
