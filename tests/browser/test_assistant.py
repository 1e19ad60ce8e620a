"""Somebody who never saw the assistant loads a survey with it, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Served, open_page, serving, settled, supervision

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Served]:
    """An empty practice with a director."""
    db = f"sqlite:///{tmp_path / 'fresh.sqlite'}"
    supervision(
        "user", "add", "dora", "--role", "director", "--password-stdin", db=db, home=tmp_path, given=PASSWORD + "\n"
    )
    with serving(db, tmp_path) as url:
        yield Served(url, {"dora": PASSWORD}, {"dora": "director"})


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    settled(page)


def test_a_survey_in_another_language_is_loaded_from_the_first_click_to_the_last(
    browser: Browser, fresh: Served, shared_data: Path, tmp_path: Path
) -> None:
    page = open_page(browser, fresh, "dora")
    page.get_by_role("link", name="Data quality").first.click()
    settled(page)
    _press(page, "Open the import assistant")
    survey = shared_data / "llm_rct_simulated_wai" / "therapeutic_relationship.xlsx"
    page.locator("input[type=file]").set_input_files(str(survey))
    page.get_by_role("rowheader", name="therapeutic_relationship.xlsx").wait_for()
    settled(page)
    for words in ("Next: Tables", "Next: Columns", "Next: Words and dates"):
        _press(page, words)
    # weeks are counted: the only question that the file leaves open
    assert page.get_by_text("1 of 4 still need an answer.").is_visible()
    page.get_by_role("spinbutton", name="year").click()
    page.keyboard.type("20260105")
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Import assistant").click()
    page.get_by_text("Everything here has an answer.").wait_for()
    _press(page, "Next: Check")
    page.get_by_text("rows would be new").wait_for()
    scores = page.locator("tr", has=page.get_by_role("rowheader", name="Scores"))
    assert scores.locator("td").first.inner_text() == "960"
    _press(page, "Next: Save and load")
    page.get_by_label("Name of the mapping").fill("weekly alliance")
    page.keyboard.press("Enter")
    settled(page)
    _press(page, "Save")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download it as a file").click()
    saved = tmp_path / "weekly.toml"
    download.value.save_as(saved)
    _press(page, "Load the files")
    page.get_by_text("Loaded.", exact=True).wait_for(timeout=30_000)
    assert page.trouble == []  # type: ignore[attr-defined]
    page.context.close()
    # the same file through the saved mapping, by name and as a file, brings nothing new
    for mapping in ("weekly alliance", str(saved)):
        said = supervision(
            "import", str(survey), "--mapping", mapping, db=f"sqlite:///{tmp_path / 'fresh.sqlite'}", home=tmp_path
        )
        assert "Nothing new" in said
