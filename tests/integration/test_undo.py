"""An import undone: gone as if it had never been, kept for the days between, and what people wrote is never lost."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import Engine, delete, insert, select, update
from typer.testing import CliRunner

from dashboard.access import Role, Viewer
from dashboard.cli import cli
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.instruments.own import read_own
from dashboard.intake.batch import Batch
from dashboard.undoing import UndoReport, undo
from queries import people, practices
from queries.engine import reading, writing
from queries.intake_tables import ImportContent
from queries.keys import BY_HAND, next_id, of_source
from queries.store import store_batch
from queries.tables import (
    Audit,
    Client,
    Clinician,
    Episode,
    FlagReply,
    Import,
    PracticeInstrument,
    SetAside,
    SupervisionLink,
    User,
)
from tests.factories import write_practice
from tests.imported import batch_of
from tests.integration.test_known_when import BASE, NOW, TODAY, Tables
from tests.integration.test_main_job import EXPORTS, SETTINGS, exported, fresh, load
from tests.integration.test_withdrawn import give

FIRST, SECOND, THIRD = datetime(2026, 10, 1, 9), datetime(2026, 10, 20, 9), datetime(2026, 11, 5, 9)
DAY = timedelta(days=1)
TOLD = ("episodes", "flags", "sessions")
MORE: Tables = {
    "clinicians": [{"clinician_id": "c9", "display_name": "Wrong Practice"}],
    "clients": [{"client_id": "k1", "client_code": "Z-9"}, {"client_id": "k9", "client_code": "W-1"}],
    "episodes": [
        {"episode_id": "e1", "client_id": "k1", "clinician_id": "c1", "opened_on": "2026-08-03", "closed_on": "2026-10-19",
         "ending": "planned"},
        {"episode_id": "e9", "client_id": "k9", "clinician_id": "c9", "opened_on": "2026-09-01", "closed_on": "", "ending": ""},
    ],
    "appointments": [
        BASE["appointments"][7] | {"status": "no_show"},
        {"appointment_id": "a90", "episode_id": "e9", "starts_at": "2026-09-01T10:00", "status": "attended", "booked_on": ""},
    ],
    "scores": [
        BASE["scores"][7] | {"value": 27},
        {"episode_id": "e9", "taken_on": "2026-09-01", "instrument": "phq9", "scale": "total", "value": 20},
    ],
    "supervision": [{"supervisor_id": "c1", "supervisee_id": "c9", "from": "2026-01-01", "to": ""}],
    "leave": [{"clinician_id": "c1", "from": "2026-10-05", "to": "2026-10-09", "cover_id": ""}],
}  # fmt: skip


def undone(engine: Engine, import_id: int | None, now: datetime, *, dry_run: bool = False) -> UndoReport:
    assert import_id is not None
    return undo(engine, SETTINGS, import_id, now=now, dry_run=dry_run)


def all_exports(engine: Engine, day: date) -> dict[str, object]:
    return {name: exported(engine, name, as_of=day, now=NOW) for name in TOLD}


def test_every_export_reads_as_if_it_had_never_been_but_on_the_days_between(engine: Engine, tmp_path: Path) -> None:
    other = fresh(tmp_path / "other")
    for one in (engine, other):
        give(one, tmp_path / f"base{id(one)}", BASE, FIRST)
    wrong = give(engine, tmp_path / "wrong", MORE, SECOND)
    between = all_exports(engine, THIRD.date() - DAY)
    assert undone(engine, wrong.import_id, THIRD).counts["appointments"] == {"new": 0, "changed": 1, "taken_back": 1}
    for day in (SECOND.date() - DAY, THIRD.date()):
        never = all_exports(other, day)
        for name, rows in all_exports(engine, day).items():
            assert_frame_equal(rows, never[name])  # type: ignore[arg-type]
    for name, rows in all_exports(engine, THIRD.date() - DAY).items():
        assert_frame_equal(rows, between[name])  # type: ignore[arg-type]
    again = give(engine, tmp_path / "again", MORE, THIRD)
    give(other, tmp_path / "right", MORE, THIRD)
    assert again.counts["episodes"]["new"] == 1
    right = all_exports(other, TODAY)
    for name, rows in all_exports(engine, TODAY).items():
        assert_frame_equal(rows, right[name])  # type: ignore[arg-type]
    other.dispose()


def test_a_practice_with_fitted_models_forgets_an_undone_half_of_itself(tmp_path: Path) -> None:
    tables = write_practice(tmp_path / "files", today=TODAY)
    late = {row["episode_id"] for row in tables["episodes"][20:]}
    first = {name: [r for r in rows if r.get("episode_id") not in late] for name, rows in tables.items()}
    engine, other = fresh(tmp_path / "one"), fresh(tmp_path / "other")
    for one in (engine, other):
        give(one, tmp_path / f"half{id(one)}", first, NOW)
    whole = load(engine, tmp_path / "files")
    undone(engine, whole.import_id, NOW)
    for name in EXPORTS:
        assert_frame_equal(exported(engine, name), exported(other, name))
    engine.dispose()
    other.dispose()


def test_what_people_wrote_keeps_its_episode_and_comes_back_with_it(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "1", BASE, FIRST)
    wrong = give(engine, tmp_path / "2", MORE, SECOND)
    with writing(engine) as connection:
        mine = connection.execute(select(Episode.id).where(Episode.source_id == "e9")).scalar_one()
        connection.execute(
            insert(FlagReply).values(
                id=next_id(connection, FlagReply), practice_id=1, episode_id=mine, signal="x", kind="answered", reason="seen",
                replied_on=SECOND.date(), replied_at=SECOND, username="c9",
            )
        )  # fmt: skip
        name = of_source("files", "e9")
        visit = {
            "appointment_id": "h1",
            "episode_id": name,
            "starts_at": datetime(2026, 10, 6, 10),
            "status": "attended",
        }
        store_batch(
            connection, 1, BY_HAND, batch_of({"appointments": [visit]}), today=SECOND.date(), now=SECOND, username="c9",
            kind="entered",
        )  # fmt: skip
    undone(engine, wrong.import_id, THIRD)
    with reading(engine) as connection:
        gone = connection.execute(select(Episode.withdrawn_on).where(Episode.id == mine)).scalar_one()
        assert gone == THIRD.date()
        assert connection.execute(select(FlagReply.reason)).scalars().all() == ["seen"]
    assert exported(engine, "sessions", now=NOW)["episode_id"].unique().to_list() == ["e1"]
    give(engine, tmp_path / "3", MORE, THIRD)
    with reading(engine) as connection:
        assert connection.execute(select(Episode.withdrawn_on).where(Episode.id == mine)).scalar_one() is None
    assert "h1" in exported(engine, "sessions", now=NOW)["appointment_id"].to_list()


def test_access_follows_at_once_and_nobody_who_signs_in_loses_their_record(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "1", BASE, FIRST)
    also = {"clinicians": [*MORE["clinicians"], {"clinician_id": "c8", "display_name": "Nobody"}]}
    wrong = give(engine, tmp_path / "2", MORE | also, SECOND)
    with writing(engine) as connection:
        ids = {row[0]: row[1] for row in connection.execute(select(Clinician.source_id, Clinician.id))}
        for name, who in (("boss", "c1"), ("nine", "c9")):
            people.add_user(
                connection, practice_id=1, username=name, role=Role.SUPERVISOR, clinician_id=ids[who], password_hash="x",
                must_change=False, now=SECOND, actor="test",
            )  # fmt: skip
        before = people.viewer(connection, "boss", TODAY)
        assert before is not None
        assert before.supervisee_ids == {ids["c9"]}
    undone(engine, wrong.import_id, THIRD)
    with reading(engine) as connection:
        after = people.viewer(connection, "boss", TODAY)
        assert after is not None
        assert after.supervisee_ids == frozenset()
        assert connection.execute(select(SupervisionLink.id)).first() is None
        assert set(connection.execute(select(Clinician.source_id)).scalars()) == {"c1", "c2", "c9"}
        assert people.viewer(connection, "nine", TODAY) is not None
        assert connection.execute(select(User.id).where(User.username == "nine")).first() is not None
        # a client whose episode keeps its place for what was written stays; nobody sees them
        codes = {row[0]: row[1] for row in connection.execute(select(Client.source_id, Client.client_code))}
        assert codes["k1"] == "A-1"


def test_rows_that_it_had_resolved_wait_again_and_those_that_waited_through_it_wait_no_more(
    engine: Engine, tmp_path: Path
) -> None:
    orphan = {"appointments": [BASE["appointments"][0]]}
    give(engine, tmp_path / "1", orphan, FIRST)
    parents = give(engine, tmp_path / "2", {n: BASE[n] for n in ("clinicians", "clients", "episodes")}, SECOND)
    lost = {"scores": [BASE["scores"][0] | {"episode_id": "elsewhere"}], "appointments": [{"appointment_id": "x"}]}
    broken = give(engine, tmp_path / "3", {"scores": lost["scores"]}, SECOND)
    assert exported(engine, "set_aside", now=NOW)["value"].to_list() == ["elsewhere"]
    undone(engine, broken.import_id, THIRD)
    assert exported(engine, "set_aside", now=NOW).is_empty()
    undone(engine, parents.import_id, THIRD)
    assert exported(engine, "set_aside", now=NOW)["value"].to_list() == ["e1"]
    assert exported(engine, "sessions", now=NOW).is_empty()
    give(engine, tmp_path / "4", BASE, THIRD)
    assert exported(engine, "set_aside", now=NOW).is_empty()
    assert exported(engine, "sessions", now=NOW).height == 8


def test_what_it_had_mended_is_open_again_and_what_it_had_set_aside_is_not(engine: Engine, tmp_path: Path) -> None:
    bad = BASE | {"scores": [BASE["scores"][0] | {"value": 99}]}
    give(engine, tmp_path / "1", bad, FIRST)
    mended = give(engine, tmp_path / "2", {"scores": [BASE["scores"][0], BASE["scores"][1] | {"value": 77}]}, SECOND)
    assert exported(engine, "set_aside", now=NOW)["value"].to_list() == ["77"]
    undone(engine, mended.import_id, THIRD)
    assert exported(engine, "set_aside", now=NOW)["value"].to_list() == ["99"]
    again = give(engine, tmp_path / "3", {"scores": [BASE["scores"][0], BASE["scores"][1] | {"value": 77}]}, THIRD)
    assert exported(engine, "set_aside", now=NOW).select("import_id", "value").rows() == [(again.import_id, "77")]
    with reading(engine) as connection:
        assert len(connection.execute(select(SetAside.id)).all()) == 2


def test_an_instrument_goes_back_to_its_earlier_definition(engine: Engine) -> None:
    def definition(name: str) -> list[dict[str, Any]]:
        words = f'[[instrument]]\nkey = "own"\nname = "{name}"\nkind = "outcome"\nminimum = 0\nmaximum = 10\n'
        return read_own(words + 'better = "lower"\nsource = "the practice"\n', "instruments.toml")

    with writing(engine) as connection:
        practices.ensure_practice(connection, "P", FIRST, single=True)
        made = [
            store_batch(
                connection, 1, "files", Batch({}, definition(name)), today=when.date(), now=when, username=None
            ).import_id
            for name, when in (("first", FIRST), ("second", SECOND))
        ]
    for import_id, left in ((made[1], ["first"]), (made[0], [])):
        undone(engine, import_id, THIRD)
        with reading(engine) as connection:
            stands = connection.execute(select(PracticeInstrument.definition)).scalars()
            assert [one["name"] for one in stands] == left


def test_counting_writes_nothing_and_the_undoing_is_an_import_with_its_audit(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "1", BASE, FIRST)
    wrong = give(engine, tmp_path / "2", MORE, SECOND)
    before = exported(engine, "episodes", now=NOW)
    counted = undone(engine, wrong.import_id, THIRD, dry_run=True)
    assert counted.undo_id is None
    assert_frame_equal(exported(engine, "episodes", now=NOW), before)
    done = undone(engine, wrong.import_id, THIRD)
    assert done.counts == counted.counts
    assert done.signals is not None
    assert "evaluated" in done.signals
    with reading(engine) as connection:
        row = connection.execute(select(Import).where(Import.id == done.undo_id)).one()
        assert (row.kind, row.undoes_id, row.imported_on) == ("undo", wrong.import_id, THIRD.date())
        assert connection.execute(select(Audit.action).where(Audit.action == "import undone")).all()


def test_what_cannot_be_undone_is_refused_and_nothing_is_written(engine: Engine, tmp_path: Path) -> None:
    first = give(engine, tmp_path / "1", BASE, FIRST)
    wrong = give(engine, tmp_path / "2", MORE, SECOND)
    done = undone(engine, wrong.import_id, THIRD)
    for import_id, words in (
        (99, "no import 99"),
        (wrong.import_id, "undone already"),
        (done.undo_id, "itself an undoing"),
    ):
        with pytest.raises(UnusableInput, match=words):
            undone(engine, import_id, THIRD)
    with writing(engine) as connection:
        elsewhere = practices.ensure_practice(connection, "Elsewhere", FIRST)
    director = Viewer("d", Role.DIRECTOR, elsewhere)
    with pytest.raises(UnusableInput, match="no import"):
        undo(engine, SETTINGS, first.import_id or 0, viewer=director, now=THIRD)
    with pytest.raises(NotAllowed):
        undo(engine, SETTINGS, first.import_id or 0, viewer=Viewer("c", Role.CLINICIAN, 1), now=THIRD)
    last = store_another(engine)
    with writing(engine) as connection:  # as a practice that was loaded before contents were kept
        connection.execute(delete(ImportContent).where(ImportContent.import_id == first.import_id))
        connection.execute(update(Import).where(Import.id == first.import_id).values(changed_rows=1))
    with pytest.raises(UnusableInput, match="before the program kept"):
        undo(engine, SETTINGS, last, practice="Elsewhere" if last < 0 else "Practice", now=THIRD)


def store_another(engine: Engine) -> int:
    with writing(engine) as connection:
        rows = batch_of({"clients": [{"client_id": "k77"}]})
        stored = store_batch(connection, 1, "files", rows, today=THIRD.date(), now=THIRD, username=None)
        connection.execute(update(practices.Practice).where(practices.Practice.id == 1).values(name="Practice"))
    assert stored.import_id is not None
    return stored.import_id


def test_the_command_undoes_counts_first_and_refuses_in_words(tmp_path: Path) -> None:
    engine = fresh(tmp_path)
    give(engine, tmp_path / "1", BASE, FIRST)
    wrong = give(engine, tmp_path / "2", {"appointments": [BASE["appointments"][7] | {"status": "no_show"}]}, SECOND)
    runner, url = CliRunner(), f"sqlite:///{tmp_path / 'p.sqlite'}"
    number = str(wrong.import_id)
    counted = runner.invoke(cli, ["import", "--undo", number, "--dry-run", "--db", url])
    assert counted.exit_code == 0
    assert "Dry run: nothing was written" in counted.output
    report = tmp_path / "report.json"
    done = runner.invoke(cli, ["import", "--undo", number, "--report", str(report), "--db", url])
    assert done.exit_code == 0, done.output
    assert "appointments: 1 as they were before" in done.output
    assert json.loads(report.read_text())["counts"]["appointments"]["changed"] == 1
    for wrong_call in (["--undo", number], ["--undo", "1", str(tmp_path)], []):
        with pytest.raises(UnusableInput):
            runner.invoke(cli, ["import", *wrong_call, "--db", url], catch_exceptions=False)
    engine.dispose()


def test_contents_are_small_and_only_kept_where_something_changed(tmp_path: Path) -> None:
    engine = fresh(tmp_path)
    write_practice(tmp_path / "files", today=TODAY)
    load(engine, tmp_path / "files")
    again = load(engine, tmp_path / "files", now=NOW + timedelta(minutes=1))
    assert again.import_id is None
    plain = sum(path.stat().st_size for path in (tmp_path / "files").glob("*.csv"))
    with reading(engine) as connection:
        kept = connection.execute(select(ImportContent.import_id, ImportContent.content)).all()
    assert {row.import_id for row in kept} == {1}
    assert 0 < sum(len(row.content) for row in kept) < plain
    engine.dispose()
