"""Instruments in the assistant: which one a file holds, its items, numbers for answers, one of the practice's own."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from dashboard.assist.draft import Target, unpivoted
from dashboard.assist.scores import INATTENTIVE, renumber
from dashboard.assist.survey import counted_labels, likely_instruments, survey_of
from dashboard.errors import UnusableInput
from dashboard.instruments.own import own_instruments
from dashboard.ui.assistant_controls import cut, line, pick, pick_many, said, write_text
from dashboard.ui.assistant_state import Work, state
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Notice, Para, Table

OWN = "\0own"
KEY = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


def _names(work: Work) -> dict[str, str]:
    return {key: one.name for key, one in work.defined.items()}


def instrument_topic(work: Work, target: Target) -> None:
    """Which instrument, and for columns side by side which are its items."""
    source = work.sources.get(target.file)
    if unpivoted(str(target.columns.get("instrument", {}).get("column") or "")):
        _totals(work, target)
        return
    now = str(target.columns.get("instrument", {}).get("constant") or "")
    likely: dict[str, str] = {}
    if source is not None and target.is_survey and (survey := survey_of(source)):
        likely = dict(likely_instruments(survey, source, work.defined))
    names = _names(work)
    options = [*likely, *(key for key in names if key not in likely)]

    def write(key: str) -> None:
        if key == OWN:
            st.session_state["as-own-asked"] = target.uid
            return
        target.columns["instrument"] = {"constant": key}
        target.why["instrument"] = likely.get(key, "chosen by you")
        if target.is_survey and source is not None:
            renumber(target, source, work.defined)

    with line(f"inst-{target.uid}"):
        said("The instrument is", width=210)
        pick(
            work, "The instrument is", ["", *options, OWN], now, write, key=f"as-inst-{target.uid}",
            shown=lambda key: "Choose" if not key else "One of your own …" if key == OWN else names.get(key, key),
        )  # fmt: skip
        said("", target.why.get("instrument", ""))
    if st.session_state.get("as-own-asked") == target.uid:
        _own_key(work, target)
    if target.is_survey:
        _items(work, target)
    elif now and now not in names:
        show_blocks(
            [Notice("This instrument is not known here yet. Define it under the topic that bears its name.", "orange")]
        )


def _own_key(work: Work, target: Target) -> None:
    def write(key: str) -> None:
        if KEY.fullmatch(key):
            target.columns["instrument"] = {"constant": key}
            st.session_state.pop("as-own-asked", None)
        else:
            work.said = "A short name is of small letters, digits and _, and begins with a letter, such as bdi2."

    with line(f"ownkey-{target.uid}"):
        said("A short name for it", "small letters, digits and _", width=210)
        write_text(work, "A short name for it", "", write, key=f"as-ownkey-{target.uid}", width=220, most=40)


def _totals(work: Work, target: Target) -> None:
    names = _names(work)
    show_blocks([Para("Each of these columns holds the totals of one instrument.")])
    for number, (column, label) in enumerate(list(target.spec["unpivot"].items())):

        def write(key: str, column: str = column) -> None:
            target.spec["unpivot"] = {
                name: key if name == column else old
                for name, old in target.spec["unpivot"].items()
                if key or name != column
            }

        with line(f"total-{target.uid}-{number}"):
            said(cut(column), width=260)
            pick(work, f"Column {number + 1} holds", ["", *names], label, write, key=f"as-total-{target.uid}-{number}",
                 shown=lambda key: names.get(key, key) if key else "Nothing of this kind")  # fmt: skip


def _items(work: Work, target: Target) -> None:
    """Items in file order, and columns that only check attention."""
    source = work.sources.get(target.file)
    if source is None:
        return
    items = list(target.spec["unpivot"])
    checks = target.spec.get("check") or []
    checked = [one["column"] for one in checks]
    instrument = work.defined.get(str(target.columns.get("instrument", {}).get("constant") or ""))
    if instrument and instrument.items and instrument.items != len(items):
        words = f"{instrument.name} has {instrument.items} items; {len(items)} columns are chosen."
        show_blocks([Notice(words, "orange")])
    rows = [[f"item {number}", cut(name, 120)] for number, name in enumerate(items, start=1)]
    show_blocks([Table("Items in the order of the file", ("Item", "Column"), rows)])

    def write_items(chosen: list[str]) -> None:
        kept = [name for name in source.names if name in chosen]
        target.spec["unpivot"] = {name: f"item_{number}" for number, name in enumerate(kept, start=1)}
        target.spec["check"] = [one for one in checks if one["column"] not in kept]

    def write_checks(chosen: list[str]) -> None:
        kept = [one for one in checks if one["column"] in chosen]
        for name in chosen:
            if name not in checked:
                top = source.profile(name).words
                kept.append({"column": name, "equals": top[0][0] if top else "", "reason": INATTENTIVE})
        target.spec["check"] = kept
        write_items([name for name in items if name not in chosen])

    with st.expander("Which columns are items"):
        pick_many(work, "Which columns are items", source.names, items, write_items, key=f"as-items-{target.uid}",
                  shown=lambda name: cut(name, 40))  # fmt: skip
    with st.expander(f"Columns that only check attention ({len(checks)})", expanded=bool(checks)):
        pick_many(work, "Columns that only check attention", source.names, checked, write_checks,
                  key=f"as-checks-{target.uid}", shown=lambda name: cut(name, 40))  # fmt: skip
        for number, one in enumerate(checks):
            _check(work, target, source, number, one)


def _check(work: Work, target: Target, source: Any, number: int, one: dict[str, Any]) -> None:
    words = dict(source.profile(one["column"]).words) if one["column"] in source.names else {}
    wrong = sum(count for word, count in words.items() if word != one["equals"])
    labels = counted_labels(source, [*target.spec["unpivot"], one["column"]])
    with line(f"check-{target.uid}-{number}"):
        said(cut(one["column"], 80), f"{wrong:,} rows answer otherwise and would be set aside", width=360)
        pick(work, f"Check {number + 1} asks for", list(labels), one["equals"], lambda w: one.__setitem__("equals", w),
             key=f"as-check-{target.uid}-{number}", width=220,
             shown=lambda w: work.shown_word(w))  # fmt: skip


def answers_topic(work: Work, target: Target) -> None:
    """Every distinct answer with its count and the number that it stands for."""
    source = work.sources.get(target.file)
    if source is None:
        return
    labels = counted_labels(source, list(target.spec.get("unpivot") or {}))
    values: dict[str, str] = dict(target.columns["value"].get("values") or {})
    order = sorted(labels, key=lambda label: (values.get(label) is None, float(values.get(label) or 0), label))
    show_blocks([Para(f"Proposed: {target.why.get('value') or 'nothing'}.", quiet=True)])
    for number, label in enumerate(order):
        _answer(work, target, values, label, labels, number)

    def turn() -> None:
        work.changed()
        numbers = sorted(values.values(), key=float)
        falling = sorted(values, key=lambda label: float(values[label]), reverse=True)
        target.columns["value"]["values"] = dict(zip(falling, numbers, strict=True))

    st.button("Turn the numbers round", on_click=turn, disabled=len(values) < 2, key=f"as-turn-{target.uid}")
    instrument = work.defined.get(str(target.columns.get("instrument", {}).get("constant") or ""))
    if instrument and instrument.item_minimum is not None and instrument.item_maximum is not None:
        low, high = f"{instrument.item_minimum:g}", f"{instrument.item_maximum:g}"
        show_blocks(
            [
                Para(
                    f"Items of {instrument.name} count from {low} to {high}; {instrument.better} totals are better.",
                    quiet=True,
                )
            ]
        )


def _answer(
    work: Work, target: Target, values: dict[str, str], label: str, labels: dict[str, int], number: int
) -> None:
    place = sorted(labels).index(label)
    key = f"as-answer-{target.uid}-{place}"

    def changed() -> None:
        work.changed()
        given = state(key)
        if given is None:
            values.pop(label, None)
        else:
            values[label] = f"{given:g}"
        target.columns["value"]["values"] = values

    with line(f"answer-{target.uid}-{place}"):
        said(cut(work.shown_word(label)), f"{labels[label]:,} answers", width=260)
        st.session_state[key] = float(values[label]) if label in values else None
        st.number_input(
            f"Number for answer {number + 1}", value=None, step=1.0, format="%g", key=key, on_change=changed, width=140,
            label_visibility="collapsed",
        )  # fmt: skip


def _span(work: Work, key: str) -> tuple[str, int | None]:
    """What the scores that name this key look like, in words, and how many items they have."""
    for target in work.draft.of_table("scores"):
        if target.columns.get("instrument", {}).get("constant") != key:
            continue
        if target.is_survey:
            return "", len(target.spec["unpivot"])
        at = work.reach(target).get(str(target.columns.get("value", {}).get("column")))
        if at is not None:
            profile = work.sources[at.source].profile(at.column)
            if profile.low is not None and profile.high is not None and not work.masked:
                return f"The file holds values from {profile.low:g} to {profile.high:g}.", None
    return "", None


def own_topic(work: Work, key: str) -> None:
    """An instrument of the practice's own: its range and direction are enough; the rest can follow in instruments.toml."""
    defined = next((one for one in work.draft.instruments if one.get("key") == key), {})
    span, items = _span(work, key)
    show_blocks([Para(f"This program does not know {key}. What is its range, and which way is better? {span}")])
    with st.form(f"as-own-{key}", border=False):
        name = st.text_input("Its name", value=str(defined.get("name", key.upper())), max_chars=120)
        kinds = ["outcome", "alliance"]
        left, right = st.columns(2)
        kind = left.selectbox(
            "It measures", kinds, index=kinds.index(defined.get("kind", "outcome")),
            format_func=lambda one: "how the client is doing" if one == "outcome" else "the alliance",
        )  # fmt: skip
        ways = ["lower", "higher"]
        better = right.selectbox(
            "Better is",
            ways,
            index=ways.index(defined["better"]) if "better" in defined else None,
            placeholder="Choose",
        )
        low = left.number_input("Lowest total", value=_number(defined.get("minimum")), step=1.0, format="%g")
        high = right.number_input("Highest total", value=_number(defined.get("maximum")), step=1.0, format="%g")
        rows: dict[str, Any] = {}
        if items:
            rows = {"items": items}
            rows["item_minimum"] = left.number_input(
                "Lowest of an item", value=_number(defined.get("item_minimum")), step=1.0, format="%g"
            )
            rows["item_maximum"] = right.number_input(
                "Highest of an item", value=_number(defined.get("item_maximum")), step=1.0, format="%g"
            )
        source = st.text_input("Where these numbers come from", value=str(defined.get("source", "")), max_chars=200)
        sent = st.form_submit_button("Define it", type="primary")
    if not sent:
        return
    row = {
        "key": key,
        "name": name.strip(),
        "kind": kind,
        "minimum": low,
        "maximum": high,
        "better": better,
        **rows,
        "source": source.strip(),
    }
    kept = {name: value for name, value in ({**defined, **row}).items() if value is not None}
    lacking = [
        words
        for words, value in (("which way is better", better), ("the lowest total", low), ("the highest total", high))
        if value is None
    ]
    if lacking:
        show_blocks([Notice(f"Say {', '.join(lacking)}.", "orange")])
        return
    try:
        own_instruments([kept], "This form")
    except UnusableInput as error:
        show_blocks([Notice(str(error).replace(" Mend it and import again.", ""), "orange")])
        return
    work.changed()
    work.draft.instruments = [*(one for one in work.draft.instruments if one.get("key") != key), kept]
    for target in work.draft.of_table("scores"):
        if (
            target.is_survey
            and target.columns.get("instrument", {}).get("constant") == key
            and target.file in work.sources
        ):
            renumber(target, work.sources[target.file], work.defined)
    st.rerun()


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
