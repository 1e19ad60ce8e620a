"""Registries and words: every signal, instrument and column that a page names is defined once and explained."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from dashboard import contracts
from dashboard.exporting import EVALUATED, TABLES
from dashboard.glossary import GLOSSARY
from dashboard.instruments import BUILT_IN
from dashboard.replay.assess import FLAGS, SESSIONS, STATES
from dashboard.settings import Rules
from dashboard.signals import BY_KEY, SIGNALS
from dashboard.signals.wording import SHORT
from dashboard.ui.status import ATTENDANCE, CHANGE, RUPTURE
from queries.exports import ENDING_COLUMNS, STATE_COLUMNS

ROOT = Path(__file__).resolve().parents[2]


def test_every_signal_file_is_registered_once() -> None:
    helpers = {"__init__", "signal", "wording"}
    files = {path.stem for path in (ROOT / "dashboard" / "signals").glob("*.py")} - helpers
    modules = {signal.rule.__module__.rsplit(".", 1)[-1] for signal in SIGNALS}
    assert modules == files
    assert len(BY_KEY) == len(SIGNALS)


def test_every_closed_list_has_a_word_for_each_of_its_members() -> None:
    assert set(ATTENDANCE) == set(contracts.STATUSES)
    assert set(CHANGE) == set(contracts.CHANGE_CATEGORIES)
    assert set(RUPTURE) == set(contracts.RUPTURES)


def test_every_stored_state_is_exported_or_used() -> None:
    assert set(STATE_COLUMNS) <= set(STATES)
    assert set(ENDING_COLUMNS) <= set(STATES)
    assert {"episode_id", "state", "raised_on"} <= set(FLAGS)
    assert {"session_number", "dropout_hazard"} <= set(SESSIONS)
    assert set(EVALUATED) <= set(TABLES)


def test_every_built_in_instrument_has_a_short_name() -> None:
    assert set(SHORT) == set(BUILT_IN)


@pytest.mark.parametrize("term", sorted(GLOSSARY))
def test_the_glossary_explains_each_word_in_one_or_two_plain_sentences(term: str) -> None:
    sentence = GLOSSARY[term]
    assert sentence.endswith(".")
    assert len(sentence) < 200


def _terms_used() -> list[tuple[str, str]]:
    found = []
    for path in [*(ROOT / "pages").glob("*.py"), *(ROOT / "dashboard").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "meaning":
                found += [(path.name, one.value) for one in node.args if isinstance(one, ast.Constant)]
    return found


def test_every_word_a_page_explains_is_in_the_glossary() -> None:
    used = _terms_used()
    assert used
    assert [pair for pair in used if pair[1] not in GLOSSARY] == []


def test_every_number_of_a_rule_is_a_setting_with_its_source_beside_it() -> None:
    text = (ROOT / "dashboard" / "settings.py").read_text("utf-8")
    body = text.split("class Rules", 1)[1].split("def as_json", 1)[0]
    for name in Rules.__dataclass_fields__:
        line = next(one for one in body.splitlines() if one.strip().startswith(f"{name}:"))
        assert "#" in line, name


BANNED = (
    r"\b(fail(ed|ing|ure)? (client|clinician|therapist)|worst|best clinician|underperform\w*|league|grade[ds]?"
    r"|score of the clinician)\b"
)


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda one: one.key)
def test_no_signal_blames_or_grades(signal: object) -> None:
    texts = " ".join(str(getattr(signal, name)) for name in ("title", "prompt", "limits", "minimum_data"))
    assert not re.search(BANNED, texts, re.IGNORECASE)


def test_modules_stay_small_and_there_is_no_drawer_for_everything() -> None:
    sources = [p for room in ("dashboard", "pages", "queries") for p in (ROOT / room).rglob("*.py")]
    long = {p.relative_to(ROOT).as_posix(): n for p in sources if (n := len(p.read_text("utf-8").splitlines())) > 400}
    allowed = {"queries/tables.py", "queries/migrations/versions/0001_first.py"}
    assert set(long) <= allowed
    assert [p for p in sources if p.stem in ("utils", "helpers", "common", "misc")] == []
