"""Step 2 of the assistant: which of our tables each file feeds."""

from __future__ import annotations

import streamlit as st

from dashboard.assist.labels import TABLES
from dashboard.assist.propose import add_target, complete
from dashboard.assist.tables import table_ideas
from dashboard.ui.assistant_controls import cut, line, pick_many, said, tick
from dashboard.ui.assistant_state import Work
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Notice, Para
from dashboard.ui.words import plural


def _fed(work: Work, stem: str) -> list[str]:
    return list(dict.fromkeys(target.table for target in work.draft.targets if target.file == stem))


def _feed(work: Work, stem: str, chosen: list[str]) -> None:
    now = _fed(work, stem)
    for table in now:
        if table not in chosen:
            for target in [one for one in work.draft.of_table(table) if one.file == stem]:
                work.draft.remove(target.uid)
    for table in chosen:
        if table not in now:
            add_target(work.draft, table, stem, work.ground)
    complete(work.draft, work.ground)


def _why(work: Work, stem: str) -> str:
    fed = _fed(work, stem)
    ideas = {one.table: one.why for one in table_ideas(work.sources[stem], work.sources, work.defined)}
    known = [ideas[table] for table in fed if table in ideas]
    if known:
        return known[0]
    if fed:
        return "made from this file, because no other tells of them"
    looked_up = {join["file"] for target in work.draft.targets for join in target.spec.get("join") or []}
    return "looked up for another table" if stem in looked_up else ""


def _row(work: Work, number: int, stem: str) -> None:
    table = work.tables[stem]
    with line(f"table-{number}"):
        said(cut(table.shown, 50), f"{table.read.rows.height:,} rows", width=280)
        pick_many(
            work, f"What file {number} feeds", list(TABLES), _fed(work, stem), lambda chosen: _feed(work, stem, chosen),
            key=f"as-feeds-{number}", shown=lambda one: TABLES[one].name, width=420,
        )  # fmt: skip
        said("", _why(work, stem))


def tables_step(work: Work) -> None:
    """A line for each file; files that feed nothing are folded away."""
    show_blocks(
        [
            Para(
                "Each file may feed one of this program's tables, or several where one file holds everything.",
                quiet=True,
            )
        ]
    )
    stems = list(enumerate(work.tables, start=1))
    for number, stem in stems:
        if _fed(work, stem):
            _row(work, number, stem)
    rest = [(number, stem) for number, stem in stems if not _fed(work, stem)]
    if rest:
        with st.expander(f"{plural(len(rest), 'file')} that feed no table", expanded=len(rest) == len(stems)):
            for number, stem in rest:
                _row(work, number, stem)
    absent = [name for name in ("clinicians", "clients", "episodes") if not work.draft.of_table(name)]
    if absent and work.draft.targets:
        names = ", ".join(TABLES[name].name.lower() for name in absent)
        show_blocks([Notice(f"No file feeds {names}: rows wait until an import brings them.")])
    if work.draft.of_table("scores"):
        tick(
            work, "Every day with a score was an attended session", work.draft.sessions_from_scores,
            lambda on: setattr(work.draft, "sessions_from_scores", on), key="as-derive",
        )  # fmt: skip
