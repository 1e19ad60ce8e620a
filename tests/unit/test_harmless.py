"""What is taken out of text, how it is neutralised for each kind of output, and how long a form's text may be."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from dashboard.access import Role, Viewer
from dashboard.entry.episode_rows import NewClient, NewEpisode, checked_code, client_row, episode_row
from dashboard.errors import DatabaseUnavailable, SupervisionError, UnusableInput
from dashboard.exports import to_csv
from dashboard.growth_goals import close_goal, set_goal
from dashboard.harmless import (
    CUT,
    LONGEST_CELL,
    LONGEST_MESSAGE,
    LONGEST_SHOWN,
    clean,
    disposition,
    escape,
    for_figure,
    for_file_name,
    for_markdown,
    one_line,
    shown,
)
from dashboard.instruments.own import own_instruments
from dashboard.intake.check import Day, checked
from dashboard.replies import ANSWERED, reply
from dashboard.safety import record_check
from dashboard.saved_mappings import Shelf
from dashboard.saved_mappings import checked_name as checked_mapping_name
from dashboard.settings import Settings
from dashboard.snapshots import delete
from dashboard.staffing import add_clinician, change_clinician
from dashboard.supervising import Room
from dashboard.typed import checked_name, on_one_line, typed
from tests.hostile import HOSTILE, KEPT, harm_in_figure, harm_in_html, harm_in_markdown, harm_in_text

MEGABYTE = "x" * 1_000_000
NOW = datetime(2026, 11, 20, 12)


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_each_text_is_harmless_in_each_kind_of_output(name: str) -> None:
    text = HOSTILE[name]
    assert harm_in_text(clean(text)) == []
    assert harm_in_html(f'<p title="{escape(text)}">{escape(text)}</p>') == []
    assert harm_in_figure(for_figure(text)) == []
    assert harm_in_markdown(for_markdown(text)) == []
    assert len(one_line(text).splitlines()) <= 1
    assert harm_in_text(str(UnusableInput(text))) == []
    plain = for_file_name(text, "file")
    assert plain.isascii()
    assert not set(plain) & set(' /\\:"\r\n;')


@pytest.mark.parametrize("name", KEPT)
def test_letters_of_every_script_and_emoji_survive(name: str) -> None:
    text = HOSTILE[name]
    assert clean(text) == text
    assert html.unescape(escape(text)) == text
    assert html.unescape(for_figure(text)) == text


def test_what_is_ordinary_is_left_as_it_is() -> None:
    text = "Nguyễn Văn Thị-Hoa, 4F-210 (n 12): 3 < 5 & 7; 50 %"
    assert clean(text) == text
    assert for_markdown("'4F-210' may be a name. Take a code that says nothing.") == (
        "'4F-210' may be a name. Take a code that says nothing."
    )
    assert for_figure("\"x\" & 'y'") == "\"x\" &amp; 'y'"  # Plotly knows no entity for quotation marks


def test_a_cut_says_so_and_takes_no_time() -> None:
    assert shown(MEGABYTE).endswith(CUT)
    assert len(shown(MEGABYTE)) == LONGEST_SHOWN + len(CUT)
    assert len(one_line(MEGABYTE)) <= 500
    assert len(for_markdown(MEGABYTE)) < 2 * LONGEST_SHOWN


def test_a_message_keeps_its_end_which_says_what_to_do_whatever_name_it_repeats() -> None:
    said = str(UnusableInput(f"'{MEGABYTE}' is not here. Choose another."))
    assert len(said) < LONGEST_MESSAGE + 10
    assert said.endswith("Choose another.")
    assert str(SupervisionError("a\r\nb\x1b[31m")) == "a b[31m"
    assert str(DatabaseUnavailable("a\nb")) == "a b"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a_b-1.zip", 'attachment; filename="a_b-1.zip"'),
        ('x"\r\nSet-Cookie: y.pdf', "attachment; filename=\"x-Set-Cookie-y.pdf\"; filename*=UTF-8''x%22%20Set-Cookie-%20y.pdf"),
        ("היי.html", "attachment; filename=\"file.html\"; filename*=UTF-8''%D7%94%D7%99%D7%99.html"),
        ("../../etc/passwd", "attachment; filename=\"etc-passwd\"; filename*=UTF-8''..-..-etc-passwd"),
    ],
)  # fmt: skip
def test_the_header_of_a_download_is_one_line_of_plain_letters(name: str, header: str) -> None:
    assert disposition(name) == header


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "\u200b=", "\x00="])
def test_no_cell_of_a_table_is_run_by_a_spreadsheet(sign: str) -> None:
    said = to_csv(pl.DataFrame({"a": [f"{sign}1+zq"]})).decode()
    assert said.split("\n", 1)[1].lstrip('"').startswith("'")


# --------------------------------------------------------------------------- entrances

DIRECTOR = Viewer("d", Role.DIRECTOR, 1, 1)
NOTHING: Any = None  # what is refused is refused before a database is asked
SET = Settings()
ROOM = Room(NOTHING, SET, DIRECTOR, "m", 0)
SHELF = Shelf(NOTHING, 1, None, NOW)
OWN = {
    "key": "a1", "name": "A", "kind": "outcome", "minimum": 0, "maximum": 9, "better": "lower", "source": "mine",
}  # fmt: skip
DAY = date(2026, 11, 20)
ENTRANCES: dict[str, Callable[[str], object]] = {
    "reply": lambda x: reply(NOTHING, SET, DIRECTOR, "e", signal="off_track", kind=ANSWERED, reason=x, until_day=None, now=NOW),
    "safety check": lambda x: record_check(NOTHING, SET, DIRECTOR, ["e"], checked_on=DAY, note=x, now=NOW),
    "goal": lambda x: set_goal(NOTHING, DIRECTOR, text=x, sign="", look_again_on=None, shared=False, now=NOW),
    "goal closed": lambda x: close_goal(NOTHING, DIRECTOR, note=x, now=NOW),
    "snapshot deleted": lambda x: delete(NOTHING, DIRECTOR, "s", reason=x, now=NOW),
    "meeting what": lambda x: ROOM.write(1, "what", x, 0),
    "meeting note": lambda x: ROOM.write(1, "note", x, 0),
    "meeting who": lambda x: ROOM.write(1, "who", x, 0),
    "meeting field": lambda x: ROOM.write(1, x, "x", 0),
    "meeting addition": lambda x: ROOM.add_after(x),
    "clinician": lambda x: add_clinician(NOTHING, SET, DIRECTOR, key="T1", name=x, started_on=None, is_trainee=False, now=NOW),
    "clinician id": lambda x: add_clinician(NOTHING, SET, DIRECTOR, key=x, name="A", started_on=None, is_trainee=False, now=NOW),
    "clinician changed": lambda x: change_clinician(
        NOTHING, SET, DIRECTOR, 1, name=x, started_on=None, ended_on=None, is_trainee=False, now=NOW
    ),
    "code": lambda x: checked_code(NewClient(x, is_code=True)),
    "gender": lambda x: client_row("k", NewClient("K-1", gender=x)),
    "ethnicity": lambda x: client_row("k", NewClient("K-1", ethnicity=x)),
    "problem area": lambda x: episode_row("e", "k", "c", NewEpisode(DAY, problem_area=x), DAY),
    "practice": lambda x: checked_name(x, "a practice"),
    "mapping name": checked_mapping_name,
    "mapping": lambda x: SHELF.save("m", f"# {x}", replace=False),
    "instrument name": lambda x: own_instruments([OWN | {"name": x}], "file"),
    "instrument key": lambda x: own_instruments([OWN | {"key": x}], "file"),
    "instrument source": lambda x: own_instruments([OWN | {"source": x}], "file"),
    "instrument subscale": lambda x: own_instruments(
        [OWN | {"items": 2, "item_minimum": 0, "item_maximum": 4, "subscales": {x: (1,)}}], "file"
    ),
}  # fmt: skip


@pytest.mark.parametrize("entrance", sorted(ENTRANCES))
def test_a_megabyte_is_refused_in_words_at_every_entrance(entrance: str) -> None:
    with pytest.raises(UnusableInput) as refused:
        ENTRANCES[entrance](MEGABYTE)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"long"}))
def test_what_is_typed_is_kept_as_typed_without_what_nobody_sees(name: str) -> None:
    kept = typed(HOSTILE[name], 200)
    assert harm_in_text(kept) == []
    assert kept == clean(HOSTILE[name]).strip()
    assert "\n" not in on_one_line(HOSTILE[name], 200)
    row = episode_row("e", "k", "c", NewEpisode(DAY, problem_area=HOSTILE[name][:100]), DAY)
    assert harm_in_text(str(row["problem_area"])) == []


@pytest.mark.parametrize("name", ["control", "bidi", "hidden", "lines", "tab"])
def test_a_name_that_something_is_found_by_is_refused_rather_than_changed(name: str) -> None:
    with pytest.raises(UnusableInput):
        checked_name(HOSTILE[name], "a source")


def test_a_long_cell_is_set_aside_with_its_row_and_never_cut_to_another_value() -> None:
    cells = ["a", "x" * LONGEST_CELL, "x" * (LONGEST_CELL + 1), MEGABYTE, "\u200b" * 2000 + "b", " " * 2000]
    raw = pl.DataFrame({"client_id": [f"k{n}" for n in range(len(cells))], "gender": cells}).with_columns(
        file=pl.lit("clients.csv"), line=pl.int_range(pl.len(), dtype=pl.Int64) + 2
    )
    found = checked("clients", raw, Day(DAY, "UTC"))
    assert found.rows["gender"].to_list() == ["a", "x" * LONGEST_CELL, "b", None]
    aside = pl.concat(found.aside)
    assert aside["line"].to_list() == [4, 5]
    assert set(aside["reason"]) == {f"longer than {LONGEST_CELL} characters"}
    assert aside["value"].str.len_chars().max() == 200


def test_a_long_key_is_known_by_its_beginning() -> None:
    raw = pl.DataFrame({"client_id": [MEGABYTE], "file": ["clients.csv"], "line": [2]})
    aside = pl.concat(checked("clients", raw, Day(DAY, "UTC")).aside)
    assert aside["row_key"].str.len_chars().to_list() == [LONGEST_CELL]
