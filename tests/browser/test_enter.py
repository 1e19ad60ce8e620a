"""A session by the keyboard alone, in a real Chromium: how many keys and how long; and the browser's sums are the server's."""

from __future__ import annotations

import random
import time
from pathlib import Path

from playwright.sync_api import Browser, Page

from dashboard.entry.questionnaires import sheet, sums
from dashboard.instruments import BUILT_IN
from tests.browser.conftest import Served, open_page, settled

SCRIPT = Path(__file__).resolve().parents[2] / "dashboard" / "ui" / "entry.js"
SECONDS = 15  # for a person, at PER_KEY; on a machine that does nothing else the whole way takes under 6
PER_KEY = 0.28  # seconds a key takes an average typist (Card, Moran & Newell 1980)
BUSY = 60  # seconds after which something hangs, however much else the machine does


def _press(page: Page, *keys: str) -> int:
    for key in keys:
        page.keyboard.press(key)
    return len(keys)


def _focused(page: Page) -> str:
    return str(
        page.evaluate(
            """() => { let one = document.activeElement; while (one.shadowRoot) one = one.shadowRoot.activeElement;
            return one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent; }"""
        )
    )


def test_a_session_with_nine_items_is_entered_by_the_keyboard_in_seconds(browser: Browser, demo: Served) -> None:
    page = open_page(browser, demo, demo.of_role("director"))
    page.get_by_role("link", name="Add a session").first.focus()
    began = time.monotonic()
    keys = _press(page, "Enter")
    page.get_by_label("Client code").wait_for()
    settled(page)
    assert _focused(page) == "Client code"
    code = str(page.locator(".find a").first.text_content())
    keys += _press(page, *code, "Enter")
    page.get_by_label("What became of it").wait_for()
    settled(page)
    while not _focused(page).startswith("PHQ-9"):
        assert keys < 60, "the questionnaire is reached by Tab"
        keys += _press(page, "Tab")
    if "Item" not in _focused(page):  # it opens as it was last entered
        page.get_by_role("button", name="PHQ-9: item by item").press("Enter")
        keys += 4  # to the button by Tab
    keys += _press(page, *"212101121")
    assert page.get_by_text("9 of 9 items · Total 11").is_visible()
    keys += _press(page, "Enter")
    said = page.get_by_text("Saved:").or_(page.get_by_role("button", name="Yes, save it so"))
    said.first.wait_for()
    if page.get_by_role("button", name="Yes, save it so").is_visible():
        keys += _press(page, "Enter")
        page.get_by_text("Saved:").wait_for()
    took = time.monotonic() - began
    settled(page)
    assert page.get_by_text("PHQ-9 11 (9 items)").first.is_visible()
    assert took < BUSY
    assert keys * PER_KEY < SECONDS, f"{keys} keys"
    print(f"{keys} keys, {took:.1f} s")
    assert not page.trouble  # type: ignore[attr-defined]
    page.context.close()


def test_enter_twice_sends_one_entry_and_a_value_out_of_range_none(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content('<div id="p"><div class="entry"></div></div>')
    page.add_script_tag(content=SCRIPT.read_text("utf-8").replace("export default function", "window.form = function"))
    data = {
        "token": "0" * 16, "chosen": "new", "statuses": [["attended", "attended"]], "modes": [["", "not recorded"]],
        "slots": [{"ref": "new", "words": "<b>", "day": "2026-11-20", "time": "14:00", "status": "attended", "mode": "",
                   "fixed": False, "note": ""}],
        "measures": [{"sheet": sheet(BUILT_IN["phq9"]), "values": {}, "byItems": False}], "more": [], "booked": "",
        "seen": "", "save": "Save", "canBook": True, "hint": "", "focus": True, "heard": 0, "trouble": "", "questions": [],
        "yes": "Yes",
    }  # fmt: skip
    page.evaluate(
        """data => { window.sent = []; form({ data, parentElement: document.getElementById("p"),
        setTriggerValue: (_, value) => window.sent.push(value) }); }""",
        data,
    )
    total = page.get_by_label("PHQ-9, Total")
    total.fill("28")
    total.press("Enter")
    assert page.evaluate("window.sent.length") == 0
    assert "Total: 0 to 27" in str(page.locator(".wrong").text_content())
    total.fill("14")
    total.press("Enter")
    total.press("Enter")
    sent = page.evaluate("window.sent")
    assert len(sent) == 1
    assert sent[0]["measures"] == [{"key": "phq9", "respondent": "client", "values": {"total": "14"}}]
    page.close()


def test_the_browser_makes_the_same_sums_of_items_as_the_server(browser: Browser) -> None:
    page = browser.new_page()
    page.add_script_tag(content=SCRIPT.read_text("utf-8").replace("export default function", "window.form = function"))
    draw = random.Random(4)
    cases = []
    for one in BUILT_IN.values():
        known = sheet(one)
        if not known["items"]:
            continue
        for missing in (0, 0, 1, 2, 3, 9):
            left = draw.sample(range(1, known["items"] + 1), max(1, known["items"] - missing))
            cases.append(
                (
                    one,
                    known,
                    {item: float(draw.randint(int(known["itemLow"]), int(known["itemHigh"]))) for item in left},
                )
            )
    made = page.evaluate(
        "cases => cases.map(([sheet, answers]) => sumsOf(sheet, answers))", [[k, a] for _, k, a in cases]
    )
    assert len(cases) > 50
    for (one, _, answers), found in zip(cases, made, strict=True):
        expected = sums(one, answers)
        assert set(found) == set(expected), one.key
        for scale, (value, prorated) in expected.items():
            assert abs(found[scale]["value"] - value) < 1e-9, (one.key, scale)
            assert found[scale]["prorated"] == prorated
    page.close()
