"""How other files are looked up for a table, and which of its rows count."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from dashboard.assist.draft import Target
from dashboard.assist.profile import CLOSED as FEW_WORDS
from dashboard.ui.assistant_controls import cut, line, pick, pick_many, said, tick
from dashboard.ui.assistant_state import Work
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Para


def links(work: Work, target: Target) -> None:
    """The joins of a table and the rows that it takes, folded away: a proposal is seldom changed here."""
    joins = target.spec.get("join") or []
    if joins:
        with st.expander(f"How other files are looked up ({len(joins)})"):
            for number, join in enumerate(joins):
                _join(work, target, number, join)
    if target.file in work.sources:
        with st.expander("Which rows count"):
            _rows(work, target)


def _left_names(work: Work, target: Target, number: int) -> list[str]:
    """The columns there are before a join: the file's own, and those of joins that stand before it."""
    names = list(work.sources[target.file].names) if target.file in work.sources else []
    for join in (target.spec.get("join") or [])[:number]:
        if join["file"] in work.sources:
            names += [f"{join['file']}.{name}" for name in work.sources[join["file"]].names]
    return names


def _join(work: Work, target: Target, number: int, join: dict[str, Any]) -> None:
    other = work.sources.get(join["file"])
    theirs = list(other.names) if other else list(join["on"].values())
    left = _left_names(work, target, number)
    pairs = [(mine, name) for name in theirs for mine in left if mine.rpartition(".")[2] == name]
    pairs = list(dict.fromkeys([*join["on"].items(), *pairs]))
    chosen = next((kind for kind in ("most", "earliest", "latest") if join.get(kind)), "")
    words = {"most": "the most frequent", "earliest": "the row with the earliest", "latest": "the row with the latest"}
    most = f"{words[chosen]} {join[chosen]}" if chosen else "the first row that matches"
    key = f"{target.uid}-{number}"
    show_blocks([Para(f"{cut(join['file'], 80)}: {most}")])

    def write(chosen: list[tuple[str, str]]) -> None:
        if chosen:
            join["on"] = dict(chosen)

    pick_many(
        work, "Where these agree", pairs, list(join["on"].items()), write, key=f"as-on-{key}", visible=True,
        shown=lambda pair: f"{pair[0]} = {pair[1]}",
    )  # fmt: skip
    _another_pair(work, join, left, theirs, key)
    _within(work, join, [*left, *theirs], key)


def _another_pair(work: Work, join: dict[str, Any], left: list[str], theirs: list[str], key: str) -> None:
    """Two columns of different names that hold the same ids."""
    holder = st.session_state.setdefault(f"as-pair-{key}", ["", ""])
    with line(f"pair-{key}"):
        said("Also where", width=120)
        pick(work, "Column here", ["", *left], holder[0], lambda one: holder.__setitem__(0, one), key=f"as-pair-l-{key}",
             width=240, shown=lambda one: one or "Column here")  # fmt: skip
        pick(work, "Column there", ["", *theirs], holder[1], lambda one: holder.__setitem__(1, one), key=f"as-pair-r-{key}",
             width=240, shown=lambda one: one or "Column there")  # fmt: skip

        def add() -> None:
            work.changed()
            join["on"] = join["on"] | {holder[0]: holder[1]}
            st.session_state[f"as-pair-{key}"] = ["", ""]

        st.button("Add", key=f"as-pair-add-{key}", on_click=add, disabled=not all(holder))


def _within(work: Work, join: dict[str, Any], names: list[str], key: str) -> None:
    within = join.get("within")

    def switch(on: bool) -> None:
        if on:
            join["within"] = {"day": names[0], "start": names[0], "end": names[0]}
        else:
            join.pop("within", None)

    tick(work, "Only where a day lies within a period", bool(within), switch, key=f"as-within-{key}")
    if not within:
        return
    with line(f"within-{key}"):
        for part, words in (("day", "Day"), ("start", "From"), ("end", "To")):
            said(words, width=60)
            pick(
                work, words, list(dict.fromkeys(names)), within[part], partial(within.__setitem__, part),
                key=f"as-within-{part}-{key}", width=240,
            )  # fmt: skip


def _rows(work: Work, target: Target) -> None:
    source = work.sources[target.file]
    wheres = target.spec.get("where") or []
    where = next((one for one in wheres if one.get("in")), None)
    others = [one for one in wheres if one is not where]
    closed = [name for name in source.names if 0 < source.profile(name).distinct <= FEW_WORDS]
    if work.masked:  # what is chosen here stands in the mapping, where nobody may read a client's value
        closed = [
            name for name in closed if all(work.shown_word(word) == word for word, _ in source.profile(name).words)
        ]
    uid = target.uid

    def column(name: str) -> None:
        target.spec["where"] = (
            [*others, {"column": name, "in": [w for w, _ in source.profile(name).words]}] if name else others
        )

    with line(f"where-{uid}"):
        said("Only rows in which", width=180)
        pick(work, "Only rows in which", ["", *closed], where["column"] if where else "", column, key=f"as-where-{uid}",
             shown=lambda one: one or "every row counts")  # fmt: skip
    if where is not None and where["column"] in source.names:
        profile = source.profile(where["column"])
        words = dict(profile.words)

        def write(chosen: list[str]) -> None:
            if chosen:
                where["in"] = chosen

        pick_many(
            work, "holds one of", list(words), list(where["in"]), write, key=f"as-where-in-{uid}", visible=True,
            shown=lambda one: f"{work.shown_word(one)} ({words.get(one, 0)})",
        )  # fmt: skip
    once = target.spec.get("once_by")
    if target.table not in ("clinicians", "clients", "episodes") and not isinstance(once, list):
        options = ["", *source.names]
        with line(f"once-{uid}"):
            said("Only the first row of each", width=220)
            pick(
                work, "Only the first row of each", options, once or "",
                lambda one: target.spec.__setitem__("once_by", one or None), key=f"as-once-{uid}",
                shown=lambda one: one or "every row counts",
            )  # fmt: skip
