"""The files of a snapshot, made from its content, who made it, and the drawings of its figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.snapshot.content import Content, Made
from dashboard.snapshot.drawing import Unfit, drawn
from dashboard.snapshot.html import html_file
from dashboard.snapshot.pdf import pdf_file
from dashboard.snapshot.tables import zip_file

MEDIA = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "json": "application/json",
}
SHOWN = {"html": "HTML", "pdf": "PDF", "zip": "CSV tables"}


@dataclass(frozen=True)
class Files:
    """Format to bytes; ``problem`` says in words why there is no PDF, empty where there is one."""

    data: dict[str, bytes]
    problem: str = ""


def checked_drawings(content: Content, raw: Sequence[str]) -> list[str]:
    """Each raw SVG cleaned and checked against its figure. Raises Unfit where one is missing or cannot be used."""
    figures = content.figures
    if len(raw) != len(figures):
        raise Unfit(f"{len(raw)} drawn figures came for {len(figures)}.")
    return [drawn(text, figure, f"f{place}") for place, (text, figure) in enumerate(zip(raw, figures, strict=True))]


def every_file(content: Content, made: Made, raw: Sequence[str] | None, *, paper: str) -> Files:
    """All formats. Where the drawings are missing or unfit the HTML is interactive, there is no PDF, and it says why."""
    kept = {"json": content.canonical, "zip": zip_file(content, made)}
    try:
        if raw is None:
            raise Unfit("Your browser could not draw the figures.")
        drawings = checked_drawings(content, raw)
    except Unfit as error:
        alive = kept | {"html": html_file(content, made, None, paper=paper)}
        return Files(alive, f"{error} The HTML holds them in interactive form; there is no PDF this time.")
    return Files(
        kept
        | {
            "html": html_file(content, made, drawings, paper=paper),
            "pdf": pdf_file(content, made, drawings, paper=paper),
        }
    )


def file_name(content: Content, about: str, form: str) -> str:
    """supervision-snapshot_2026-11-20_07.html: the day and the supervisee's own id, in plain letters."""
    code = re.sub(r"[^A-Za-z0-9.-]+", "-", about).strip("-.")[:40] or "practice"
    return f"supervision-snapshot_{content.as_of.isoformat()}_{code}.{form}"
