"""What somebody typed comes back in a message as they typed it, never as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.ui import say
from tests.hostile import HOSTILE, harm_in_markdown, harm_in_text

SignIn = Callable[..., AppTest]


def _press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click()
    app.run()


@pytest.mark.parametrize("name", ["link", "directive", "address", "picture", "control"])
def test_a_user_name_that_is_refused(practice: Path, sign_in: SignIn, name: str) -> None:
    app = sign_in("admin", "people")
    next(one for one in app.text_input if one.label == "User name").set_value(HOSTILE[name][:40])
    next(one for one in app.selectbox if one.label == "Role").set_value("admin")
    _press(app, "Add")
    (said,) = [one.value for one in app.error]
    assert "cannot be a user name" in said
    assert harm_in_markdown(said) + harm_in_text(said.replace("\u2060", "")) == []


def test_a_code_that_may_be_a_name(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("director", "enter", new="episode")
    next(one for one in app.text_input if one.label == "Code of the client").set_value(":material/lock: zq-abc")
    _press(app, "Open the episode")
    (said,) = [one.value for one in app.error]
    assert "may be a name" in said
    assert harm_in_markdown(said) == []


def _says_everything(texts: list[str]) -> None:
    from dashboard.ui import say

    for one in texts:
        for words in (say.refused, say.waits, say.done, say.noted):
            words(one)
    with say.progress() as step:
        step(texts[0], 2.0)


def test_every_way_of_saying_something_says_it_as_text() -> None:
    assert say.refused is not None
    app = AppTest.from_function(_says_everything, args=(list(HOSTILE.values()),)).run()
    assert not app.exception
    said = [one.value for kind in ("error", "warning", "success", "toast") for one in app.get(kind)]
    assert len(said) == 4 * len(HOSTILE)
    assert [harm for one in said for harm in harm_in_markdown(one) + harm_in_text(one.replace("\u2060", ""))] == []
