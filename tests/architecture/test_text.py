"""Nobody can forget that text from outside means harm: who may hand changing text to what reads it as markup."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path for room in ("dashboard", "pages", "queries") for path in (ROOT / room).rglob("*.py") if path.stat().st_size
)
DRAWING = [p for p in SOURCES if "streamlit" in p.read_text("utf-8")]
# Streamlit reads the body of these as Markdown; the one place that gives them changing text makes it harmless first
MESSAGES = {
    "error", "warning", "info", "success", "toast", "caption", "markdown", "write", "title", "header", "subheader", "latex",
    "badge", "exception", "write_stream", "echo",
}  # fmt: skip
SAYS = "dashboard/ui/say.py"
# the label of these is Markdown too: our own words, numbers at most, or for_markdown(...)
LABELLED = {
    "button", "checkbox", "toggle", "radio", "selectbox", "multiselect", "segmented_control", "pills", "text_input",
    "text_area", "number_input", "date_input", "time_input", "slider", "select_slider", "file_uploader", "expander", "popover",
    "form_submit_button", "download_button", "link_button", "page_link", "metric", "status", "spinner", "tabs", "dialog",
    "progress",
}  # fmt: skip
# labels that are passed on by a helper whose callers give our own words, or made of registered words and numbers
OUR_WORDS = {
    "dashboard/ui/assistant_controls.py": {"what", "back", "on", "label"},
    "dashboard/ui/assistant.py": {"words"},
    "dashboard/ui/assistant_columns.py": {"label"},
    "dashboard/ui/episode_forms.py": {"label"},
    "dashboard/ui/staff_forms.py": {"label"},
    "dashboard/ui/mark_form.py": {"words"},
    "dashboard/ui/meeting_hold.py": {"words"},
    "dashboard/ui/snapshot_button.py": {"words"},
    "pages/enter.py": {"words"},
    "pages/account.py": {"label"},
    "dashboard/ui/purpose.py": {"label"},
}
NUMBERS = re.compile(r"^(len|plural|int|sum)\(|^(number|value)\b|^row\['(position|minutes)'\]$")


def _place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _calls(path: Path, names: set[str]) -> list[ast.Call]:
    """Calls of Streamlit's elements, on ``st`` or on a column or container."""
    tree = ast.parse(path.read_text("utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names
        and isinstance(node.func.value, ast.Name)
    ]  # fmt: skip


def _is_fixed(node: ast.expr | None) -> bool:
    """A text that stands in the source: also a choice between two such, or a constant of the module."""
    match node:
        case None | ast.Constant():
            return True
        case ast.IfExp():
            return _is_fixed(node.body) and _is_fixed(node.orelse)
        case ast.Name():
            return node.id.isupper()
        case ast.JoinedStr():
            return all(isinstance(one, ast.Constant) or _is_fixed_part(one) for one in node.values)
        case ast.List():
            return all(_is_fixed(one) for one in node.elts)
        case _:
            return False


def _is_fixed_part(part: ast.expr) -> bool:
    assert isinstance(part, ast.FormattedValue)
    said = ast.unparse(part.value)
    return said.split(".")[-1].isupper() or bool(NUMBERS.search(said)) or said == "reference"


def _first(call: ast.Call) -> ast.expr | None:
    if call.args:
        return call.args[0]
    return next((one.value for one in call.keywords if one.arg in ("label", "body")), None)


@pytest.mark.parametrize("path", DRAWING, ids=_place)
def test_changing_words_reach_streamlits_messages_only_through_the_place_that_makes_them_harmless(path: Path) -> None:
    place = _place(path)
    if place == SAYS:
        return
    wrong = [
        f"{place}:{call.lineno} {ast.unparse(call)[:80]}"
        for call in _calls(path, MESSAGES)
        if getattr(call.func.value, "id", "") == "st" and not _is_fixed(_first(call))  # type: ignore[attr-defined]
    ]
    assert not wrong, f"{wrong}: use dashboard.ui.say"


@pytest.mark.parametrize("path", DRAWING, ids=_place)
def test_a_label_is_our_own_words(path: Path) -> None:
    place = _place(path)
    if place == SAYS:
        return
    ours = OUR_WORDS.get(place, set())
    wrong = []
    for call in _calls(path, LABELLED):
        label = _first(call)
        harmless = isinstance(label, ast.Call) and ast.unparse(label.func) == "for_markdown"
        if not (_is_fixed(label) or harmless or (isinstance(label, ast.Name) and label.id in ours)):
            wrong.append(f"{place}:{call.lineno} {ast.unparse(call)[:90]}")
    assert not wrong, f"{wrong}: escape it with dashboard.harmless.for_markdown, or draw it as HTML beside the control"


@pytest.mark.parametrize("path", SOURCES, ids=_place)
def test_html_is_escaped_by_the_one_function_that_also_cleans(path: Path) -> None:
    place = _place(path)
    if place == "dashboard/harmless.py":
        return
    text = path.read_text("utf-8")
    assert "from html import escape" not in text
    assert "html.escape" not in text
    for call in (one for one in _calls(path, {"html"}) if ast.unparse(one.func) == "st.html"):
        for part in (node for node in ast.walk(call) if isinstance(node, ast.FormattedValue)):
            said = ast.unparse(part.value)
            assert MADE.match(said), f"{place}:{call.lineno} puts {said} into HTML as it is: use escape(...)"


# what is HTML already where it is put in, a number, or a word of our own
MADE = re.compile(
    r"escape\(|picture\(|markup\(|_shown\(|''\.join\(|len\(|place \+ 1$|row\['minutes'\]|[A-Z_]+$|viewer\.role\.value$"
    r"|(text|small|words|anchors|problem|tone|icon|scope|attributes)$|SCRIPTS\[name\]$"
)


def test_the_checks_themselves_see_what_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "page.py"
    file.write_text(
        "import streamlit as st\nst.error(str(error))\nst.error(f'{name} x')\nst.button(name)\nst.error('fixed')\n"
    )
    assert sum(not _is_fixed(_first(call)) for call in _calls(file, MESSAGES | LABELLED)) == 3
