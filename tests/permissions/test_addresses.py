"""Every page by everybody, with other people's ids in the address: nothing of theirs, and the same words as for none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

import pages
from dashboard import runtime
from dashboard.opened_caseloads import open_with_reason
from dashboard.settings import Settings
from dashboard.viewing import viewer_now
from queries.engine import open_engine, reading
from tests.permissions import registries
from tests.permissions.browsing import everything, named, opened, said, session_of, visit
from tests.permissions.policy import ADDRESSES, NAME_NOTHING, seen_by
from tests.permissions.policy import pages as policy
from tests.permissions.world import ALONE, COVERS, MADE_UP, OURS, PEOPLE, SAVED, SET_ASIDE, World, private, read

REFUSED = "Not part of your role"
# with whose ids each of them comes: one inside what they may see, the others outside, which read alike
TRIES = {
    "clinician": ("clinician", MADE_UP, "colleague"),
    "supervisor": ("now", "other", MADE_UP, "ended"),
    "director": ("colleague", "other", MADE_UP),
}
COVERED_PAGES = ("caseload", "episode")
OF_CLIENTS = ("caseload", "enter", "meeting", "alliance", "snapshots", "data_quality", "my_visibility", "people")
COUNTS = ("retention", "outcomes")  # pages that name no client
CLOSED = {  # what is not a client's and still not for everybody: mark to the people who may read it
    ALONE: {"director"},
    SET_ASIDE[1]: {"director", "must.change"},
    SET_ASIDE[2]: {"other.director"},
    SAVED[1]: {"director", "admin", "admin.with.record", "must.change"},
    SAVED[2]: {"other.director", "other.admin"},
}


@pytest.fixture(scope="module")
def world(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world in use by the app."""
    path = tmp_path_factory.mktemp("browsed") / "browsed.sqlite"
    shutil.copy(world_file, path)
    engine = open_engine(f"sqlite:///{path}")
    runtime.configure(Settings(db=f"sqlite:///{path}", timezone="UTC"), engine)
    yield read(engine)
    engine.dispose()
    runtime.forget()


def trouble(text: str, username: str, where: str) -> list[str]:
    """What stands in a text and is not for that person."""
    role, own, practice = PEOPLE[username]
    allowed = seen_by(role.value, own) if practice == 1 else frozenset({"other"})
    wrong = [f"{where}: {username} reads of {one}" for one in sorted(named(text) - allowed)]
    low = text.lower()
    wrong += [f"{where}: {username} reads {one}" for one, who in CLOSED.items() if one in low and username not in who]
    unshared = (one for one in OURS if one != own and private(one) in low)
    return wrong + [f"{where}: {username} reads the goal of {one}" for one in unshared]


@pytest.mark.parametrize("username", ["clinician", "supervisor", "director", "admin", "admin.with.record",
                                      "clinician.without.record", "supervisor.without.record"])  # fmt: skip
def test_every_page_opens_for_its_roles_and_names_nobody_elses_client(world: World, username: str) -> None:
    role, own, _ = PEOPLE[username]
    app, wrong = opened(session_of(username)), []
    for name, roles in policy().items():
        visit(app, name)
        shown = everything(app)
        if app.exception:
            wrong.append(f"{name}: an error")
        if (REFUSED not in shown) != roles[role.value]:
            wrong.append(f"{name}: {username} {'may open it' if REFUSED not in shown else 'may not open it'}")
        wrong += trouble(shown, username, name)
    assert not wrong, "\n".join(wrong)
    assert own is None or role.value == "admin" or own in named(everything(visit(app, "caseload")) + shown)


@pytest.mark.parametrize("username", TRIES)
def test_an_address_with_somebody_elses_id_says_the_same_as_one_that_was_made_up(world: World, username: str) -> None:
    role, own, _ = PEOPLE[username]
    allowed = seen_by(role.value, own)
    app, wrong = opened(session_of(username)), []
    for page, parameters in ADDRESSES:
        refusals = {}
        for owner in TRIES[username]:
            things = world.own[owner]
            given = {k: v[1:] if v[0] == "=" else str(getattr(things, v)) for k, v in parameters.items()}
            visit(app, page, **given)
            where = f"{page} {parameters} of {owner}"
            wrong += trouble(everything(app), username, where)
            if app.exception:
                wrong.append(f"{where}: an error")
            text = unescape(said(app))
            if owner not in allowed:
                refusals[owner] = text
            elif "clinician" in parameters and named(everything(app)) - {owner}:
                wrong.append(f"{where}: names others in scope")
            elif page not in COUNTS and owner not in named(everything(app)):
                wrong.append(f"{where}: {username} is kept from what is theirs to see")
        if len(set(refusals.values())) != 1:
            wrong.append(f"{page} {parameters}: {username} is told that it exists: {sorted(refusals)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("username", "owner"), [("admin", "colleague"), ("clinician.without.record", "now"),
                                                 ("supervisor.without.record", "now")])  # fmt: skip
