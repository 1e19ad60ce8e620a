"""Links to files and the routes of the server: by another person, after a change of role, late, altered, without a session."""

from __future__ import annotations

import base64
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from dashboard import downloads, runtime
from dashboard.settings import Settings
from queries import people, sessions
from queries.engine import open_engine, writing
from queries.tables import SupervisionLink, User
from tests.permissions.asking import ask, routes
from tests.permissions.browsing import named, session_of
from tests.permissions.conftest import Trying
from tests.permissions.policy import seen_by
from tests.permissions.test_addresses import trouble
from tests.permissions.world import MADE_UP, OURS, PEOPLE, SAVED, SET_ASIDE, World, mark, read

# kind of download: who may have it, and for kinds that name a thing of somebody's, whose
KINDS = {
    "set_aside": {"director", "admin", "admin.with.record", "other.director", "other.admin"},
    "mapping": {"director", "admin", "admin.with.record", "other.director", "other.admin"},
    "snapshot": {"clinician", "supervisor", "director", "supervisee", "other.director", "other.clinician"},
    "looks": {"clinician", "supervisor", "director", "supervisee", "other.clinician"},  # with a caseload of their own
}
# route: what it says to somebody without a session, and with a live one
ROUTES = {
    "/healthz": (200, 200),
    "/session/bind": (403, 403),
    "/session/drop-provider": (200, 200),  # opens and ends nothing: drops cookies of this browser
    "/download/{token}": (403, 403),
    "/assets/plotly.min.js": (403, 200),
}


