"""A box that saves itself: what was drawn before the server heard of the last draft takes no letter from whoever writes."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

SCRIPT = Path(__file__).resolve().parents[2] / "dashboard" / "ui" / "autosave.js"
BOX = "<div id=p><label></label><textarea></textarea><span class=count></span><span class=note></span></div>"
SAID = {"label": "What", "note": "", "longest": 160, "words": 0, "rows": 2, "readOnly": False}


def test_a_draft_on_its_way_is_not_replaced_by_what_somebody_else_saved_meanwhile(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(BOX)
    page.add_script_tag(content=SCRIPT.read_text("utf-8").replace("export default function", "window.box = function"))

    def drawn(**data: object) -> str:
        return str(
            page.evaluate(
                """data => { window.sent ??= [];
                box({ data, parentElement: document.getElementById("p"), setStateValue: (_, v) => window.sent.push(v) });
                return document.querySelector("textarea").value; }""",
                {**SAID, **data},
            )
        )

    assert drawn(text="", base=0, clash=False, heard=0) == ""
    page.evaluate(
        "() => { const t = document.querySelector('textarea'); t.value = 'Theirs'; t.oninput(); t.onblur(); }"
    )
    number = page.evaluate("() => window.sent[0].number")
    assert drawn(text="Mine, first", base=1, clash=False, heard=0) == "Theirs"
    assert drawn(text="Mine, first", base=1, clash=True, heard=number) == "Theirs"
    assert drawn(text="Mine, first", base=1, clash=False, heard=number) == "Mine, first"
    page.close()
