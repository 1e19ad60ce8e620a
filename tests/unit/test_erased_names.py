"""Whom a cell names, when somebody's data is erased."""

from __future__ import annotations

import pytest

from queries.erase_texts import Names

ERASED = Names.of({("files", "clients", "123"), ("files", "episodes", "E1")}, [])


@pytest.mark.parametrize(
    ("source", "table", "cell", "theirs"),
    [
        ("files", "clients", "123", True),
        ("files", "clients", "0123", False),
        ("other", "clients", "123", False),
        ("files", "episodes", "E1", True),
        ("files", "episodes", "Patient/123", True),
        ("files", "episodes", "Patient/123/Practitioner/9", True),
        ("files", "episodes", "Patient/1234", False),
        ("files", "episodes", "Patient/9/Practitioner/123", False),
        ("other", "episodes", "Patient/123", False),
        ("files", "episodes", None, False),
    ],
)
def test_an_episode_made_for_a_patient_names_that_patient(
    source: str, table: str, cell: str | None, theirs: bool
) -> None:
    assert ERASED.has(source, table, cell) is theirs
