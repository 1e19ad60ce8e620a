"""A page that breaks on a client's own code, and a file that is refused, leave nothing of anybody in what the server writes."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Served, go, open_page, serving, supervision
from tests.browser.test_browser import nobody_is_named

pytestmark = pytest.mark.browser
PASSWORD = "a long password"
FILES = {
    "clients.csv": "client_id,client_code\nK-9001,QX-7731\nK-9002,QX-7732\n",
    "clinicians.csv": "clinician_id,display_name\nC-900,Zora Quillfeather\n",
    "episodes.csv": "episode_id,client_id,clinician_id,opened_on\nE-9001,K-9001,C-900,2026-01-05\n",
}
REFUSED = "episode_id,taken_on,instrument,scale\nE-9001,2026-02-01,Zora Quillfeather,QX-7731\n"


def test_an_error_about_a_client_and_a_refused_file_are_told_without_anybodys_name(
    browser: Browser, tmp_path: Path
) -> None:
    database = tmp_path / "p.sqlite"
    db = f"sqlite:///{database}"
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    supervision("import", *(str(tmp_path / name) for name in FILES), "--practice", "P", db=db, home=tmp_path)
    supervision(
        "user", "add", "d.d", "--role", "director", "--password-stdin", db=db, home=tmp_path, given=f"{PASSWORD}\n"
    )
    with serving(db, tmp_path) as url:
        served = Served(url, {"d.d": PASSWORD}, home=tmp_path)
        page = open_page(browser, served, "d.d")
        go(page, served, "data-quality")
        page.locator("input[type=file]").first.set_input_files(
            {"name": "scores.csv", "mimeType": "text/csv", "buffer": REFUSED.encode()}
        )
        page.get_by_text("scores.csv").first.wait_for()
        page.get_by_role("button", name="Read the files").click()
        expect(page.get_by_text(re.compile("scores.csv.*value", re.DOTALL)).first).to_be_visible(timeout=60_000)
        assert page.trouble == []  # type: ignore[attr-defined]
        cookies = [str(one["value"]) for one in page.context.cookies()]
        # a client's code where a page reads one of a closed list: the error that it ends in quotes it
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA ignore_check_constraints=ON")
            connection.execute("UPDATE app_user SET role = 'QX-7731'")
            connection.commit()
        page.goto(f"{url}/caseload")
        told = page.get_by_text(re.compile("Reference [0-9A-F]{4}")).first
        told.wait_for(timeout=60_000)
        reference = told.inner_text().rsplit("Reference ", 1)[1].strip(". ")
        assert "QX-7731" not in page.content()
        asked = page.request.get(f"{url}/assets/plotly.min.js")
        assert asked.status == 500
        assert "QX-7731" not in asked.text()
        page.context.close()
        said = served.said()
    lines = [json.loads(line) for line in (tmp_path / "served.jsonl").read_text("utf-8").splitlines()]
    failed = [one for one in lines if one["event"] in ("page failed", "request failed")]
    assert reference in [one["reference"] for one in failed if one["event"] == "page failed"]
    assert [one["route"] for one in failed if one["event"] == "request failed"] == ["/assets/plotly.min.js"]
    assert all(re.fullmatch(r"people\.py:\d+", one["where"]) for one in failed), "the place in our own code"
    nobody_is_named(said, database, ["d.d", PASSWORD, "Quillfeather", "scores.csv", *cookies])
