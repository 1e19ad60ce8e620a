"""A snapshot as one HTML file that opens without a network: figures as drawings, or alive where none were drawn."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from plotly.offline import get_plotlyjs

from dashboard.charts.style import CONFIG
from dashboard.harmless import escape
from dashboard.snapshot.content import Content, Frozen, Made, Section, is_past, levelled, running_line
from dashboard.snapshot.first_page import agenda, first_facts, reading_notes
from dashboard.snapshot.freeze import LINES

_HERE = Path(__file__).parent
PAGE_SIZES = {"a4": "A4", "letter": "letter"}
_ALIVE = """for (const one of JSON.parse(document.getElementById("figures").textContent)) {
  Plotly.newPlot(one.place, one.figure.data, Object.assign({}, one.figure.layout, {height: one.height}), one.config);
}"""


def html_file(content: Content, made: Made, drawings: Sequence[str] | None, *, paper: str = "a4") -> bytes:
    """The file. ``drawings``: one cleaned SVG for each figure; null sets them alive with Plotly's own program inside."""
    figures = iter(range(len(content.figures)))
    body = "".join(
        [
            _front(content, made),
            *(_section(section, figures, drawings) for section in content.sections),
            _last(content),
        ]
    )  # fmt: skip
    style = _style(running_line(content, made), paper)
    scripts = [] if drawings is not None else [get_plotlyjs(), _ALIVE]
    data = "" if drawings is not None else _data(content)
    live = "".join(f"<script>{text}</script>" for text in scripts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, scripts)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(content.title)}</title><style>{style}</style></head><body>"
        f'<main>{body}</main><footer class="made">{escape(running_line(content, made))}</footer>{data}{live}</body></html>\n'
    ).encode()


def _policy(style: str, scripts: Sequence[str]) -> str:
    """Nothing from outside. A file with drawings runs no script at all; Plotly's program needs styles and pictures of its own."""
    if not scripts:
        return f"default-src 'none'; style-src {_sha(style)}; base-uri 'none'; form-action 'none'"
    allowed = " ".join(_sha(text) for text in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _sha(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _style(footer: str, paper: str) -> str:
    said = "".join(f"\\{ord(sign):x} " for sign in footer)
    page = (
        f"@page {{ size: {PAGE_SIZES[paper]}; margin: 14mm 14mm 18mm; "
        f'@bottom-left {{ content: "{said}"; font: 8pt sans-serif; color: #52606D; white-space: nowrap }} '
        '@bottom-right { content: "page " counter(page); font: 8pt sans-serif; color: #52606D } }\n'
    )
    return page + (_HERE / "snapshot.css").read_text("utf-8")


def _data(content: Content) -> str:
    figures = [
        {"place": f"figure-{place}", "figure": one["figure"], "height": one["height"], "config": CONFIG}
        for place, one in enumerate(content.figures)
    ]
    # inside a script element only "<" could end it early
    text = json.dumps(figures, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="figures">{text}</script>'


# --------------------------------------------------------------------------- parts


def _front(content: Content, made: Made) -> str:
    facts = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(value)}</dd></div>" for what, value in first_facts(content, made)
    )
    coverage = f'<p class="quiet">{escape(content.coverage)}</p>' if content.coverage else ""
    summary = f'<p class="lead">{escape(content.summary)}</p>' if content.summary else ""
    listed = f"<h2>Episodes</h2>{_table(agenda(content))}" if content.listed else ""
    return (
        f'<header><p class="quiet">{escape(content.practice)}</p><h1>{escape(content.title)}</h1></header>'
        f'<dl class="first">{facts}</dl>{summary}{coverage}{listed}'
    )


def _section(section: Section, figures: Iterator[int], drawings: Sequence[str] | None) -> str:
    lines = f'<div class="lines"><p class="quiet">Notes</p>{"<hr>" * LINES}</div>' if section.notes else ""
    inner = "".join(_block(one, figures, drawings, level) for one, level in levelled(section.blocks))
    own = ' class="own"' if section.own_page else ""
    return f"<section{own}><h2>{escape(section.title)}</h2>{inner}{lines}</section>"


def _last(content: Content) -> str:
    terms = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in content.definitions)
    versions = ", ".join(f"{title} {version}" for title, version in content.signal_versions)
    reading = "".join(f"<li>{escape(one)}</li>" for one in reading_notes(content))
    limits = "".join(f"<li>{escape(one)}</li>" for one in content.limits)
    parts = [
        f"<h3>Definitions used</h3><dl class='terms'>{terms}</dl>" if terms else "",
        f"<h3>How to read the figures</h3><ul>{reading}</ul>" if reading else "",
        f"<h3>Signals and their versions</h3><p>{escape(versions)}</p>" if versions else "",
        f"<h3>Limits</h3><ul>{limits}</ul>",
        f'<p class="quiet">Rules {escape(content.rules_version)} · models {escape(content.model_version or "none")} · '
        f"content {content.hash}</p>",
    ]
    return f'<section class="own"><h2>About this copy</h2>{"".join(parts)}</section>'


