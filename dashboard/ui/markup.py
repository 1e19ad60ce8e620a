"""Parts of a view as escaped HTML: pure, so that the page, the tests and later the paper share them."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.harmless import escape
from dashboard.ui.status import Status
from dashboard.ui.view import (
    Block,
    Cell,
    Download,
    Facts,
    Fold,
    Heading,
    Lead,
    Legend,
    Notice,
    Para,
    RaisedSignal,
    Signals,
    Table,
    Term,
)

LEGEND = (
    "■ attended · □ cancelled · ✕ did not attend · ✓ booked · dotted line: clinical cut-off · ◆ on a line: the point that "
    "raised a signal · ▲ better, ▼ worse, whichever way the questionnaire counts"
)


def mark(status: Status) -> str:
    """Icon and word; the icon is not read aloud."""
    return f'<span class="st {status.tone}"><i aria-hidden="true">{status.icon}</i> {escape(status.word)}</span>'


GLYPHS = {"a": "■", "c": "□", "x": "✕", "b": "✓"}


def _strip(marks: Sequence[tuple[str, str]]) -> str:
    """Appointments as characters: the page's sanitiser drops SVG, which only the caseload's own component may draw."""
    label = "Oldest first: " + ", ".join(words for _, words in marks)
    boxes = "".join(f'<i class="{kind}" aria-hidden="true">{GLYPHS[kind]}</i>' for kind, _ in marks)
    return f'<span class="strip" role="img" aria-label="{escape(label)}">{boxes}</span>'


def _cell(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    text = mark(cell.mark) if cell.mark else escape(cell.text)
    if cell.strip:
        text = _strip(cell.strip) + text
    if cell.href:
        text = f'<a href="{escape(cell.href)}" target="_self">{text}</a>'
    return text + (f"<small>{escape(cell.sub)}</small>" if cell.sub else "")


def _table(table: Table) -> str:
    def side(place: int) -> str:
        return ' class="num"' if place in table.numeric else ""

    heads = "".join(f'<th scope="col"{side(i)}>{escape(name)}</th>' for i, name in enumerate(table.columns))
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row"{side(i)}>{_cell(cell)}</th>' if i == 0 else f"<td{side(i)}>{_cell(cell)}</td>"
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="quiet">{escape(table.note)}</p>' if table.note else ""
    caption = escape(table.caption)
    return (
        f'<div class="sv-scroll" role="region" aria-label="{caption}" tabindex="0"><table class="sv-table">'
        f"<caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>{note}"
    )


def _signal(one: RaisedSignal) -> str:
    tone = "stands" if one.stands else "past"
    prompt = f'<p class="prompt">{escape(one.prompt)}</p>' if one.stands else ""
    source = f"<p><small>{escape(one.source)}</small></p>" if one.stands else ""
    answer = f'<p class="answer">{escape(one.answer)}</p>' if one.answer else ""
    return (
        f'<li class="{tone}"><h3>{escape(one.title)}</h3><p><small>{escape(one.when)}</small></p>'
        f"<p>{escape(one.evidence)}</p>{prompt}{answer}{source}</li>"
    )


def _fold(fold: Fold) -> str:
    return f"<details><summary>{escape(fold.label)}</summary>{markup(fold.blocks)}</details>"


def _facts(facts: Facts) -> str:
    items = "".join(f"<div><dt>{escape(what)}</dt><dd>{escape(value)}</dd></div>" for what, value in facts.items)
    return f'<dl class="facts">{items}</dl>'


def _notice(notice: Notice) -> str:
    return f'<p class="notice {escape(notice.tone)}" role="status">{escape(notice.text)}</p>'


def block_html(block: Block) -> str:
    """One part. Raises TypeError for a part that only a browser can draw."""
    match block:
        case Lead():
            note = f'<p class="quiet">{escape(block.note)}</p>' if block.note else ""
            said = mark(block.mark) if block.mark else escape(block.sentence)
            return f'<p class="lead">{said}</p>{note}'
        case Notice():
            return _notice(block)
        case Heading():
            note = f'<p class="quiet">{escape(block.note)}</p>' if block.note else ""
            return f"<h2>{escape(block.text)}</h2>{note}"
        case Para():
            return f'<p class="{"quiet" if block.quiet else "text"}">{escape(block.text)}</p>'
        case Term():
            return f'<div class="term"><h3>{escape(block.name)}</h3><p class="text">{escape(block.text)}</p></div>'
        case Facts():
            return _facts(block)
        case Table():
            return _table(block)
        case Signals():
            return f'<ul class="signals">{"".join(_signal(one) for one in block.items)}</ul>'
        case Fold():
            return _fold(block)
        case Download():
            return f'<p><a href="{escape(block.href)}" target="_self">{escape(block.label)}</a></p>'
        case Legend():
            return f'<p class="quiet legend">{LEGEND}</p>'
        case _:
            raise TypeError(f"{type(block).__name__} is not drawn as HTML")


def markup(blocks: Sequence[Block]) -> str:
    """Several parts, one after another."""
    return "".join(block_html(block) for block in blocks)
