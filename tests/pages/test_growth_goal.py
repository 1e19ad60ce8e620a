"""The growth goal on the Outcomes page: written by its clinician, text as text, seen by their supervisor once it is shared."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import Role
from dashboard.harmless import clean
from queries import people
from queries.engine import reading
from tests.hostile import HOSTILE, harm_in_html
from tests.pages.conftest import words

SignIn = Callable[..., AppTest]


def pair() -> tuple[str, str, str]:
    """A clinician's user name, their opaque id, and the user name of somebody who supervises them."""
    with reading(runtime.engine()) as connection:
        names = [row[0] for row in connection.execute(text("SELECT username FROM app_user ORDER BY username"))]
        viewers = [people.viewer(connection, name, runtime.settings().today()) for name in names]
        for own in viewers:
            for other in viewers:
                if own and other and own.role is Role.CLINICIAN and own.clinician_id in other.supervisee_ids:
                    public = connection.execute(
                        text("SELECT public_id FROM clinician WHERE id = :x"), {"x": own.clinician_id}
                    ).scalar()
                    return own.username, str(public), other.username
    raise AssertionError("nobody is supervised here")


def growth(sign_in: SignIn, username: str, **more: str) -> AppTest:
    app = sign_in(username, "outcomes", part="growth", **more)
    assert not app.exception
    return app


@pytest.mark.parametrize("kind", ["apostrophe", "bidi", "link", "script"])
def test_a_goal_is_set_on_the_page_and_shown_as_text(practice: Path, sign_in: SignIn, kind: str) -> None:
    own, public, supervisor = pair()
    app = growth(sign_in, own)
    goal = next(one for one in app.text_input if one.label == "What would you like to do differently?")
    goal.input(HOSTILE[kind])
    next(one for one in app.button if one.label == "Set this goal").click()
    app.run()
    assert not app.exception
    shown = clean(HOSTILE[kind])
    assert escape(shown, quote=False) in words(app) or escape(shown) in words(app)
    for element in app.get("html"):
        if "Growth goal" in element.proto.body:
            assert harm_in_html(element.proto.body) == []
    labels = [one.label for one in (*app.button, *app.text_input, *app.toggle, *app.selectbox, *app.expander)]
    assert not any(HOSTILE[kind] in label for label in labels)

    theirs = growth(sign_in, supervisor, clinician=public)
    assert "or it is not shared with you" in words(theirs)
    assert not [one for one in theirs.toggle if "goal" in one.label]
    share = next(one for one in app.toggle if one.label == "Share my goal with whoever supervises me")
    share.set_value(True)
    app.run()
    assert not app.exception
    theirs = growth(sign_in, supervisor, clinician=public)
    assert "or it is not shared with you" not in words(theirs)
    assert "In the 180 days before" in words(theirs)
    assert not [one for one in theirs.button if one.label == "Close it"]