def _mark(mark: Frozen) -> str:
    icon = f'<i aria-hidden="true">{escape(mark["icon"])}</i>'
    return f'<span class="st {escape(mark["tone"])}">{icon} {escape(mark["word"])}</span>'


def _cell(cell: Frozen) -> str:
    text = escape(cell["text"])
    if cell.get("mark"):
        text = f"{_mark(cell['mark'])} {text}".strip()
    if cell.get("words"):
        text = f'<span role="img" aria-label="{escape(cell["words"])}">{text}</span>'
    return text + (f"<small>{escape(cell['sub'])}</small>" if cell.get("sub") else "")


def _table(table: Frozen) -> str:
    side = dict.fromkeys(table["numeric"], ' class="num"')
    heads = "".join(f'<th scope="col"{side.get(i, "")}>{escape(name)}</th>' for i, name in enumerate(table["columns"]))
    rows = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{_cell(cell)}</th>' if i == 0 else f"<td{side.get(i, '')}>{_cell(cell)}</td>"
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for row in table["rows"]
    )
    note = f'<p class="quiet">{escape(table["note"])}</p>' if table.get("note") else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(table["caption"])}"><table>'
        f"<caption>{escape(table['caption'])}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )


def _figure(block: Frozen, place: int, drawings: Sequence[str] | None) -> str:
    picture = (
        drawings[place]
        if drawings is not None
        else f'<div id="figure-{place}" class="alive" role="img" aria-label="{escape(block["alt"])}"></div>'
    )
    numbers = {
        "caption": block["headline"],
        "columns": block["columns"],
        "rows": [[{"text": cell} for cell in row] for row in block["rows"]],
        "numeric": [],
    }
    return (
        f"<figure><h3>{escape(block['headline'])}</h3><p class='quiet'>{escape(block['subtitle'])}</p>{picture}</figure>"
        f'<details class="screen"><summary>How to read this</summary><p>{escape(block["reading"])}</p></details>'
        f'<details class="screen"><summary>Show the numbers</summary>{_table(numbers)}</details>'
    )


def _signal(one: Frozen, level: int) -> str:
    prompt = f'<p class="prompt">{escape(one["prompt"])}</p>' if one["stands"] else ""
    answer = f'<p class="answer">{escape(one["answer"])}</p>' if one["answer"] else ""
    source = f"<p><small>{escape(one['source'])}</small></p>" if one["stands"] else ""
    tone = "stands" if one["stands"] else "past"
    return (
        f'<li class="{tone}"><h{level}>{escape(one["title"])}</h{level}><p><small>{escape(one["when"])}</small></p>'
        f"<p>{escape(one['evidence'])}</p>{prompt}{answer}{source}</li>"
    )


def _block(block: Frozen, figures: Iterator[int], drawings: Sequence[str] | None, level: int = 4) -> str:
    match block["kind"]:
        case "lead":
            said = _mark(block["mark"]) if block["mark"] else escape(block["sentence"])
            note = f'<p class="quiet">{escape(block["note"])}</p>' if block["note"] else ""
            return f'<p class="lead">{said}</p>{note}'
        case "notice":
            return f'<p class="notice {escape(block["tone"])}">{escape(block["text"])}</p>'
        case "heading":
            note = f'<p class="quiet">{escape(block["note"])}</p>' if block["note"] else ""
            return f"<h3>{escape(block['text'])}</h3>{note}"
        case "para":
            return f"<p{' class=quiet' if block['quiet'] else ''}>{escape(block['text'])}</p>"
        case "term":
            return f"<h{level}>{escape(block['name'])}</h{level}><p>{escape(block['text'])}</p>"
        case "facts":
            items = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in block["items"])
            return f'<dl class="facts">{items}</dl>'
        case "table":
            return _table(block)
        case "signals":
            return f'<ul class="signals">{"".join(_signal(one, level) for one in block["items"])}</ul>'
        case "figure":
            return _figure(block, next(figures), drawings)
        case "fold":
            inner = "".join(_block(one, figures, drawings) for one in block["blocks"])
            if is_past(block):
                return f"<details><summary>{escape(block['label'])}</summary>{inner}</details>"
            return f"<div><h3>{escape(block['label'])}</h3>{inner}</div>"
        case other:
            raise TypeError(f"{other} has no place in a file")
