"""Stored snapshots on both databases: who sees them, what stays for ever, what an act leaves behind."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from dashboard import downloads
from dashboard.access import Role, Viewer, operator_scope, scope_for
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.evaluation import ensure_current
from dashboard.importing import import_files
from dashboard.packets import Reader, caseload_draft, episode_draft, practice_draft
from dashboard.settings import Settings
from dashboard.snapshot.compose import Draft
from dashboard.snapshot.content import Audience
from dashboard.snapshots import CHANGED, Changed, delete, make, stored_file
from dashboard.ui.caseload_table import OPEN_GROUPS
from queries import caseload, snapshots
from queries.engine import reading, writing
from queries.frames import read_frame
from tests.conftest import Template
from tests.factories import write_practice
from tests.snapshots import as_drawn

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 14, 5)
SETTINGS = Settings(timezone="UTC")


@pytest.fixture(scope="module")
def made(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """An invented practice with three clinicians, evaluated today."""
    folder = tmp_path_factory.mktemp("files")
    write_practice(folder, today=TODAY)
    with template.filled() as engine:
        import_files(engine, SETTINGS, practice="P", paths=[folder], username=None, now=NOW)
        ensure_current(engine, SETTINGS, 1, NOW)
    return template


@pytest.fixture
def practice(made: Template, tmp_path: Path) -> Iterator[Engine]:
    """A copy of it."""
    with made.copied(tmp_path) as engine:
        yield engine


def people(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return sorted(read_frame(connection, caseload.clinicians(operator_scope(1)))["clinician_id"].to_list())


def viewer(engine: Engine, role: Role, place: int = 0, supervisees: tuple[int, ...] = ()) -> Viewer:
    ids = people(engine)
    own = None if role is Role.ADMIN else ids[place]
    return Viewer(
        f"{role.value}{place}", role, 1, own, frozenset(ids[one] for one in supervisees), f"{role.value} {place}"
    )


def draft(engine: Engine, who: Viewer, *places: int) -> Draft:
    ids = people(engine)
    with reading(engine) as connection:
        return caseload_draft(Reader(connection, scope_for(who), TODAY), {ids[one] for one in places})


def stored(engine: Engine, who: Viewer, *places: int) -> str:
    made = draft(engine, who, *places)
    raw = [as_drawn(one) for one in made.content.figures]
    done = make(engine, SETTINGS, who, made, raw, NOW)
    assert done.problem == ""
    return done.public_id


def seen(engine: Engine, who: Viewer) -> list[str]:
    with reading(engine) as connection:
        return read_frame(connection, snapshots.listed(scope_for(who), limit=50))["public_id"].to_list()


def acts(engine: Engine) -> list[tuple[str, str, int]]:
    with reading(engine) as connection:
        rows = connection.execute(
            text("SELECT username, action, clinician_id FROM audit WHERE action LIKE '%snapshot%' ORDER BY id")
        )
        return [(row[0], row[1], row[2]) for row in rows]


def file(engine: Engine, who: Viewer, public_id: str, form: str = "pdf") -> bytes:
    with writing(engine) as connection:
        found = stored_file(connection, who, public_id, form, NOW)
    assert found.data is not None
    return found.data


def test_a_snapshot_is_seen_by_whoever_may_read_everyone_in_it(practice: Engine) -> None:
    director = viewer(practice, Role.DIRECTOR)
    one, two = stored(practice, director, 1), stored(practice, director, 1, 2)
    for who, sees in (
        (director, {one, two}),
        (viewer(practice, Role.SUPERVISOR, 0, (1, 2)), {one, two}),
        (viewer(practice, Role.SUPERVISOR, 0, (1,)), {one}),
        (viewer(practice, Role.CLINICIAN, 1), {one}),
        (viewer(practice, Role.CLINICIAN, 2), set()),
        (viewer(practice, Role.ADMIN), set()),
        (Viewer("nobody", Role.CLINICIAN, 1), set()),
        (Viewer("other practice", Role.DIRECTOR, 2), set()),
    ):
        assert set(seen(practice, who)) == sees, who
        for public_id in (one, two):
            if public_id in sees:
                assert file(practice, who, public_id).startswith(b"%PDF")
            else:
                with pytest.raises(NotAllowed):
                    file(practice, who, public_id)


def test_whoever_made_it_loses_it_with_the_scope(practice: Engine) -> None:
    made = stored(practice, viewer(practice, Role.SUPERVISOR, 0, (1,)), 1)
    assert seen(practice, viewer(practice, Role.SUPERVISOR, 0, (1,))) == [made]
    assert seen(practice, viewer(practice, Role.SUPERVISOR, 0)) == []


@pytest.mark.parametrize(
    ("role", "supervisees", "places", "allowed"),
    [
        (Role.DIRECTOR, (), (0, 1, 2), True),
        (Role.SUPERVISOR, (1,), (0, 1), True),
        (Role.SUPERVISOR, (1,), (2,), False),
        (Role.CLINICIAN, (), (0,), True),
        (Role.CLINICIAN, (), (1,), False),
        (Role.ADMIN, (), (0,), False),
    ],
)
def test_only_what_one_may_read_can_be_made(
    practice: Engine, role: Role, supervisees: tuple[int, ...], places: tuple[int, ...], allowed: bool
) -> None:
    who = viewer(practice, role, 0, supervisees)
    if allowed:
        assert stored(practice, who, *places)
        return
    with pytest.raises(NotAllowed):
        draft(practice, who, *places)
    foreign = draft(practice, viewer(practice, Role.DIRECTOR), *places)
    with pytest.raises(NotAllowed):
        make(practice, SETTINGS, who, foreign, None, NOW)
    assert acts(practice) == []


def test_every_open_episode_worth_discussing_is_named(practice: Engine) -> None:
    director = viewer(practice, Role.DIRECTOR)
    ids = people(practice)
    with reading(practice) as connection:
        states = read_frame(connection, caseload.states(operator_scope(1)))
        content = caseload_draft(Reader(connection, scope_for(director), TODAY), set(ids), most=2).content
    worth = {row["client_code"] for row in states.to_dicts() if row["priority"] in OPEN_GROUPS}
    assert {one.code for one in content.listed} == worth
    assert sum(one.shown for one in content.listed) == 2
    assert {one.why for one in content.listed if not one.shown} == {"left out for time"}
    assert len(content.figures) == 2


def test_a_stored_one_stays_the_same_when_the_data_move_on(practice: Engine, tmp_path: Path) -> None:
    director = viewer(practice, Role.DIRECTOR)
    before = draft(practice, director, 1)
    public_id = stored(practice, director, 1)
    bytes_before = {form: file(practice, director, public_id, form) for form in ("html", "pdf", "zip", "json")}
    write_practice(tmp_path / "more", seed=2, today=TODAY + timedelta(days=30), episodes=60)
    later = NOW + timedelta(days=30)
    import_files(practice, SETTINGS, practice="P", paths=[tmp_path / "more"], username=None, now=later)
    ensure_current(practice, SETTINGS, 1, later)
    assert {form: file(practice, director, public_id, form) for form in bytes_before} == bytes_before
    assert draft(practice, director, 1).content.hash != before.content.hash


def test_the_same_data_give_the_same_content(practice: Engine) -> None:
    director, supervisor = viewer(practice, Role.DIRECTOR), viewer(practice, Role.SUPERVISOR, 0, (1,))
    assert draft(practice, director, 1).content.canonical == draft(practice, supervisor, 1).content.canonical


def test_changed_bytes_are_told_and_not_handed_out(practice: Engine) -> None:
    director = viewer(practice, Role.DIRECTOR)
    public_id = stored(practice, director, 1)
    with writing(practice) as connection:
        connection.execute(text("UPDATE snapshot_file SET data = :x WHERE format = 'pdf'"), {"x": b"%PDF forged"})
        files = snapshots.files(connection, scope_for(director), public_id)
    assert {one.format: one.is_intact for one in files} == {"html": True, "json": True, "pdf": False, "zip": True}
    with pytest.raises(Changed, match="no longer the one"):
        file(practice, director, public_id)
    address = downloads.link(director, downloads.snapshot_kind(public_id, "pdf"), NOW)
    with pytest.raises(Changed) as raised:
        downloads.open_link(practice, director, address.rsplit("/", 1)[1], NOW)
    assert str(raised.value) == CHANGED
    assert acts(practice)[-1][1] == "refuse export snapshot"


def test_making_downloading_and_deleting_leave_audit_rows_for_each_clinician(practice: Engine) -> None:
    director = viewer(practice, Role.DIRECTOR)
    ids = people(practice)
    public_id = stored(practice, director, 1, 2)
    address = downloads.link(director, downloads.snapshot_kind(public_id, "zip"), NOW)
    found = downloads.open_link(practice, director, address.rsplit("/", 1)[1], NOW)
    assert found.name == "supervision-snapshot_2026-11-20_2-supervisees.zip"
    assert "README.txt" in zipfile.ZipFile(io.BytesIO(found.data)).namelist()
    delete(practice, director, public_id, reason="wrong caseload", now=NOW)
    what = ["export snapshot", "export snapshot", "change snapshot deleted"]
    assert acts(practice) == [("director0", act, ids[one]) for act in what for one in (1, 2)]


def test_a_link_is_good_for_one_person_and_a_quarter_of_an_hour(practice: Engine) -> None:
    director, clinician = viewer(practice, Role.DIRECTOR), viewer(practice, Role.CLINICIAN, 2)
    public_id = stored(practice, director, 1)
    token = downloads.link(director, downloads.snapshot_kind(public_id, "pdf"), NOW).rsplit("/", 1)[1]
    own = downloads.link(clinician, downloads.snapshot_kind(public_id, "pdf"), NOW).rsplit("/", 1)[1]
    for who, used, when in (
        (clinician, token, NOW),
        (clinician, own, NOW),
        (director, token, NOW + timedelta(minutes=16)),
    ):
        with pytest.raises(NotAllowed):
            downloads.open_link(practice, who, used, when)


@pytest.mark.parametrize(
    ("role", "reason", "error"),
    [
        (Role.CLINICIAN, "x", NotAllowed),
        (Role.SUPERVISOR, "x", NotAllowed),
        (Role.ADMIN, "x", NotAllowed),
        (Role.DIRECTOR, "  ", UnusableInput),
        (Role.DIRECTOR, "x" * 201, UnusableInput),
    ],
)
def test_only_a_director_deletes_and_only_with_a_reason(
    practice: Engine, role: Role, reason: str, error: type[Exception]
) -> None:
    director = viewer(practice, Role.DIRECTOR)
    public_id = stored(practice, director, 0)
    with pytest.raises(error):
        delete(practice, viewer(practice, role), public_id, reason=reason, now=NOW)
    assert file(practice, director, public_id)


def test_deleting_removes_every_byte_and_keeps_what_why_and_who(practice: Engine) -> None:
    director = viewer(practice, Role.DIRECTOR)
    public_id = stored(practice, director, 1)
    delete(practice, director, public_id, reason="made by mistake", now=NOW)
    with reading(practice) as connection:
        row = read_frame(connection, snapshots.listed(scope_for(director), limit=5)).row(0, named=True)
        kept = connection.execute(text("SELECT count(*) FROM snapshot_file WHERE data IS NOT NULL")).scalar()
    assert (row["deleted_by"], row["deleted_reason"], len(row["content_hash"])) == ("director0", "made by mistake", 64)
    assert kept == 0
    with pytest.raises(NotAllowed):
        file(practice, director, public_id)
    with pytest.raises(UnusableInput, match="deleted already"):
        delete(practice, director, public_id, reason="again", now=NOW)


def test_an_episode_out_of_scope_reads_like_one_that_does_not_exist(practice: Engine) -> None:
    clinician = viewer(practice, Role.CLINICIAN, 1)
    with reading(practice) as connection:
        states = read_frame(connection, caseload.states(operator_scope(1)))
        own = states.filter(states["clinician_id"] == people(practice)[1])["public_id"][0]
        foreign = states.filter(states["clinician_id"] != people(practice)[1])["public_id"][0]
        reader = Reader(connection, scope_for(clinician), TODAY)
        assert episode_draft(reader, own).clinician_ids == {people(practice)[1]}
        said = []
        for public_id in (foreign, "nothing"):
            with pytest.raises(NotAllowed) as raised:
                episode_draft(reader, public_id)
            said.append(str(raised.value))
    assert said[0] == said[1]


def test_a_practice_summary_holds_no_client_row_and_no_name(practice: Engine) -> None:
    with reading(practice) as connection:
        found = practice_draft(Reader(connection, operator_scope(1), TODAY))
        states = read_frame(connection, caseload.states(operator_scope(1), open_only=False))
        names = read_frame(connection, caseload.clinicians(operator_scope(1)))["display_name"].to_list()
    said = found.content.canonical.decode()
    assert found.content.audience is Audience.PRACTICE
    assert [
        word for word in [*states["client_code"].to_list(), *states["public_id"].to_list(), *names] if word in said
    ] == []
    assert found.content.listed == ()