@dataclass(frozen=True)
class Later(Settings):
    """Settings of a later moment."""

    later: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The clock, moved on."""
        return super().now() + self.later


@pytest.fixture(scope="module")
def serving(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trying]:
    """A world behind the routes."""
    path = tmp_path_factory.mktemp("served") / "served.sqlite"
    shutil.copy(world_file, path)
    engine = open_engine(f"sqlite:///{path}")
    watch = sqlite3.connect(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "_engine", engine)
        patch.setattr(runtime, "_settings", Settings(db=f"sqlite:///{path}", timezone="UTC"))
        yield Trying(read(engine), path, world_file, watch)
    watch.close()
    engine.dispose()


def at(later: timedelta) -> None:
    """Moves the clock of the program."""
    runtime.configure(replace(Later(**_plain(runtime.settings())), later=later), runtime.engine())


def _plain(settings: Settings) -> dict[str, object]:
    return {name: value for name, value in vars(settings).items() if name != "later"}


def wanted(world: World, username: str, kind: str) -> dict[str, str]:
    """Owner to the link's kind, for every thing of everybody's that a kind may name."""
    if kind in ("set_aside", "looks"):
        return {"-": kind}
    if kind == "mapping":
        return {"1": f"mapping:{SAVED[1]}", "2": f"mapping:{SAVED[2]}", "none": "mapping:none"}
    owners = (*OURS, "other", "several", MADE_UP) if username in ("clinician", "supervisor") else ("director", "other")
    return {one: downloads.snapshot_kind(world.own[one].snapshot, "zip") for one in owners}


def may(username: str, kind: str, thing: str) -> bool:
    """What the policy says of one file."""
    role, own, practice = PEOPLE[username]
    if username not in KINDS[kind]:
        return False
    if kind in ("set_aside", "looks"):
        return True
    if kind == "mapping":
        return thing == str(practice)
    if practice == 2:
        return thing == "other"
    return thing in seen_by(role.value, own) or (thing == "several" and role.value == "director")


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_gives_its_person_what_the_policy_allows_and_nobody_else_anything(serving: Trying, kind: str) -> None:
    world, wrong = serving.world, []
    for username in PEOPLE:
        viewer = world.viewer(username)
        if viewer is None:
            continue
        cookie, refusals = session_of(username), set()
        for thing, name in wanted(world, username, kind).items():
            link = downloads.link(viewer, name, runtime.settings().now())
            answer = ask(link, cookie)
            allowed = may(username, kind, thing) and username != "must.change"
            if (answer.status == 200) != allowed:
                wrong.append(f"{username} gets {answer.status} for {kind} of {thing}: {answer.body[:80]!r}")
            if answer.status != 200:
                refusals.add(
                    answer.body.decode().replace(SAVED[2], "…").replace(SAVED[1], "…").replace("'none'", "'…'")
                )
            else:
                wrong += trouble(answer.body.decode(), username, f"{kind} of {thing}")
                if kind == "looks" and not named(answer.body.decode()) <= {PEOPLE[username][1]}:
                    wrong.append(f"{username} reads who looked at others: {named(answer.body.decode())}")
        if len(refusals) > 1:
            wrong.append(f"{username} is told whether it exists: {kind}: {sorted(refusals)}")
    assert not wrong, "\n".join(wrong)


def test_an_administrator_downloads_set_aside_rows_without_their_values(serving: Trying) -> None:
    viewer = serving.world.known("admin")
    answer = ask(downloads.link(viewer, "set_aside", runtime.settings().now()), session_of("admin"))
    assert answer.status == 200
    assert b"withheld" in answer.body or b"\xe2\x80\xa2" in answer.body
    assert SET_ASIDE[1].encode() not in answer.body


@pytest.mark.parametrize("other", ["clinician", "director", "admin", "other.director", None, "ended", "must.change"])
def test_a_link_that_somebody_passed_on_opens_nothing(serving: Trying, other: str | None) -> None:
    world = serving.world
    viewer = world.known("supervisor")
    kind = downloads.snapshot_kind(world.own["now"].snapshot, "zip")
    link = downloads.link(viewer, kind, runtime.settings().now())
    cookie = session_of("supervisor" if other == "ended" else other) if other else None
    if other == "ended":
        with writing(world.engine) as connection:
            sessions.end(connection, str(cookie), runtime.settings().now())
    answer = ask(link, cookie)
    assert answer.status == 403
    assert mark("now").encode() not in answer.body
    serving.restore()


def test_a_link_of_another_person_is_not_signed_by_ones_own_hand(serving: Trying) -> None:
    """With the practice's secret everybody's links are signed alike: the name inside counts."""
    world = serving.world
    for asker, name in (("director", "supervisor"), ("supervisor", "director")):
        link = downloads.link(world.known(name), "set_aside", runtime.settings().now())
        assert ask(link, session_of(asker)).status == 403


def _altered(link: str, old: bytes, new: bytes) -> str:
    token = link.rpartition("/")[2]
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return "/download/" + base64.urlsafe_b64encode(raw[:32] + raw[32:].replace(old, new)).decode().rstrip("=")


def test_a_link_that_was_altered_or_is_old_opens_nothing(serving: Trying) -> None:
    world = serving.world
    viewer, cookie = world.known("director"), session_of("director")
    now, good = runtime.settings().now(), world.own["now"].snapshot
    link = downloads.link(viewer, downloads.snapshot_kind(good, "zip"), now)
    assert ask(link, cookie).status == 200
    for old, new in ((good.encode(), world.own["ended"].snapshot.encode()), (b'"zip', b'"html'), (b"20", b"29"),
                     (b"director", b"director ")):  # fmt: skip
        altered = _altered(link, old, new)
        assert altered == link or ask(altered, cookie).status == 403
    for nonsense in ("/download/x", "/download/%00", link[:-4], "/download/" + "A" * 400):
        assert ask(nonsense, cookie).status == 403
    late = downloads.link(
        viewer, downloads.snapshot_kind(good, "zip"), now - timedelta(minutes=downloads.MINUTES, seconds=1)
    )
    assert ask(late, cookie).status == 403


@pytest.mark.parametrize("change", ["link ended", "another role", "another clinician", "disabled", "another practice"])
def test_a_link_ends_with_what_it_was_given_for(serving: Trying, change: str) -> None:
    world = serving.world
    engine: Engine = world.engine
    viewer, cookie = world.known("supervisor"), session_of("supervisor")
    kind = downloads.snapshot_kind(world.own["now"].snapshot, "zip")
    link = downloads.link(viewer, kind, runtime.settings().now())
    assert ask(link, cookie).status == 200
    who = {"practice_id": 1, "username": "supervisor", "now": runtime.settings().now(), "actor": "admin"}
    with writing(engine) as connection:
        match change:
            case "link ended":
                yesterday = runtime.settings().today() - timedelta(days=1)
                connection.execute(
                    update(SupervisionLink)
                    .where(SupervisionLink.supervisee_id == world.own["now"].clinician_id)
                    .values(to_day=yesterday)
                )
            case "another role":
                connection.execute(update(User).where(User.username == "supervisor").values(role="clinician"))
            case "another clinician":
                people.set_clinician(connection, clinician_id=world.own["colleague"].clinician_id, **who)  # type: ignore[arg-type]
            case "disabled":
                people.set_active(connection, active=False, **who)  # type: ignore[arg-type]
            case _:
                connection.execute(
                    update(User)
                    .where(User.username == "supervisor")
                    .values(practice_id=2, clinician_id=world.own["other"].clinician_id)
                )
    answer = ask(link, cookie)
    assert answer.status == 403
    assert mark("now").encode() not in answer.body
    serving.restore()


def test_a_link_waits_for_the_purpose_where_the_practice_asks_for_one(
    serving: Trying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "_settings", replace(runtime.settings(), purpose_required=True))
    for username, waits in (("director", True), ("supervisor", True), ("clinician", False)):
        viewer, cookie, now = serving.world.known(username), session_of(username), runtime.settings().now()
        link = downloads.link(viewer, "looks", now)
        assert ask(link, cookie).status == (403 if waits else 200), username
        with writing(serving.world.engine) as connection:
            assert sessions.say_purpose(connection, cookie, "supervision", now)
        assert ask(link, cookie).status == 200, username


def test_a_session_ends_by_itself_and_then_opens_nothing(serving: Trying) -> None:
    settings = runtime.settings()
    viewer = serving.world.known("director")
    minutes, hours = settings.session_idle_minutes, settings.session_absolute_hours
    for later, touched in ((timedelta(minutes=minutes, seconds=1), False), (timedelta(hours=hours, seconds=1), True)):
        cookie = session_of("director")
        if touched:  # somebody was there all the time
            with writing(serving.world.engine) as connection:
                sessions.touch(connection, cookie, settings.now() + later)
        at(later)
        link = downloads.link(viewer, "set_aside", runtime.settings().now())
        assert ask(link, cookie).status == 403, f"idle or old for {later}"
        at(timedelta(0))
        assert ask(downloads.link(viewer, "set_aside", runtime.settings().now()), session_of("director")).status == 200


def test_every_route_and_kind_of_download_is_in_the_policy(serving: Trying) -> None:
    assert set(routes()) == set(ROUTES), "Say in this module what the route answers without a session"
    assert set(downloads.KINDS) == set(KINDS), "Say in this module who may download it"
    for path, (without, with_one) in ROUTES.items():
        method = "POST" if "POST" in routes()[path] else "GET"
        address = path.replace("{token}", "x")
        assert ask(address, method=method, body=b"x").status == without, path
        assert ask(address, session_of("clinician"), method=method, body=b"x").status == with_one, path
        assert ask(address, "made up", method=method, body=b"x").status == without, path


def test_a_code_is_spent_by_its_own_page_only_and_once(serving: Trying) -> None:
    now = runtime.settings().now()
    with writing(serving.world.engine) as connection:
        sessions.start(connection, "director", "half", "the-code", now)
    from_elsewhere = ask("/session/bind", method="POST", body=b"the-code", sec_fetch_site="cross-site")
    assert from_elsewhere.status == 403
    first = ask("/session/bind", method="POST", body=b"the-code", sec_fetch_site="same-origin")
    assert first.status == 200
    assert "HttpOnly" in first.headers["set-cookie"]
    assert ask("/session/bind", method="POST", body=b"the-code").status == 403
    with writing(serving.world.engine) as connection:
        ids = list(connection.execute(select(User.id)).scalars())
    assert ids
