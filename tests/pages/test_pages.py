"""Every page for every role: what it says, what it keeps back, and how it looks with nothing to show."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

import pages
from dashboard import runtime
from dashboard.access import NO_EPISODE, Role, scope_for
from dashboard.charts.style import DARK, LIGHT
from dashboard.settings import Settings
from dashboard.ui.frame import CRISIS
from queries import caseload, people
from queries.engine import reading
from queries.frames import read_frame
from tests.pages.conftest import words

SignIn = Callable[..., AppTest]
ROLES = [role.value for role in Role]
BLAME = re.compile(
    r"\b(at risk of|red flag|failing|failed|worst|best clinician|rank(ed|ing)?|score ?card|deteriorat\w+)\b",
    re.I,
)


@dataclass(frozen=True)
class _Later(Settings):
    """Settings of a day on which nobody has loaded anything for a while."""

    later: datetime = datetime(2000, 1, 1)

    def now(self) -> datetime:
        return self.later


def viewer(username: str):
    with reading(runtime.engine()) as connection:
        found = people.viewer(connection, username, runtime.settings().today())
    assert found is not None
    return found


def episodes(username: str) -> list[dict[str, object]]:
    with reading(runtime.engine()) as connection:
        return read_frame(connection, caseload.states(scope_for(viewer(username)), open_only=False)).to_dicts()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", [page.name for page in pages.PAGES])
def test_each_role_opens_its_pages_and_no_other(practice: Path, sign_in: SignIn, role: str, page: str) -> None:
    username = role if role != "clinician" else some_clinician()
    app = sign_in(username, page)
    said = unescape(words(app))
    assert not app.exception
    assert CRISIS in said
    if pages.can_open(Role(role), pages.BY_NAME[page]):
        assert "Not part of your role" not in said
        assert pages.BY_NAME[page].question in said or page in ("caseload", "episode")
    else:
        assert "Not part of your role" in said
        with reading(runtime.engine()) as connection:
            noted = connection.execute(
                text("SELECT count(*) FROM audit WHERE action = :a"), {"a": f"refuse page {page}"}
            )
            assert noted.scalar_one() == 1


def some_clinician() -> str:
    with reading(runtime.engine()) as connection:
        rows = connection.execute(text("SELECT username FROM app_user WHERE role = 'clinician' ORDER BY username"))
        names = [str(row[0]) for row in rows]
    return next(name for name in names if any(e["closed_on"] is None for e in episodes(name)))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", [page.name for page in pages.PAGES])
def test_headings_go_from_one_to_two_to_three(practice: Path, sign_in: SignIn, role: str, page: str) -> None:
    said = words(sign_in(role if role != "clinician" else some_clinician(), page))
    levels = [int(found) for found in re.findall(r"<h([1-6])>", said)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


@pytest.mark.parametrize("role", ["director", "supervisor", "clinician"])
def test_words_on_screen_never_blame_or_rank(practice: Path, sign_in: SignIn, role: str) -> None:
    username = role if role != "clinician" else some_clinician()
    said = (
        words(sign_in(username)) + words(sign_in(username, "about_signals")) + words(sign_in(username, "data_quality"))
    )
    text_only = re.sub(r"<[^>]+>", " ", said)
    assert not BLAME.findall(text_only)
    assert "patient" not in re.sub(r"<[^>]+>", " ", words(sign_in(username))).lower()


def test_the_director_sees_clinicians_in_alphabetical_order_and_no_rank(practice: Path, sign_in: SignIn) -> None:
    said = words(sign_in("director"))
    table = said[said.index("<caption>Open episodes by clinician") :]
    names = re.findall(r'<th scope="row"><a [^>]*>([^<]+)</a>', table)
    assert names == sorted(names)
    assert len(names) > 3
    assert "rank" not in said.lower()


def test_a_supervisor_opens_a_supervisee_by_an_opaque_address(practice: Path, sign_in: SignIn) -> None:
    said = words(sign_in("supervisor"))
    opaque = re.findall(r'href="\./\?clinician=([0-9a-f]{16})"', said)
    assert opaque
    titles = [re.search(r"<h1>([^<]+)", words(sign_in("supervisor", clinician=one))) for one in opaque]
    assert all(title and title[1].startswith(("Caseload of ", "My caseload")) for title in titles)
    assert sum(title is not None and title[1].startswith("Caseload of ") for title in titles) == len(opaque) - 1


def test_the_picker_names_whoever_the_address_names(practice: Path, sign_in: SignIn) -> None:
    app = sign_in("director")
    opaque = re.findall(r'href="\./\?clinician=([0-9a-f]{16})"', words(app))
    for one in opaque[:2]:
        app.query_params["clinician"] = one
        app.run()
        assert app.selectbox(key="whose").value == one
    app.selectbox(key="whose").select("").run()
    assert "clinician" not in app.query_params
    assert "Caseloads" in words(app)


def test_a_clinicians_caseload_lists_their_open_episodes(practice: Path, sign_in: SignIn) -> None:
    username = some_clinician()
    said = words(sign_in(username))
    mine = [str(e["client_code"]) for e in episodes(username) if e["closed_on"] is None]
    assert f"your {len(mine)} open episode" in said
    assert all(code in said for code in mine)


def test_an_episode_page_shows_figure_evidence_prompt_and_numbers(practice: Path, sign_in: SignIn) -> None:
    with reading(runtime.engine()) as connection:
        scope = scope_for(viewer("director"))
        flags = read_frame(connection, caseload.flags(scope)).to_dicts()
        states = {row["episode_id"]: row for row in read_frame(connection, caseload.states(scope)).to_dicts()}
    flag = next(f for f in flags if f["episode_id"] in states and f["family"] == "outcome")
    app = sign_in("director", "episode", episode=states[flag["episode_id"]]["public_id"])
    said = unescape(words(app))
    assert flag["evidence"] in said
    assert "Show the numbers" in said
    assert "How to read this" in said
    alt = app.get("plotly_chart")[0].proto.alt
    assert states[flag["episode_id"]]["client_code"] in alt
    assert "scores" in alt


def test_opening_an_episode_leaves_one_audit_row_however_often_it_reruns(practice: Path, sign_in: SignIn) -> None:
    one = episodes("director")[0]
    app = sign_in("director", "episode", episode=str(one["public_id"]))
    app.run()
    app.run()
    with reading(runtime.engine()) as connection:
        rows = connection.execute(text("SELECT username, episode_id FROM audit WHERE action = 'view episode'")).all()
    assert [tuple(row) for row in rows] == [("director", one["episode_id"])]


@pytest.mark.parametrize("wanted", ["", "0" * 16, "' OR 1=1 --", "<script>alert(1)</script>"])
def test_an_unknown_episode_and_one_out_of_scope_read_the_same(practice: Path, sign_in: SignIn, wanted: str) -> None:
    username = some_clinician()
    own = {e["public_id"] for e in episodes(username)}
    foreign = next(str(e["public_id"]) for e in episodes("director") if e["public_id"] not in own)
    unknown = unescape(words(sign_in(username, "episode", episode=wanted)))
    other = unescape(words(sign_in(username, "episode", episode=foreign)))
    assert NO_EPISODE in unknown
    assert "<script>alert" not in words(sign_in(username, "episode", episode=wanted))
    assert re.sub(r"\s", "", unknown) == re.sub(r"\s", "", other)


def test_an_administrator_reads_no_client_code_anywhere(practice: Path, sign_in: SignIn) -> None:
    codes = {str(e["client_code"]) for e in episodes("director")}
    for page in pages.PAGES:
        said = words(sign_in("admin", page.name))
        assert not [code for code in codes if code in said], page.name


def test_an_empty_database_says_how_to_begin(empty: Path, sign_in: SignIn) -> None:
    app = sign_in(None)
    said = words(app)
    assert "supervision import" in said
    assert "supervision user add" in said
    assert not app.get("text_input")


@pytest.mark.parametrize("role", ["director", "admin"])
@pytest.mark.parametrize("page", [page.name for page in pages.PAGES])
def test_a_practice_without_data_has_words_on_every_page(empty: Path, sign_in: SignIn, role: str, page: str) -> None:
    from dashboard.people import add_person

    add_person(
        runtime.engine(), practice=None, username=role, role=role, clinician=None, password="a long enough one",
        must_change=False, now=runtime.settings().now(),
    )  # fmt: skip
    app = sign_in(role, page)
    assert not app.exception
    assert CRISIS in unescape(words(app))


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("name", "ground", "least"),
    [
        ("ink", "page", 4.5), ("muted", "page", 4.5), ("blue", "page", 4.5), ("orange_text", "orange_tint", 4.5),
        ("muted", "surface", 4.5), ("ink", "surface", 4.5), ("error", "page", 4.5), ("orange", "page", 3.0),
        ("grey", "page", 3.0), ("ink", "band", 3.0), ("ink", "neutral_band", 4.5), ("muted", "neutral_band", 4.5),
        ("blue", "surface", 4.5), ("orange_text", "page", 4.5),
    ],
)  # fmt: skip
def test_colours_keep_their_contrast(colours: object, name: str, ground: str, least: float) -> None:
    assert contrast(getattr(colours, name), getattr(colours, ground)) >= least


def test_the_style_sheets_use_the_tokens_of_the_figures() -> None:
    folder = Path(pages.__file__).parents[1] / "dashboard" / "ui"
    tokens = {value.upper() for palette in (LIGHT, DARK) for value in vars(palette).values()}
    for sheet in ("app.css", "caseload.css"):
        used = {found.upper() for found in re.findall(r"#[0-9A-Fa-f]{6}\b", (folder / sheet).read_text("utf-8"))}
        assert used <= tokens, sheet


def test_where_the_data_stopped_the_page_says_in_how_many_that_is_the_only_sign(
    practice: Path, sign_in: SignIn
) -> None:
    engine = runtime.engine()
    later = runtime.settings().now() + timedelta(days=120)
    runtime.configure(_Later(**vars(runtime.settings()), later=later), engine)
    said = unescape(words(sign_in("director")))
    assert "the only sign is that the data stopped" in said
    assert "Recent sessions may be missing" in said
