"""A snapshot made in a real browser: drawn there, stored here, opened without a network, handed to nobody else."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Served, go, open_page, settled

pytestmark = pytest.mark.browser


def make_one(page: Page, served: Served) -> None:
    """Opens the first episode of the caseload and makes a snapshot of it."""
    page.locator(".cl tbody th a").first.wait_for(state="attached", timeout=30_000)
    while page.locator(".cl details:not([open]) > summary").count():
        page.locator(".cl details:not([open]) > summary").first.click()
    page.locator(".cl tbody th a").first.click()
    page.get_by_role("heading", name=re.compile("^Episode ")).wait_for(timeout=20_000)
    settled(page)
    page.get_by_role("button", name="Make snapshot").click()
    page.get_by_text("This file contains client-level information.").wait_for()
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("link", name="Download PDF").wait_for(timeout=60_000)
    settled(page)


def test_an_episode_goes_onto_paper_and_nowhere_else(browser: Browser, demo: Served, tmp_path: Path) -> None:
    names = [name for name, role in demo.roles.items() if role == "clinician"]
    page = open_page(browser, demo, names[0])
    make_one(page, demo)
    addresses = {}
    for words, form in (("HTML", "html"), ("PDF", "pdf"), ("CSV tables", "zip")):
        anchor = page.get_by_role("link", name=f"Download {words}")
        addresses[form] = demo.url + str(anchor.get_attribute("href"))
        with page.expect_download() as download:
            anchor.click()
        assert re.fullmatch(rf"supervision-snapshot_[\d-]+_\w+\.{form}", download.value.suggested_filename)
        download.value.save_as(tmp_path / f"snapshot.{form}")
    reader = pypdf.PdfReader(io.BytesIO((tmp_path / "snapshot.pdf").read_bytes()))
    text = "".join(one.extract_text() for one in reader.pages)
    assert "Weeks since the first session" in text
    assert "Confidential · supervision copy" in text
    assert page.trouble == []  # type: ignore[attr-defined]

    # the link is for this person with this session alone
    assert page.request.get(addresses["pdf"]).status == 200
    stranger = browser.new_context()
    for address in addresses.values():
        assert stranger.request.get(address).status == 403
    assert stranger.request.get(f"{demo.url}/assets/plotly.min.js").status == 403
    stranger.close()
    other = open_page(browser, demo, names[1])
    for address in addresses.values():
        assert other.request.get(address).status == 403
    go(other, demo, "snapshots")
    assert "No snapshot has been made yet" in other.locator("body").inner_text()
    other.context.close()
    go(page, demo, "snapshots")
    assert page.get_by_text("unchanged").count() == 1
    page.context.close()


def test_the_html_opens_without_a_network_and_asks_for_nothing(browser: Browser, demo: Served, tmp_path: Path) -> None:
    page = open_page(browser, demo, demo.of_role("clinician"))
    make_one(page, demo)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download HTML").click()
    download.value.save_as(tmp_path / "snapshot.html")
    page.context.close()
    offline = browser.new_context(offline=True)
    opened = offline.new_page()
    asked: list[str] = []
    trouble: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: trouble.append(message.text))
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.goto((tmp_path / "snapshot.html").as_uri())
    opened.wait_for_timeout(500)
    assert [one for one in asked if not one.endswith("/snapshot.html")] == []
    assert trouble == []
    assert opened.locator("figure svg text").count() > 5
    assert opened.locator("h1").count() == 1
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    printed = pypdf.PdfReader(io.BytesIO(opened.pdf(prefer_css_page_size=True)))
    assert round(float(printed.pages[0].mediabox.width)) in (595, 596)
    rules = opened.evaluate("[...document.styleSheets[0].cssRules].map((one) => one.cssText).join()")
    assert "Confidential · supervision copy · made by" in rules.split("@media")[0]
    offline.close()


def test_the_interactive_html_draws_its_figures_without_a_network(browser: Browser, tmp_path: Path) -> None:
    from dashboard.snapshot.html import html_file
    from tests.snapshots import MADE, content

    (tmp_path / "alive.html").write_bytes(html_file(content(), MADE, None))
    offline = browser.new_context(offline=True)
    opened = offline.new_page()
    trouble: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto((tmp_path / "alive.html").as_uri())
    opened.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=20_000)
    assert trouble == []
    assert [one for one in asked if not one.startswith(("file:", "data:", "blob:"))] == []
    offline.close()
