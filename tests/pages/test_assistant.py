"""The import assistant by role: who has it, what an administrator may read, hostile names, choices that stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.errors import NotAllowed
from dashboard.intake.read import Limits
from dashboard.ui import assistant_state
from dashboard.ui.assistant_state import MASK, Work
from queries.engine import reading
from tests.assistant import wide_survey
from tests.hostile import HOSTILE as EVERY_TEXT
from tests.hostile import LINKS, harm_in_html
from tests.pages.conftest import words
from tests.pages.test_pages import BLAME, viewer

MARKUP = ("picture", "script", "attribute", "apostrophe", "entity", "link", "plotly", "template")
HOSTILE = {name: EVERY_TEXT[name] for name in MARKUP}

SignIn = Callable[..., AppTest]
STEPS = ("files", "tables", "columns", "words", "check", "save")


def csv_of(columns: dict[str, list[str]]) -> bytes:
    def cell(one: str) -> str:
        return '"' + one.replace('"', '""') + '"'

    lines = [list(columns), *map(list, zip(*columns.values(), strict=True))]
    return "\n".join(",".join(map(cell, line)) for line in lines).encode()


def with_files(app: AppTest, **files: bytes) -> Work:
    """The files as if they had been uploaded; the uploader itself is driven in a real browser."""
    work = app.session_state[assistant_state.KEY]
    assert isinstance(work, Work)
    for name, data in files.items():
        work.take(f"{name}.csv", data, Limits())
    work.propose()
    return work


def at(app: AppTest, step: str) -> str:
    app.query_params["part"], app.query_params["step"] = "assistant", step
    app.run()
    assert not app.exception
    return words(app)


def opened(sign_in: SignIn, role: str) -> AppTest:
    return sign_in(role, "data_quality", part="assistant")


@pytest.mark.parametrize("role", ["director", "admin"])
def test_who_may_import_is_one_click_from_the_assistant(practice: Path, sign_in: SignIn, role: str) -> None:
    app = sign_in(role, "data_quality")
    next(one for one in app.button if one.label == "Open the import assistant").click()
    app.run()
    assert "Step 1 of 6" in words(app)
    next(one for one in app.button if one.label == "Close the assistant").click()
    app.run()
    assert "How far can I trust what I see?" in words(app)


@pytest.mark.parametrize("role", ["supervisor", "clinician"])
def test_nobody_else_has_it_by_address_or_by_code(practice: Path, sign_in: SignIn, role: str) -> None:
    username = role if role == "supervisor" else _a_clinician()
    app = sign_in(username, "data_quality", part="assistant")
    said = words(app)
    assert "Import assistant" not in said
    assert assistant_state.KEY not in app.session_state
    assert not [one for one in app.button if "assistant" in one.label]
    with pytest.raises(NotAllowed):
        assistant_state.work_of(viewer(username))


def _a_clinician() -> str:
    with reading(runtime.engine()) as connection:
        return str(connection.execute(text("select username from app_user where role = 'clinician'")).scalars().first())


def test_a_survey_goes_through_every_step_in_calm_words(practice: Path, sign_in: SignIn) -> None:
    app = opened(sign_in, "director")
    work = with_files(app, weekly=csv_of(wide_survey()))
    for step in STEPS[:4]:
        assert not BLAME.findall(re.sub(r"<[^>]+>", " ", at(app, step)))
    assert "The first day" in at(app, "check")
    work.draft.first_day = "2026-01-05"
    said = at(app, "check")
    assert "rows would be new" in said
    assert "an attention check was not answered" in said
    assert len([one for one in app.button if one.label == "Load the files" and not one.disabled]) == 0
    at(app, "save")
    next(one for one in app.text_input if one.label == "Name of the mapping").set_value("weekly alliance")
    app.run()
    next(one for one in app.button if one.label == "Save").click()
    app.run()
    assert "Saved as weekly alliance" in words(app)
    next(one for one in app.text_input if one.label == "Where they come from").set_value("survey")
    app.run()
    next(one for one in app.button if one.label == "Load the files").click()
    app.run()
    said = words(app)
    assert not app.exception
    assert "Loaded." in said
    with reading(runtime.engine()) as connection:
        found = connection.execute(
            text("select count(*) from score s join episode e on e.id = s.episode_id where e.source = 'survey'")
        ).scalar()
        audited = connection.execute(
            text(
                "select action, detail from audit where action in ('change mapping', 'import') order by id desc limit 2"
            )
        ).all()
    # three of thirty rows answer the check otherwise
    assert found == 12 * 27
    assert [tuple(row) for row in audited] == [
        ("import", "survey: weekly.csv"),
        ("change mapping", "saved weekly alliance"),
    ]


def test_an_administrator_sees_counts_and_words_of_our_lists_but_no_client_value(
    practice: Path, sign_in: SignIn
) -> None:
    rows = 40
    columns = {
        "client_id": [f"secret{n}" for n in range(rows)],
        "appointment_date": [f"{n % 12 + 1:02d}/{n % 12 + 1:02d}/2026" if n else "05/06/2026" for n in range(rows)],
        "status": ["Kept" if n > 12 else "Jane Doe" for n in range(rows)],
    }
    app = opened(sign_in, "admin")
    work = with_files(app, visits=csv_of(columns))
    said = "".join(at(app, step) for step in STEPS)
    for topic in work.topics():
        work.looks_at["What to look at"] = topic.key
        said += at(app, "words")
        said += "".join(str(one.options) + str(one.value) for one in app.selectbox)
        said += "".join(str(one.value) for one in app.text_input)
    assert MASK in said
    assert "Kept" in said
    assert not re.search(r"secret\d|Jane Doe|05/06/2026|12/12/2026", said)


def test_another_person_in_the_same_browser_finds_no_file_of_the_one_before(practice: Path, sign_in: SignIn) -> None:
    app = opened(sign_in, "director")
    work = with_files(app, weekly=csv_of(wide_survey()))
    work.username = "somebody else"
    assert "weekly.csv" not in at(app, "files")
    assert app.session_state[assistant_state.KEY] is not work


def test_hostile_names_and_cells_stay_text_on_every_step(practice: Path, sign_in: SignIn) -> None:
    count = 12
    columns = {
        "client id": ["1", "2", "3"] * 4, "date": [f"0{n % 9 + 1}/04/2026" for n in range(count)],
        "status": [*HOSTILE.values(), "Kept", "DNA", "Kept", "Kept"][:count], "PHQ-9": ["3"] * count,
        **{bad: [bad] * count for bad in HOSTILE.values()}, "=cmd|' /C calc'!A0": ["=cmd|' /C calc'!A0"] * count,
    }  # fmt: skip
    app = opened(sign_in, "director")
    named = {bad.replace("/", "_")[:40]: csv_of({bad: [bad]}) for bad in HOSTILE.values()}
    work = with_files(app, visits=csv_of(columns), **named)
    for target in work.draft.targets:
        if target.table == "clients":
            target.columns["gender"] = {"column": HOSTILE["picture"]}
    for step in STEPS:
        at(app, step)
        _harmless(app)
    for topic in work.topics():
        work.looks_at["What to look at"] = topic.key
        at(app, "words")
        _harmless(app)
    for target in work.draft.targets:
        work.looks_at["Table"] = target.uid
        at(app, "columns")
        _harmless(app)


def _harmless(app: AppTest) -> None:
    for element in app.get("html"):
        assert not harm_in_html(element.proto.body.replace(f"<script>{LINKS}</script>", ""))
    # labels and help are read as markdown: imported text is never in one
    for kind in (
        "button",
        "selectbox",
        "multiselect",
        "text_input",
        "number_input",
        "checkbox",
        "expander",
        "markdown",
    ):
        for element in app.get(kind):
            said = " ".join(str(getattr(element, part, "") or "") for part in ("label", "help"))
            said += str(element.value) if kind == "markdown" else ""
            assert not any(bad in said for bad in HOSTILE.values()), kind


def test_every_choice_is_kept_when_going_back(practice: Path, sign_in: SignIn) -> None:
    app = opened(sign_in, "director")
    work = with_files(app, weekly=csv_of(wide_survey()))
    at(app, "columns")
    episodes = next(one for one in work.draft.targets if one.table == "episodes")
    work.looks_at["Table"] = episodes.uid
    at(app, "columns")
    next(one for one in app.selectbox if one.label == "Opened on").set_value("week")
    app.run()
    assert episodes.columns["opened_on"]["column"] == "week"
    for step in ("words", "files", "columns"):
        at(app, step)
    assert next(one for one in app.selectbox if one.label == "Opened on").value == "week"
    assert work.touched


def test_a_file_that_cannot_be_read_is_named_and_the_others_stay(practice: Path, sign_in: SignIn) -> None:
    app = opened(sign_in, "director")
    work = with_files(app, weekly=csv_of(wide_survey()), broken=b"a,a\n1,2\n", foreign="größe\n1\n".encode("latin-1"))
    said = at(app, "files")
    assert "the column &#x27;a&#x27; stands twice" in said
    assert "is not UTF-8" in said
    assert list(work.tables) == ["weekly"]
    rescue = next(one for one in app.selectbox if one.label == "Letters are stored as" and one.value == "")
    rescue.set_value("latin-1")
    app.run()
    assert work.sources["foreign"].names == ["größe"]


@pytest.mark.parametrize("name", ["enrichd", "bhsim"])
def test_a_shipped_mapping_opens_without_its_files_and_says_which_are_lacking(
    practice: Path, sign_in: SignIn, name: str
) -> None:
    app = opened(sign_in, "director")
    with_files(app, weekly=csv_of(wide_survey()))
    at(app, "files")
    next(one for one in app.selectbox if one.label == "Begin with").set_value(name)
    app.run()
    assert not app.exception
    assert "which is not among these" in at(app, "columns")
    for step in ("tables", "words", "check", "save"):
        at(app, step)