def test_an_address_opens_nothing_for_somebody_without_a_caseload(world: World, username: str, owner: str) -> None:
    app, wrong = opened(session_of(username)), []
    for page, parameters in (ADDRESSES[0], ADDRESSES[2], ADDRESSES[4], ADDRESSES[7], ADDRESSES[10]):
        things = world.own[owner]
        visit(app, page, **{k: str(getattr(things, v)) for k, v in parameters.items()})
        wrong += trouble(everything(app), username, page)
    assert not wrong, "\n".join(wrong)


def test_who_covers_a_leave_reads_that_caseload_and_its_episodes_and_nothing_else_of_it(world: World) -> None:
    ((username, owner),) = COVERS.items()
    app, wrong, own = opened(session_of(username)), [], PEOPLE[username][1]
    for page, parameters in ADDRESSES:
        if any(value[0] == "=" for value in parameters.values()):
            continue
        visit(app, page, **{k: str(getattr(world.own[owner], v)) for k, v in parameters.items()})
        shown = everything(app)
        covered = {owner} if page in COVERED_PAGES else set()
        if not named(shown) <= {own, *covered} or (covered and owner not in named(shown)) or app.exception:
            wrong.append(f"{page} {parameters}: {sorted(named(shown))}")
    assert not wrong, "\n".join(wrong)


def test_a_director_of_a_practice_that_asks_for_a_reason_reads_what_they_gave_one_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = replace(runtime.settings(), director_opens_with_reason=True)
    monkeypatch.setattr(runtime, "_settings", asking)
    app, wrong = opened(session_of("director")), []
    for opened_for in (None, "colleague"):
        allowed = {"director", opened_for} - {None}
        if opened_for is not None:
            with reading(world.engine) as connection:
                viewer = viewer_now(connection, asking, "director", asking.now())
            assert viewer is not None
            who = world.own[opened_for].clinician_id
            open_with_reason(world.engine, asking, viewer, who, "a complaint", asking.now())
        alone = OF_CLIENTS if opened_for is None else ("caseload", "snapshots")
        for page, parameters in (*((page, {}) for page in alone), ADDRESSES[0], ADDRESSES[4], ADDRESSES[7]):
            for owner in ("colleague", "now") if parameters else ("colleague",):
                visit(app, page, **{k: str(getattr(world.own[owner], v)) for k, v in parameters.items()})
                shown = everything(app)
                if not named(shown) <= allowed or app.exception or any(one in shown for one in SET_ASIDE.values()):
                    wrong.append(f"{opened_for} opened, {page} {parameters} of {owner}: {sorted(named(shown))}")
                elif parameters and owner == opened_for and owner not in named(shown):
                    wrong.append(f"{page} {parameters}: kept from what was opened")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("username", [None, "disabled", "must.change"])
def test_who_is_not_in_reads_nothing_whatever_the_address(world: World, username: str | None) -> None:
    app = opened(None)
    if username == "must.change":
        app = opened(session_of(username))
    elif username is not None:
        with pytest.raises(Exception, match="No row"):
            session_of(username)
    for page, parameters in (ADDRESSES[0], ADDRESSES[4], ADDRESSES[7]):
        for name, thing in parameters.items():
            app.query_params[name] = str(getattr(world.own["colleague"], thing))
        app.run()
        shown = everything(app)
        assert not named(shown), page
        assert not app.get("bidi_component")
        assert app.get("text_input")
        assert pages.BY_NAME[page].question not in shown


def test_every_page_and_every_word_of_an_address_is_in_the_policy() -> None:
    assert set(policy()) == {page.name for page in pages.PAGES}, "Say in tests/permissions/policy.py who may open it"
    tried = {name for _, parameters in ADDRESSES for name in parameters}
    found = registries.address_parameters()
    missing = {name: sorted(where) for name, where in found.items() if name not in tried | set(NAME_NOTHING)}
    assert not missing, f"Say in tests/permissions/policy.py whose thing this names, or that it names none: {missing}"
    of_pages = {(page, name) for page, parameters in ADDRESSES for name in parameters}
    for name in tried - set(NAME_NOTHING):
        for module in found[name]:
            assert (module.rpartition(".")[2], name) in of_pages, f"{module} reads {name}, and no address tries it"
