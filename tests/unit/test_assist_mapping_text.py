"""A draft as a mapping file: what is written is what is read, for every shipped mapping and any text."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.assist.draft import draft_of
from dashboard.assist.toml_text import quoted, toml_text
from dashboard.intake.mapping import Mapping, built_in, parse_mapping

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBER = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.dates()
)
VALUE: st.SearchStrategy[Any] = st.recursive(
    TEXT | NUMBER,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150)
@given(st.dictionaries(TEXT, VALUE, max_size=4))
def test_what_is_written_is_read_back_the_same(data: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(data)) == data


@pytest.mark.parametrize(
    "text", ['"', "0\n", "\\", "\n", "\r\n", "\t", "\x00", "\x7f", "\u202e", "\u2028", "'''", "中文", "😀", "#", " = "]
)
def test_any_character_survives_in_names_and_values(text: str) -> None:
    data = {text: text, "table": [{"columns": {text: {"values": {text: text}}}}]}
    written = toml_text(data)
    assert tomllib.loads(written) == data
    assert not {"\x00", "\u202e", "\u2028", "\x7f"} & set(written)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, object()])
def test_what_toml_has_no_form_for_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        toml_text({"a": value})


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ValueError, match="half of a character"):
        quoted("\ud800")


def _same(one: Mapping) -> Mapping:
    # the order of tables and of unused files says nothing
    return one.model_copy(update={"table": tuple(sorted(one.table, key=str)), "unused": tuple(sorted(one.unused))})


@pytest.mark.parametrize("name", sorted(built_in()))
def test_every_shipped_mapping_opens_and_is_written_back_as_it_was(name: str) -> None:
    text = built_in()[name]
    again = toml_text(draft_of(text).mapping())
    assert _same(parse_mapping(again, name)) == _same(parse_mapping(text, name))
    assert toml_text(draft_of(again).mapping()) == again
