"""What the first and the last sheet say, the same words in every format."""

from __future__ import annotations

import re

from dashboard.snapshot.content import AUDIENCE_WORDS, Content, Frozen, Kind, Made
from dashboard.ui.status import PRIORITY
from dashboard.ui.words import MISSING, day

SEVERAL = 1  # more clinicians than this have a column of their own in the list


def first_facts(content: Content, made: Made) -> list[tuple[str, str]]:
    """Of whom, when, as of when, for whom, by whom, which filters."""
    who = (
        "Practice"
        if content.kind is Kind.PRACTICE or not content.people
        else "Supervisee"
        if len(content.people) == 1
        else "Supervisees"
    )
    facts = [(who, ", ".join(content.people) or content.practice)]
    if content.meeting_on is not None:
        facts.append(("Meeting", day(content.meeting_on)))
    facts += [
        ("Data as of", day(content.as_of)),
        ("Audience", AUDIENCE_WORDS[content.audience]),
        ("Made by", made.words),
        ("Filters", "; ".join(content.filters) or "none"),
    ]
    return facts


def agenda(content: Content) -> Frozen:
    """The list of episodes worth discussing as a table; clinicians are named where there are several."""
    several = len({one.clinician for one in content.listed}) > SEVERAL
    rows = []
    for one in content.listed:
        status = PRIORITY[one.priority]
        mark = {"icon": status.icon, "word": status.word, "tone": status.tone}
        rows.append(
            [
                {"text": one.code, "sub": one.clinician if several else ""},
                {"text": "", "mark": mark, "sub": one.since},
                {"text": ", ".join(one.signals) or MISSING},
                {"text": one.latest},
                {"text": one.alliance},
                {"text": one.why},
            ]
        )
    return {
        "kind": "table",
        "caption": "Open episodes worth discussing",
        "columns": ["Episode", "Status", "Signals", "Outcome", "Alliance", "In detail"],
        "rows": rows,
        "numeric": [],
        "note": "",
    }


def reading_notes(content: Content) -> list[str]:
    """How to read the figures, each sentence once; what the definitions say already is left out."""
    said = {sentence for _, sentence in content.definitions}
    found: dict[str, None] = {}
    for figure in content.figures:
        for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", figure["reading"]):
            if sentence and not any(sentence.endswith(one) for one in said):
                found[sentence] = None
    return list(found)
