"""Files of a snapshot of ten episodes: time and size, beside a PDF that holds the same text and no figure."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import polars as pl
from sqlalchemy import Engine

from dashboard.access import operator_scope
from dashboard.demo.practice import build
from dashboard.evaluation import ensure_current
from dashboard.packets import Reader, caseload_draft
from dashboard.settings import Settings
from dashboard.snapshot.content import Content, Made
from dashboard.snapshot.files import checked_drawings
from dashboard.snapshot.html import html_file
from dashboard.snapshot.local_drawing import browser, draw
from dashboard.snapshot.pdf import pdf_file
from dashboard.snapshot.tables import zip_file
from queries import caseload, practices
from queries.engine import open_engine, reading, writing
from queries.frames import read_frame
from queries.schema import migrate
from queries.store import store_batch

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 14, 5)
TIMES = 5


def _practice() -> Engine:
    engine = open_engine("sqlite://")
    migrate(engine)
    batch = build(7, 12, 600, TODAY)
    with writing(engine) as connection:
        practice_id = practices.ensure_practice(connection, "Benchmark", NOW)
        store_batch(connection, practice_id, "files", batch, today=TODAY, now=NOW, username=None)
    ensure_current(engine, Settings(timezone="UTC"), practice_id, NOW)
    return engine


def _best(act: Callable[[], bytes]) -> tuple[float, int]:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        data = act()
        took.append(time.perf_counter() - began)
    return min(took), len(data)


def _without_figures(content: Content) -> Content:
    def kept(blocks: tuple[dict[str, object], ...]) -> tuple[dict[str, object], ...]:
        return tuple(block for block in blocks if block["kind"] != "figure")

    return replace(content, sections=tuple(replace(one, blocks=kept(one.blocks)) for one in content.sections))


def run() -> None:
    """Prints milliseconds and kilobytes of each format."""
    engine = _practice()
    made = Made("R. Okafor", NOW)
    with reading(engine) as connection:
        states = read_frame(connection, caseload.states(operator_scope(1)))
        worth = states.filter(pl.col("priority").is_in(["talk_first", "worth_discussing"]))
        busiest = worth["clinician_id"].value_counts(sort=True)["clinician_id"].to_list()[:2]
        began = time.perf_counter()
        content = caseload_draft(Reader(connection, operator_scope(1), TODAY), busiest).content
        gathered = time.perf_counter() - began
    print(
        f"snapshot: {len(content.figures)} episodes in detail, {len(content.listed)} named; gathered in {gathered * 1000:.0f} ms"
    )
    if browser() is None:
        print("  no browser on this machine: drawings and PDF are left out")
        seconds, size = _best(lambda: html_file(content, made, None))
        print(f"  html, interactive: {seconds * 1000:.0f} ms, {size / 1000:.0f} kB")
        return
    began = time.perf_counter()
    raw = draw(content.figures)
    print(f"  drawn by the browser of this machine in {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    drawings = checked_drawings(content, raw)
    print(f"  cleaned and checked in {(time.perf_counter() - began) * 1000:.0f} ms")
    bare = _without_figures(content)
    baseline, _ = _best(lambda: pdf_file(bare, made, []))
    print(f"  pdf without figures: {baseline * 1000:.0f} ms")
    for name, act in (
        ("pdf", lambda: pdf_file(content, made, drawings)),
        ("html", lambda: html_file(content, made, drawings)),
        ("html, interactive", lambda: html_file(content, made, None)),
        ("zip", lambda: zip_file(content, made)),
    ):
        seconds, size = _best(act)
        ratio = f", {seconds / baseline:.1f} times the PDF without figures" if name == "pdf" else ""
        print(f"  {name}: {seconds * 1000:.0f} ms, {size / 1000:.0f} kB{ratio}")
