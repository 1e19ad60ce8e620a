"""The practices of ``world`` made: from files, by hand, and by the acts of those who may."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import bcrypt
from sqlalchemy import Engine, insert, select

from dashboard import evaluation
from dashboard.access import Role, Viewer, operator_scope
from dashboard.entering import delete_occasion, enter_session, occasions_of
from dashboard.entering_episodes import end_episode, open_episode
from dashboard.entry.episode_rows import NewClient, NewEpisode
from dashboard.entry.session_form import read_form
from dashboard.growth_goals import set_goal
from dashboard.importing import import_files
from dashboard.saved_mappings import Shelf
from dashboard.staffing import add_clinician
from dashboard.supervising import Room, prepare
from queries import entries, meetings, people, practices, sessions, snapshots, store_patterns
from queries.engine import open_engine, reading, writing
from queries.frames import read_frame
from queries.replies import record_reply
from queries.schema import migrate
from queries.tables import Clinician, Leave
from tests.factories import write_table
from tests.permissions.world import (
    ALONE,
    COVERS,
    MADE_BY,
    MADE_UP,
    OURS,
    OWNERS,
    PASSWORD,
    PEOPLE,
    SAVED,
    SET_ASIDE,
    SETTINGS,
    SUPERVISED,
    World,
    leader_of,
    mapping_text,
    mark,
    private,
    read,
    without_evaluating,
)


def build(path: Path) -> None:
    """Makes the database in a file."""
    engine = open_engine(f"sqlite:///{path}")
    fill(engine, path.parent)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def fill(engine: Engine, folder: Path) -> None:
    """Fills a database, of either kind; files are laid down in the folder."""
    migrate(engine)
    now = SETTINGS.now().replace(microsecond=0)
    for number, owners in ((1, OURS), (2, ("other",))):
        files = folder / f"files{number}"
        _files(files, number, owners, now)
        with writing(engine) as connection:
            practices.ensure_practice(connection, f"Practice {number}", now)
        import_files(
            engine, SETTINGS, practice=f"Practice {number}", paths=[files], source="files", username=None, now=now
        )
    _people(engine, now)
    with without_evaluating():
        for username, owners in (("director", OURS), ("other.director", ("other",))):
            with reading(engine) as connection:
                viewer = people.viewer(connection, username, now.date())
            assert viewer is not None
            key = f"H-{viewer.practice_id}"
            add_clinician(engine, SETTINGS, viewer, key=key, name=key, started_on=None, is_trainee=False, now=now)
            for owner in owners:
                _by_hand(engine, username, owner, now)
    for number in (1, 2):
        evaluation.ensure_current(engine, SETTINGS, number, now)
    world = read(engine, now)
    with without_evaluating():
        _meetings(world)
        _rest(world)


def _files(folder: Path, number: int, owners: tuple[str, ...], now: datetime) -> None:
    """An open episode of each owner that got worse and holds a risk answer, with a session ahead."""
    folder.mkdir(parents=True)
    today = now.date()
    tables: dict[str, list[dict[str, object]]] = {name: [] for name in ("clinicians", "supervision", "clients")}
    tables |= {name: [] for name in ("episodes", "appointments", "scores")}
    for owner in owners:
        said = mark(owner)
        who, episode = f"T-{owner}", f"E-{said}"
        tables["clinicians"].append({"clinician_id": who, "display_name": f"N {owner}", "started_on": "2020-01-01"})
        tables["clients"].append({"client_id": f"K-{said}", "client_code": f"{said}-1", "birth_year": 1980})
        _episode(tables, episode, f"K-{said}", who, today - timedelta(days=50), (8, 9, 12, 17, 20, 21))
        before = today - timedelta(days=200)
        _episode(tables, f"{episode}-0", f"K-{said}", who, before, (18, 12, 6), closed=before + timedelta(days=30))
    day = today - timedelta(days=1)
    wrong = {"episode_id": f"E-{mark(owners[0])}", "taken_on": day, "instrument": "phq9", "scale": "total"}
    tables["scores"].append({**wrong, "value": SET_ASIDE[number]})
    if number == 1:
        spans = {"now": (-400, None), "ended": (-400, -1), "future": (1, None)}
        for owner, (first, last) in spans.items():
            tables["supervision"].append(
                {"supervisor_id": "T-supervisor", "supervisee_id": f"T-{owner}", "from": today + timedelta(days=first),
                 "to": "" if last is None else today + timedelta(days=last)}
            )  # fmt: skip
    for name, rows in tables.items():
        if rows:
            write_table(folder / f"{name}.csv", rows)


def _episode(
    tables: dict[str, list[dict[str, object]]], episode: str, client: str, who: str, opened: date,
    totals: tuple[int, ...], closed: date | None = None,
) -> None:  # fmt: skip
    row: dict[str, object] = {"episode_id": episode, "client_id": client, "clinician_id": who, "opened_on": opened}
    tables["episodes"].append({**row, "closed_on": closed or "", "ending": "mutual" if closed else ""})
    for week, total in enumerate(totals):
        day = opened + timedelta(days=7 * week + 7)
        tables["appointments"].append(
            {"appointment_id": f"{episode}-{week}", "episode_id": episode, "status": "attended",
             "starts_at": f"{day}T10:00:00"}
        )  # fmt: skip
        score: dict[str, object] = {"episode_id": episode, "taken_on": day, "instrument": "phq9"}
        tables["scores"].append({**score, "scale": "total", "value": total})
        if closed is None and week == len(totals) - 1:
            tables["scores"].append({**score, "scale": "item_9", "value": 2})


def _people(engine: Engine, now: datetime) -> None:
    cheap = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    with writing(engine) as connection:
        for username, (role, owner, practice) in PEOPLE.items():
            linked = None if owner is None else people.clinician_of(connection, practice, f"T-{owner}")
            people.add_user(
                connection, practice_id=practice, username=username, role=role, clinician_id=linked, password_hash=cheap,
                must_change=username == "must.change", now=now, actor="test",
            )  # fmt: skip
            opening = sessions.Opening(agent=MADE_BY)
            sessions.start(connection, username, f"of {username}", f"code of {username}", now, opening)
        people.set_active(connection, practice_id=1, username="disabled", active=False, now=now, actor="test")


def _by_hand(engine: Engine, username: str, owner: str, now: datetime) -> None:
    """An open and a closed episode entered by hand; in the open one a session, and another that was deleted."""
    with reading(engine) as connection:
        viewer = people.viewer(connection, username, now.date())
        assert viewer is not None
        who = connection.execute(
            select(Clinician.public_id).where(Clinician.source_id == f"T-{owner}")
        ).scalar_one()  # fmt: skip
    made = {}
    for place, name in enumerate(("by_hand", "ended")):
        made[name] = open_episode(
            engine, SETTINGS, viewer, token=f"{OWNERS.index(owner):08x}{place:08x}",
            client=NewClient(f"{mark(owner)}-{place + 2}", birth_year=1980), clinician=who,
            given=NewEpisode(now.date() - timedelta(days=30)), now=now,
        )  # fmt: skip
    for number in (1, 2):
        day = now.date() - timedelta(days=7 * number)
        form = read_form(
            {"token": f"{OWNERS.index(owner):08x}{number:08x}", "appointment": "new", "day": f"{day}", "time": "14:00",
             "status": "attended", "mode": "video", "nextDay": "", "nextTime": "", "measures": [], "agreed": [], "seen": ""}
        )  # fmt: skip
        enter_session(engine, SETTINGS, viewer, made["by_hand"], form, now)
    with reading(engine) as connection:
        earlier = occasions_of(connection, viewer, made["by_hand"])[-1]
        scope = operator_scope(viewer.practice_id)
        one = read_frame(connection, entries.episodes(scope, public_id=made["ended"])).row(0, named=True)
    delete_occasion(engine, SETTINGS, viewer, made["by_hand"], earlier.ref, earlier.fingerprint, now)
    end_episode(
        engine, SETTINGS, viewer, made["ended"], ending="mutual", closed_on=now.date() - timedelta(days=2),
        seen=one["import_id"], now=now,
    )  # fmt: skip


def _meetings(world: World) -> None:
    """An open and a closed meeting about each owner, one about two together, and one that the director prepared alone."""
    everyone = {owner: [one.clinician] for owner, one in world.own.items() if owner != MADE_UP}
    both = [world.own[owner].clinician for owner in ("now", "ended")]
    for owner, about in (*everyone.items(), ("several", both), ("director", both)):
        leader = world.known(leader_of(owner))
        if leader.role is Role.SUPERVISOR:  # in the days when each of them was supervised
            ids = frozenset(world.own[one].clinician_id for one in SUPERVISED)
            leader = Viewer(leader.username, leader.role, leader.practice_id, leader.clinician_id, ids)
        alone = owner == "director" and about == both
        kind = "director" if alone else "group" if owner == "several" else "one_to_one"
        for state in ("open",) if alone else ("open", "closed", "blank"):
            day = world.now.date() + timedelta(days=7 if state == "blank" else 0)
            made = prepare(world.engine, SETTINGS, leader, about, held_on=day, minutes=60, kind=kind, now=world.now)
            if state == "blank":
                continue
            with reading(world.engine) as connection:
                row = read_frame(connection, meetings.meetings(leader, public_id=made)).row(0, named=True)
                listed = read_frame(connection, meetings.items(leader, row["meeting_id"])).to_dicts()
            room = Room(world.engine, SETTINGS, leader, made, row["version"])
            items = [one["item_id"] for one in listed if one["position"] is not None]
            of_now = world.own["now"].clinician_id
            for one in (one for one in listed if one["position"] is not None):
                of_two = (
                    "now" if one["clinician_id"] == of_now else "ended"
                )  # what is about both is not for one's supervisor
                said = ALONE if alone else mark(of_two if owner == "several" else owner)
                room.write(one["item_id"], "what", f"{said} spoke of it", 0)
            if state == "closed":
                room.close(items)
            elif not alone:
                left = next(one for one in reversed(listed) if one["kind"] != "safety" and one["position"] is not None)
                room.take_off(left["item_id"])


def _rest(world: World) -> None:
    """Snapshots, goals, replies, choices and saved mappings."""
    now = world.now
    with writing(world.engine) as connection:
        for owner in (*OWNERS, "several"):
            said = mark("ended" if owner == "several" else owner)
            whose = ("now", "ended") if owner == "several" else (owner,)
            record = snapshots.Record(
                kind="caseload", audience="supervision", title=f"{said} {owner}", about=owner, as_of=now.date(),
                meeting_on=None, rules_version="r", model_version="m", content_hash="0" * 64,
                clinician_ids=frozenset(world.own[one].clinician_id for one in whose),
            )  # fmt: skip
            practice = 2 if owner == "other" else 1
            files = {form: (f"{owner}.{form}", f"{said} {form}".encode()) for form in ("html", "pdf", "zip")}
            snapshots.store(connection, practice, record, files, username=leader_of(owner), purpose=None, now=now)
    for owner in OWNERS:
        own = world.own[owner]
        viewer = Viewer(owner, Role.CLINICIAN, 2 if owner == "other" else 1, own.clinician_id)
        again = now.date() + timedelta(days=60)
        set_goal(
            world.engine,
            viewer,
            text=private(owner),
            sign="outcome_at_last",
            look_again_on=again,
            shared=False,
            now=now,
        )
        scope = operator_scope(viewer.practice_id)
        with writing(world.engine) as connection:
            done = record_reply(
                connection, viewer, scope, own.episode, signal="reliable_worsening", kind="answered",
                reason=f"{mark(owner)} is a reason", until_day=None, now=now,
            )  # fmt: skip
            assert done is not None, "the invented episode raises the signal"
            store_patterns.choose_monitoring(connection, viewer, own.clinician_id, True, now)
    with writing(world.engine) as connection:
        for username, owner in COVERS.items():
            connection.execute(
                insert(Leave).values(
                    practice_id=1, clinician_id=world.own[owner].clinician_id, from_day=now.date(), to_day=now.date(),
                    cover_id=world.known(username).clinician_id, import_id=world.imports[1],
                )
            )  # fmt: skip
    for number, username in ((1, "admin"), (2, "other.admin")):
        shelf = Shelf(world.engine, number, world.known(username), now)
        shelf.save(SAVED[number], mapping_text(SAVED[number]), replace=False)
