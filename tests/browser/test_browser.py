"""What only a browser shows: sign-in end to end, each page for each role, reflow, keyboard, contrast, real data."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Served, go, open_page, serving, settled, supervision

pytestmark = pytest.mark.browser
PAGES = {
    "clinician": [
        "",
        "caseload",
        "meeting",
        "alliance",
        "retention",
        "outcomes",
        "snapshots",
        "data-quality",
        "about-signals",
        "my-visibility",
    ],
    "supervisor": [
        "",
        "meeting",
        "alliance",
        "retention",
        "outcomes",
        "snapshots",
        "data-quality",
        "about-signals",
        "my-visibility",
    ],
    "director": [
        "",
        "meeting",
        "alliance",
        "retention",
        "outcomes",
        "snapshots",
        "data-quality",
        "about-signals",
        "people",
        "enter?new=episode",
        "my-visibility",
    ],
    "admin": ["", "account", "people", "data-quality", "about-signals", "my-visibility"],
}
# found in Streamlit's own markup, not in ours
ALLOWED = {
    "aria-allowed-attr", "aria-required-children", "region", "landmark-one-main", "nested-interactive", "aria-hidden-focus",
    "meta-viewport", "page-has-heading-one",
}  # fmt: skip


def caseload_drawn(page: Page) -> None:
    """Waits for the table; unfolds what is folded, since on some days nothing of a small caseload stands out."""
    page.locator(".cl tbody th a").first.wait_for(state="attached", timeout=30_000)
    while page.locator(".cl details:not([open]) > summary").count():
        page.locator(".cl details:not([open]) > summary").first.click()


def first_episode(page: Page) -> None:
    caseload_drawn(page)
    page.locator(".cl tbody th a").first.click()
    page.get_by_role("heading", name=re.compile("^Episode ")).wait_for(timeout=20_000)
    settled(page)


# one pass over each page for everything that only a browser shows; light and dark in turn, since every page has both readers
@pytest.mark.parametrize(
    ("role", "scheme"), [("clinician", "light"), ("supervisor", "dark"), ("director", "light"), ("admin", "dark")]
)
def test_each_page_of_a_role_has_no_error_nothing_axe_finds_and_fits_a_phone(
    browser: Browser, demo: Served, role: str, scheme: str
) -> None:
    page = open_page(browser, demo, demo.of_role(role), scheme=scheme)
    for path in PAGES[role]:
        go(page, demo, path)
        assert page.get_by_text("Something went wrong").count() == 0
        assert page.get_by_text("Page not found").count() == 0
        assert page.locator("h1").count() == 1
        if page.locator(".cl tbody th a").count() and not path:
            _no_violations(page)
            first_episode(page)
        _no_violations(page)
        _fits_a_phone(page, path)
    assert page.trouble == []  # type: ignore[attr-defined]
    cookies = [str(one["value"]) for one in page.context.cookies()]
    page.context.close()
    assert demo.home is not None
    nobody_is_named(demo.said(), demo.home / "demo.sqlite", [*demo.passwords, *demo.passwords.values(), *cookies])


def nobody_is_named(said: str, database: Path, more: list[str]) -> None:
    """Fails where a log tells of a client, a clinician, or what ``more`` holds."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        words = {
            str(word)
            for columns, table in (
                ("client_code, source_id", "client"), ("display_name, source_id", "clinician"),
                ("public_id, source_id", "episode"),
            )
            for row in connection.execute(f"SELECT {columns} FROM {table}")
            for word in row
            if word
        }  # fmt: skip
    assert len(words) > 3
    assert "server started" in said
    assert [word for word in (words | set(more)) if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", said)] == []


def _fits_a_phone(page: Page, path: str) -> None:
    usual = page.viewport_size
    assert usual is not None
    page.set_viewport_size({"width": 320, "height": 700})
    runs_off = """() => {
        const beyond = e => e.scrollWidth - e.clientWidth
        return Math.max(beyond(document.documentElement), beyond(document.querySelector('[data-testid=stMain]')))
    }"""
    for _ in range(20):
        if page.evaluate(runs_off) <= 1:
            break
        page.wait_for_timeout(100)
    assert page.evaluate(runs_off) <= 1, path
    page.set_viewport_size(usual)


def test_the_cookie_is_out_of_reach_of_scripts_and_survives_a_reload(browser: Browser, demo: Served) -> None:
    page = open_page(browser, demo, demo.of_role("clinician"))
    page.wait_for_timeout(500)
    cookie = next(c for c in page.context.cookies() if c["name"] == "supervision_session")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert "supervision_session" not in page.evaluate("document.cookie")
    page.reload()
    settled(page)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.context.close()


def test_the_sign_in_form_is_drawn_once_so_that_no_click_falls_into_its_redrawing(
    browser: Browser, demo: Served
) -> None:
    page = browser.new_page()
    asked: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: asked.append(frame)))
    page.goto(demo.url)
    page.get_by_label("User name").wait_for()
    page.wait_for_timeout(3_000)
    assert len(asked) == 1
    assert page.locator("iframe").count() == 0
    page.close()


def test_signing_out_really_ends_the_session(browser: Browser, demo: Served) -> None:
    page = open_page(browser, demo, demo.of_role("director"))
    page.wait_for_timeout(500)
    cookies = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("User name").wait_for()
    page.context.close()
    thief = browser.new_context()
    thief.add_cookies(cookies)  # type: ignore[arg-type]
    again = thief.new_page()
    again.goto(demo.url)
    again.get_by_label("User name").wait_for(timeout=20_000)
    thief.close()


