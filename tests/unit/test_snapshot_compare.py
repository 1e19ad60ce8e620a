"""Two snapshots side by side, as a table of what differs."""

from __future__ import annotations

import pytest

from dashboard.snapshot.compare import differences
from dashboard.snapshot.content import read_content
from tests.snapshots import content, listed

A = {"code": "A", "priority": "talk_first", "latest": "PHQ-9 12", "signals": ("Missed",)}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([A], [A], []),
        ([], [A], [("A", "new on the list", "–", "Talk about first")]),
        ([A], [], [("A", "no longer on the list", "Talk about first", "–")]),
        ([A], [A | {"priority": "worth_discussing"}], [("A", "status", "Talk about first", "Worth discussing")]),
        ([A], [A | {"latest": "PHQ-9 9"}], [("A", "latest score", "PHQ-9 12", "PHQ-9 9")]),
        ([A], [A | {"signals": ("Missed", "Off")}], [("A", "signals", "Missed", "Missed, Off")]),
    ],
)
def test_what_differs(
    before: list[dict[str, object]], after: list[dict[str, object]], said: list[tuple[str, str, str, str]]
) -> None:
    def made(rows: list[dict[str, object]]) -> dict[str, object]:
        found = content(()).as_json()
        found["listed"] = [vars(listed(**row)) | {"signals": list(row["signals"])} for row in rows]  # type: ignore[arg-type, call-overload]
        return found | {"sections": []}

    assert [(one.what, one.kind, one.before, one.after) for one in differences(made(before), made(after))] == said


def test_other_rules_come_first() -> None:
    one, two = (content((), rules_version=version).as_json() for version in ("a", "b"))
    assert [(d.what, d.before, d.after) for d in differences(one, two)] == [("Rules of the signals", "a", "b")]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"form": 99}'])
def test_what_is_no_content_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        read_content(data)
