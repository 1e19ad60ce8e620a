"""The caseload as one escaped HTML string: pure, no Streamlit, so that page, paper and tests share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.harmless import escape
from dashboard.ui.sparkline import course, strip
from dashboard.ui.status import CHANGE, PRIORITY, Status
from dashboard.ui.words import MISSING, score


@dataclass(frozen=True)
class Series:
    """A measure in a row: name, range, cut-off, (day, value, flagged, gap before) points, latest value, a sentence."""

    name: str
    better: str
    low: float
    high: float
    cutoff: float | None
    points: Sequence[tuple[float, float, bool, bool]]
    latest: float | None
    label: str


@dataclass(frozen=True)
class CaseloadRow:
    """One open episode as the table shows it. ``leaving``: the chance in natural numbers and what is usual then, or empty.

    ``discussed``: when it was last talked about in a meeting and what was decided.
    """

    public_id: str
    code: str
    sessions: str
    priority: str
    since: str
    since_sort: str
    outcome: Series | None
    change: str
    alliance: Series | None
    alliance_words: str
    appointments: Sequence[tuple[str, str]]
    signals: Sequence[str]
    leaving: tuple[str, str]
    missing: str
    discussed: str = ""


SEVERAL = 3  # up to so many questionnaires are named in a column's head
OPEN_GROUPS = ("talk_first", "worth_discussing")
FOLDED_GROUPS = ("no_signals", "not_enough_data")


def _mark(status: Status) -> str:
    return f'<span class="st {status.tone}"><i aria-hidden="true">{status.icon}</i> {status.word}</span>'


def _measure(series: Series | None, words: str) -> str:
    if series is None:
        return f'<span class="nil">{MISSING}</span><small>{words}</small>'
    picture = course(series.points, series.low, series.high, series.cutoff, series.label)
    return f'{picture} <b>{score(series.latest)}</b> <span class="which">{escape(series.name)}</span><small>{words}</small>'


def _leaving(leaving: tuple[str, str]) -> str:
    chance, usual = leaving
    if not chance:
        return f'<span class="nil">{MISSING}</span>'
    return f"{escape(chance)}<small>usual {escape(usual)}</small>"


def _head(kind: str, series: Sequence[Series | None]) -> str:
    """Outcome (PHQ-9, GAD-7) · lower is better: names where they are few, the direction where they share one."""
    known = [one for one in series if one is not None]
    names = sorted({one.name for one in known})
    directions = {one.better for one in known}
    named = f" ({', '.join(names)})" if 0 < len(names) <= SEVERAL else ""
    return f"{kind}{named}" + (f" · {directions.pop()} is better" if len(directions) == 1 else "")


def _columns(rows: Sequence[CaseloadRow]) -> list[tuple[str, bool]]:
    """Heads of the columns, and whether one can sort by them."""
    return [
        ("Episode", True),
        ("Status", True),
        (_head("Outcome", [row.outcome for row in rows]), True),
        (_head("Alliance", [row.alliance for row in rows]), True),
        ("Last appointments", False),
        ("Signals", False),
        ("May end without agreement, next 4 sessions", False),
    ]


def _row(row: CaseloadRow) -> str:
    status = PRIORITY[row.priority]
    change = CHANGE[row.change]
    code = escape(row.code)
    chips = "".join(f"<li>{escape(one)}</li>" for one in row.signals)
    missing = f"<small>{escape(row.missing)}</small>" if row.missing else ""
    signals = f'<ul class="chips">{chips}</ul>' if chips else f'<span class="nil">{MISSING}</span>'
    discussed = f"<small>{escape(row.discussed)}</small>" if row.discussed else ""
    text = escape(" ".join([row.code, status.word, change.word, *row.signals]).lower())

    def sort(series: Series | None) -> str:
        return "" if series is None or series.latest is None else f"{series.latest:g}"

    return (
        f'<tr data-text="{text}">'
        f'<th scope="row" data-label="Episode" data-sort="{code}">'
        f'<a href="episode?episode={escape(row.public_id)}" target="_self">{code}</a><small>{escape(row.sessions)}</small>'
        f"{discussed}</th>"
        f'<td data-label="Status" data-sort="{status.order}{escape(row.since_sort)}">'
        f"{_mark(status)}<small>{escape(row.since)}</small></td>"
        f'<td data-label="Outcome" data-sort="{sort(row.outcome)}">'
        f"{_measure(row.outcome, _mark(change))}</td>"
        f'<td data-label="Alliance" data-sort="{sort(row.alliance)}">{_measure(row.alliance, escape(row.alliance_words))}</td>'
        f'<td data-label="Last appointments">{strip(row.appointments)}</td>'
        f'<td data-label="Signals">{signals}{missing}</td>'
        f'<td data-label="May end without agreement, next 4 sessions">{_leaving(row.leaving)}</td></tr>'
    )


def _table(rows: Sequence[CaseloadRow], caption: str) -> str:
    heads = "".join(
        f'<th scope="col"><button type="button">{escape(name)}<span class="arrow" aria-hidden="true"></span></button></th>'
        if can_sort
        else f'<th scope="col"><span>{escape(name)}</span></th>'
        for name, can_sort in _columns(rows)
    )
    body = "".join(_row(row) for row in rows)
    return (
        f'<div class="scroll" role="region" aria-label="{escape(caption)}" tabindex="0"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def ordered(rows: Sequence[CaseloadRow]) -> list[CaseloadRow]:
    """By status word, then by how long the signal has stood: never by a score."""
    return sorted(rows, key=lambda row: (PRIORITY[row.priority].order, row.since_sort, row.code))


def table_html(rows: Sequence[CaseloadRow]) -> str:
    """What is worth discussing as a table; the rest folded away under its count."""
    rows = ordered(rows)
    first = [row for row in rows if row.priority in OPEN_GROUPS]
    parts = (
        [_table(first, "Open episodes worth discussing")]
        if first
        else ['<p class="calm">Nothing stands out this week.</p>']
    )
    for group in FOLDED_GROUPS:
        members = [row for row in rows if row.priority == group]
        if members:
            word = PRIORITY[group].word
            table = _table(members, f"Open episodes: {word.lower()}")
            parts.append(f"<details><summary>{word} ({len(members)})</summary>{table}</details>")
    return "".join(parts)
