"""Step 3 of the assistant: which source column feeds each of our columns, one table at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from dashboard.assist.details import detailed, is_day
from dashboard.assist.draft import FIRST_DAY, Target, unpivoted
from dashboard.assist.labels import COLUMNS, TABLES
from dashboard.assist.propose import settle
from dashboard.intake.batch import KEYS
from dashboard.intake.batch import TABLES as SCHEMA
from dashboard.intake.check import REQUIRED
from dashboard.intake.check import WORDS as CLOSED
from dashboard.intake.mapping import UNPIVOT_NAME, UNPIVOT_VALUE
from dashboard.ui.assistant_controls import cut, line, pick, said, turn_to, write_text
from dashboard.ui.assistant_links import links
from dashboard.ui.assistant_state import Work, state
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Notice, Para

CONSTANT, TEMPLATE = "\0constant", "\0template"
SHOWN = {
    "": "Not in these files",
    CONSTANT: "The same for all rows …",
    TEMPLATE: "Put together from columns …",
    UNPIVOT_NAME: "Which of the columns side by side",
    UNPIVOT_VALUE: "What stands in the columns side by side",
}
BY_YOU = "chosen by you"


def columns_step(work: Work) -> None:
    """The columns of one table: required ones and those in use; the others are folded away."""
    target = _chosen_target(work)
    if target is None:
        show_blocks([Para("No file feeds a table yet. Go back to Tables.")])
        return
    if target.file not in work.sources:
        show_blocks([Notice(f"The mapping reads a file called {target.file}, which is not among these.", "orange")])
    required = REQUIRED[target.table]
    used = [c for c in SCHEMA[target.table] if c in required or target.columns.get(c)]
    for column in sorted(used, key=lambda one: one not in required):
        _row(work, target, column, needed=column in required)
    once = target.spec.get("once_by")
    if once and once != "_all":
        names = once if isinstance(once, str) else " and ".join(once)
        which = (
            f"the one with the earliest {target.spec['order_by']}"
            if target.spec.get("order_by")
            else "the first in the file"
        )
        show_blocks([Para(f"{names} comes again in the file. Of the rows of each, {which} counts here.", quiet=True)])
    others = [c for c in SCHEMA[target.table] if c not in used]
    if others:
        with st.expander(f"{len(others)} more columns, none of them needed"):
            for column in others:
                _row(work, target, column, needed=False)
    links(work, target)


def _chosen_target(work: Work) -> Target | None:
    uids = [target.uid for target in work.draft.targets]
    if not uids:
        return None

    def shown(uid: int) -> str:
        target = work.draft.target(uid)
        if target is None:
            return ""
        lack = sum(not _origin(target.columns.get(column, {})) for column in REQUIRED[target.table])
        return f"{TABLES[target.table].name} from {target.file}" + (f" ({lack} needed)" if lack else "")

    return work.draft.target(turn_to(work, "Table", uids, shown, back="Previous table", on="Next table", width=440))


def _origin(spec: dict[str, Any]) -> str:
    if spec.get("constant") is not None:
        return CONSTANT
    if spec.get("template") is not None:
        return TEMPLATE
    return str(spec.get("column") or "")


def _write(work: Work, target: Target, column: str, chosen: str) -> None:
    reach = work.reach(target)
    if chosen == "":
        target.columns.pop(column, None)
        target.why.pop(column, None)
    elif chosen == CONSTANT:
        target.columns[column] = {"constant": ""}
    elif chosen == TEMPLATE:
        before = target.columns.get(column, {}).get("column")
        target.columns[column] = {"template": f"{{{before}}}" if before else ""}
    elif chosen in reach:
        at = reach[chosen]
        profile = work.sources[at.source].profile(at.column)
        target.columns[column] = detailed(target.table, column, profile, {"column": chosen}, work.defined)
    else:
        target.columns[column] = {"column": chosen}
    if chosen:
        target.why[column] = BY_YOU
    settle(target, work.draft, work.ground, key=column in (KEYS[target.table][0], "opened_on"))


def _options(work: Work, target: Target) -> list[str]:
    unpivot = [UNPIVOT_NAME, UNPIVOT_VALUE] if target.is_survey else []
    return ["", CONSTANT, TEMPLATE, *unpivot, *work.reach(target)]


def _row(work: Work, target: Target, column: str, *, needed: bool) -> None:
    spec = target.columns.get(column, {})
    reach = work.reach(target)
    origin = _origin(spec)
    with line(f"{target.uid}-{column}"):
        key = " · its own id" if column == KEYS[target.table][0] else ""
        said(COLUMNS[column], f"{'needed' if needed else 'optional'}{key}", width=210)
        pick(
            work, COLUMNS[column], _options(work, target), origin, lambda one: _write(work, target, column, one),
            key=f"as-col-{target.uid}-{column}", width=340,
            shown=lambda one: SHOWN.get(one) or cut(reach[one].shown if one in reach else one, 70),
        )  # fmt: skip
        if origin == CONSTANT:
            _constant(work, target, column, spec)
            if target.why.get(column) not in (None, BY_YOU):
                said("", target.why[column])
        elif origin == TEMPLATE:
            _template(work, target, column, spec)
        else:
            said("", _why(work, target, column))


def _why(work: Work, target: Target, column: str) -> str:
    spec = target.columns.get(column, {})
    why = target.why.get(column, "")
    name = str(spec.get("column") or "")
    if not name or unpivoted(name):
        return why
    at = work.reach(target).get(name)
    if at is None:
        return why
    profile = work.sources[at.source].profile(at.column)
    filled = "" if profile.filled == profile.rows else f"{profile.filled:,} of {profile.rows:,} filled"
    examples = ", ".join(cut(work.shown_word(word), 24) for word, _ in profile.words[:2])
    return " · ".join(part for part in (why, f"such as {examples}" if examples else "", filled) if part)


def _constant(work: Work, target: Target, column: str, spec: dict[str, Any]) -> None:
    def write(value: str) -> None:
        spec["constant"] = value
        _same_clinician(work, target, column, value)

    key = f"as-const-{target.uid}-{column}"
    if spec.get("constant") == FIRST_DAY:
        said("", "said under Words and dates:", width=180)
    elif column in CLOSED:
        pick(work, f"{COLUMNS[column]}, for all", ["", *CLOSED[column]], spec["constant"], write, key=key, width=220,
             shown=lambda one: one or "Choose")  # fmt: skip
    elif column == "instrument":
        pick(work, "Instrument, for all", ["", *work.defined], spec["constant"], write, key=key, width=260,
             shown=lambda one: work.defined[one].name if one in work.defined else one or "Choose")  # fmt: skip
    elif is_day(target.table, column):
        choose_day(work, f"{COLUMNS[column]}, for all", str(spec.get("constant") or ""), write, key=key)
    else:
        write_text(work, f"{COLUMNS[column]}, for all", str(spec.get("constant") or ""), write, key=key, width=260)


def _same_clinician(work: Work, target: Target, column: str, value: str) -> None:
    """One clinician for all is one id: said once, it stands in every table that names it."""
    if column != "clinician_id":
        return
    for other, name, spec in work.draft.specs():
        if name == "clinician_id" and "constant" in spec and other.table in ("clinicians", "episodes"):
            spec["constant"] = value
    for clinicians in work.draft.of_table("clinicians"):
        if clinicians.columns.get("clinician_id", {}).get("constant") is not None:
            settle(clinicians, work.draft, work.ground)


def choose_day(work: Work, label: str, current: str, write: Any, *, key: str) -> None:
    """A day from a calendar or typed."""

    def changed() -> None:
        work.changed()
        write(state(key).isoformat() if state(key) else "")

    st.session_state[key] = date.fromisoformat(current) if current else None
    st.date_input(
        label, key=key, on_change=changed, min_value=date(1950, 1, 1), max_value=date(2100, 1, 1), width=200,
        label_visibility="collapsed", format="YYYY-MM-DD",
    )  # fmt: skip


def _template(work: Work, target: Target, column: str, spec: dict[str, Any]) -> None:
    def write(value: str) -> None:
        spec["template"] = value
        settle(target, work.draft, work.ground, key=False)

    write_text(
        work, f"{COLUMNS[column]}, put together", str(spec.get("template") or ""), write, width=320,
        key=f"as-temp-{target.uid}-{column}",
    )  # fmt: skip
    said("", "names of columns in braces, such as {case}-{date}")