def test_answers_carry_the_security_headers(browser: Browser, demo: Served) -> None:
    page = browser.new_page()
    for path in ("/", "/healthz", "/download/nothing"):
        answer = page.request.get(demo.url + path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert page.request.get(f"{demo.url}/healthz").json() == {"ok": True}
    assert page.request.get(f"{demo.url}/download/nothing").status == 403
    page.close()


def test_a_download_needs_the_session_it_was_made_for(browser: Browser, tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path / 'p.sqlite'}"
    (tmp_path / "clients.csv").write_text('client_id\nK1\n""\nK2\n', "utf-8")
    (tmp_path / "episodes.csv").write_text(
        "episode_id,client_id,clinician_id,opened_on\nE1,K1,C9,2026-01-05\n", "utf-8"
    )
    supervision(
        "import", str(tmp_path / "clients.csv"), str(tmp_path / "episodes.csv"), "--practice", "P", db=db, home=tmp_path
    )
    supervision(
        "user", "add", "d.d", "--role", "director", "--password-stdin", db=db, home=tmp_path, given="a long password\n"
    )
    with serving(db, tmp_path) as url:
        served = Served(url, {"d.d": "a long password"})
        page = open_page(browser, served, "d.d")
        go(page, served, "data-quality")
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile("^Download the")).click()
        text = Path(download.value.path()).read_text("utf-8-sig")
        assert "episodes.csv" in text
        address = page.get_by_role("link", name=re.compile("^Download the")).get_attribute("href")
        stranger = browser.new_page()
        assert stranger.request.get(url + str(address)).status == 403
        stranger.close()
        page.context.close()


def test_a_caseload_row_opens_its_episode_and_back_without_a_reload(browser: Browser, demo: Served) -> None:
    page = open_page(browser, demo, demo.of_role("director"))
    page.evaluate("window.sameDocument = true")
    page.locator(".sv-table a[href*=clinician]").first.click()
    caseload_drawn(page)
    first_episode(page)
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Back to the caseload")).click()
    caseload_drawn(page)
    page.go_back()
    page.get_by_role("heading", name=re.compile("^Episode ")).wait_for(timeout=20_000)
    assert page.evaluate("window.sameDocument") is True
    assert page.trouble == []  # type: ignore[attr-defined]
    page.context.close()


def busy_clinician(browser: Browser, demo: Served) -> str:
    page = open_page(browser, demo, demo.of_role("director"))
    links = page.locator(".sv-table a[href*=clinician]")
    rows = page.locator(".sv-table tbody tr:has(a[href*=clinician])")
    counts = [int(rows.nth(i).locator("td").first.inner_text()) for i in range(rows.count())]
    href = str(links.nth(counts.index(max(counts))).get_attribute("href"))
    page.context.close()
    return href


def test_the_caseload_sorts_and_finds_by_keyboard(browser: Browser, demo: Served) -> None:
    page = open_page(browser, demo, demo.of_role("director"))
    go(page, demo, busy_clinician(browser, demo).removeprefix("./"))
    table = page.locator(".cl table").first
    button = table.get_by_role("button", name="Episode")
    button.focus()
    page.keyboard.press("Enter")
    codes = table.locator("tbody th a").all_inner_texts()
    assert codes == sorted(codes)
    page.keyboard.press("Enter")
    assert table.locator("tbody th a").all_inner_texts() == sorted(codes, reverse=True)
    page.get_by_label("Find").fill(codes[0].lower())
    shown = [row for row in page.locator(".cl tbody tr").all() if row.is_visible()]
    assert len(shown) == 1
    page.context.close()


def _no_violations(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    ours = [
        f"{one['id']}: {node['html'][:160]}"
        for one in found
        if one["id"] not in ALLOWED
        for node in one["nodes"]
        if 'data-testid="st' not in node["html"]
    ]
    assert ours == []


@pytest.mark.parametrize(("mapping", "folder"), [("bhsim", "bhsim_synthetic/csv"), ("enrichd", "enrichd_bdi")])
def test_a_real_practice_is_imported_evaluated_and_looked_at(
    browser: Browser, shared_data: Path, tmp_path: Path, mapping: str, folder: str
) -> None:
    db = f"sqlite:///{tmp_path / 'p.sqlite'}"
    files = shared_data / folder
    if mapping == "enrichd":  # a quarter of it: whole, its evaluation alone takes longer than all that is looked at
        rows = (files / "BDIdata.csv").read_text("utf-8").splitlines()
        files = tmp_path / "BDIdata.csv"
        files.write_text("\n".join(rows[:1800]) + "\n", "utf-8")
    supervision("import", str(files), "--mapping", mapping, "--practice", mapping, db=db, home=tmp_path)
    supervision(
        "user", "add", "d.d", "--role", "director", "--password-stdin", db=db, home=tmp_path, given="a long password\n"
    )
    with serving(db, tmp_path) as url:
        served = Served(url, {"d.d": "a long password"})
        for scheme in ("light", "dark"):
            page = open_page(browser, served, "d.d", scheme=scheme)
            page.screenshot(path=tmp_path / f"{mapping}-{scheme}-home.png", full_page=True)
            assert page.locator(".sv-table a[href*=clinician]").count() == {"bhsim": 27, "enrichd": 1}[mapping]
            page.locator(".sv-table a[href*=clinician]").first.click()
            caseload_drawn(page)
            settled(page)
            page.screenshot(path=tmp_path / f"{mapping}-{scheme}-caseload.png")
            first_episode(page)
            expect(page.locator(".js-plotly-plot")).to_be_visible()
            page.screenshot(path=tmp_path / f"{mapping}-{scheme}-episode.png", full_page=True)
            go(page, served, "data-quality")
            page.screenshot(path=tmp_path / f"{mapping}-{scheme}-quality.png", full_page=True)
            assert page.get_by_text("Something went wrong").count() == 0
            assert page.trouble == []  # type: ignore[attr-defined]
            page.context.close()
