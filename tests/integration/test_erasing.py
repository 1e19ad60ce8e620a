"""A client's erasure: who they were is gone from every byte, what statistics count is the same, and nothing brings them back."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from dashboard.access import Role, Viewer
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.exporting import export_table
from dashboard.importing import import_files
from dashboard.keeping.copies import back_up, bring_back
from dashboard.keeping.erasing import apply_retention, erase_client
from dashboard.opening import opened
from dashboard.settings import Settings
from dashboard.undoing import undo
from queries.audit_check import check_chain
from queries.engine import reading, writing
from queries.intake_tables import ErasedKey
from queries.meeting_tables import AgendaItem, AgreedAction, Meeting, MeetingAddition, MeetingField
from queries.tables import (
    Audit,
    Client,
    ClientVersion,
    Episode,
    FlagReply,
    Import,
    PendingRow,
    SafetyCheck,
    Score,
    SetAside,
    Snapshot,
    SnapshotFile,
)
from tests.factories import write_practice, write_table

NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
TODAY = NOW.date()
WHO = "PERSON-0815"  # their id; the code shown is another
CODE = "QX-ANNA-77"
EPISODE = "EPI-ANNA-1"
TABLES = ("episodes", "sessions", "endings", "clinicians", "validation", "flags")


def write_files(folder: Path) -> None:
    """An invented practice with one known person: corrected once, with a refused row and one that waits."""
    tables = write_practice(folder, today=TODAY, episodes=30)
    closed = next(row for row in tables["episodes"] if row["closed_on"] and _scored(tables, str(row["episode_id"])))
    was, client = str(closed["episode_id"]), str(closed["client_id"])
    for rows in tables.values():
        for row in rows:
            for column, old, new in (("episode_id", was, EPISODE), ("client_id", client, WHO)):
                if row.get(column) == old:
                    row[column] = new
            if str(row.get("appointment_id", "")).startswith(f"{was}-"):
                row["appointment_id"] = str(row["appointment_id"]).replace(was, EPISODE)
            if row.get("client_id") == WHO and "birth_year" in row:
                row |= {"client_code": "OLD-ANNA", "ethnicity": "anna's own words"}
    slot = next(row for row in tables["appointments"] if row["episode_id"] == EPISODE)
    score = next(row for row in tables["scores"] if row["episode_id"] == EPISODE)
    score["appointment_id"] = slot["appointment_id"]
    tables["scores"] += [
        {**score, "taken_on": "31.12.2025"},  # refused
        {**score, "episode_id": "EPI-ANNA-2"},  # waits for an episode of hers
    ]
    for name, rows in tables.items():
        write_table(folder / f"{name}.csv", rows)


def _scored(tables: dict[str, list[dict[str, object]]], episode: str) -> bool:
    return sum(row["episode_id"] == episode for row in tables["scores"]) > 3


def later_file(folder: Path) -> Path:
    """Corrects the code, and tells of a further episode that was waited for."""
    folder.mkdir()
    write_table(folder / "clients.csv", [{"client_id": WHO, "client_code": CODE, "birth_year": 1980, "gender": "x"}])
    return folder


def write_about_her(connection: sa.Connection) -> int:
    """What people wrote: a reply, a check, a meeting, a snapshot; all of it names her somewhere."""
    episode = connection.execute(sa.select(Episode).where(Episode.source_id == EPISODE)).one()
    one = {"id": 1, "practice_id": 1}
    add = connection.execute
    add(sa.insert(FlagReply).values(**one, episode_id=episode.id, signal="s", kind="answered", reason="Anna's mother is ill",
                                    until_day=None, replied_on=TODAY, replied_at=NOW, username="u"))  # fmt: skip
    add(sa.insert(SafetyCheck).values(**one, episode_id=episode.id, signal="s", since=TODAY, checked_on=TODAY, checked_at=NOW,
                                      username="u", note="Anna's mother called"))  # fmt: skip
    add(sa.insert(Meeting).values(**one, public_id="m", leader="u", held_on=TODAY, minutes=60, kind="k", hides_names=False,
                                  data_as_of=TODAY, rules_version="r", version=1, created_at=NOW, closed_at=NOW))  # fmt: skip
    add(sa.insert(AgendaItem).values(**one, meeting_id=1, kind="case", episode_id=episode.id, minutes=5))
    add(
        sa.insert(MeetingField).values(
            item_id=1, field="f", text="Anna's mother", version=1, username="u", saved_at=NOW
        )
    )
    add(sa.insert(AgreedAction).values(**one, meeting_id=1, episode_id=episode.id, what="ask Anna's mother", who="u",
                                       agreed_on=TODAY, state="open", version=1))  # fmt: skip
    add(
        sa.insert(MeetingAddition).values(
            **one, meeting_id=1, text=f"see {CODE}, not X{CODE}X", username="u", added_at=NOW
        )
    )
    for number, words in ((1, f'{{"code": "{CODE}"}}'), (2, '{"code": "somebody else"}')):
        add(sa.insert(Snapshot).values(id=number, practice_id=1, public_id=f"s{number}", kind="episode", audience="supervision",
                                       title="t", about="a", as_of=TODAY, rules_version="r", content_hash="h", made_at=NOW,
                                       made_by="u"))  # fmt: skip
        add(
            sa.insert(SnapshotFile).values(
                snapshot_id=number, format="json", name="n", sha256="x", size=1, data=words.encode()
            )
        )
        add(sa.insert(SnapshotFile).values(snapshot_id=number, format="pdf", name="n", sha256="x", size=1, data=b"pdf"))
    return int(episode.id)


@pytest.fixture
def practice(engine: Engine, tmp_path: Path) -> tuple[Engine, Settings, Path]:
    settings = Settings(db=engine.url.render_as_string(hide_password=False), timezone="UTC")
    write_files(tmp_path / "files")
    bring_in(engine, settings, tmp_path / "files")
    bring_in(engine, settings, later_file(tmp_path / "later"))
    with writing(engine) as connection:
        write_about_her(connection)
    return engine, settings, tmp_path / "files"


def bring_in(engine: Engine, settings: Settings, folder: Path, source: str = "files") -> int:
    return import_files(engine, settings, practice=None, paths=[folder], source=source, username="d", now=NOW).set_aside


def figures(engine: Engine, settings: Settings) -> dict[str, object]:
    """Every export, without the columns that hold ids and codes."""
    found: dict[str, object] = {}
    for table in TABLES:
        kind = "json" if table == "validation" else "csv"
        data = export_table(engine, settings, table=table, username=None, as_of=None, kind=kind, practice=None, now=NOW)
        if kind == "json":
            found[table] = data
            continue
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
        hidden = ("episode_id", "client_code", "appointment_id")
        found[table] = sorted(tuple((c, v) for c, v in row.items() if c not in hidden) for row in rows)
    return found


def everything(engine: Engine) -> str:
    """Every cell of every table, as one text."""
    metadata = sa.MetaData()
    said = []
    with reading(engine) as connection:
        metadata.reflect(connection)
        for table in metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                said += [cell.decode("latin-1") if isinstance(cell, bytes) else str(cell) for cell in row]
    return "\x1f".join(said)


def erase(engine: Engine, settings: Settings, **given: object) -> list[str]:
    named = {"practice": None, "client": WHO, "source": None, "apply": True, "now": NOW} | given
    return erase_client(engine, settings, **named)  # type: ignore[arg-type]


def test_figures_stay_and_every_word_about_her_is_gone(practice: tuple[Engine, Settings, Path]) -> None:
    engine, settings, _ = practice
    before, cells = figures(engine, settings), everything(engine)
    for word in (WHO, CODE, "OLD-ANNA", EPISODE, "EPI-ANNA-2", "Anna's mother", "anna's own words"):
        assert word in cells
    counted = erase(engine, settings, apply=False)
    assert everything(engine) == cells
    assert "1 clients, 1 episodes" in counted[0]
    said = erase(engine, settings)
    assert said[0].split(": ", 1)[1] == counted[0].split(": ", 1)[1]
    assert any("still hold this data" in line for line in said)
    cells = everything(engine)
    left = [
        w
        for w in (WHO, CODE, "OLD-ANNA", EPISODE, "EPI-ANNA-2", "Anna", "anna's")
        if w in cells.replace(f"X{CODE}X", "")
    ]
    assert left == []
    assert figures(engine, settings) == before
    with writing(engine) as connection:
        row = connection.execute(sa.select(Audit).where(Audit.action == "change erase")).one()
        assert row.detail.startswith("on request: 1 clients, 1 episodes")
        assert check_chain(connection).broken is None
        kept = connection.execute(sa.select(Snapshot.id, Snapshot.deleted_reason).order_by(Snapshot.id)).all()
        assert [bool(reason) for _, reason in kept] == [True, False]
        assert connection.execute(sa.select(PendingRow)).all() == []
        from dashboard.evaluation import evaluate
    evaluate(engine, settings, 1, as_of=TODAY, now=NOW, everything=True)
    assert figures(engine, settings) == before


def test_the_bytes_are_gone_from_the_file_and_its_journal(tmp_path: Path) -> None:
    settings = Settings(db=f"sqlite:///{tmp_path / 'p.sqlite'}", timezone="UTC")
    write_files(tmp_path / "files")
    with opened(settings) as engine:
        bring_in(engine, settings, tmp_path / "files")
        bring_in(engine, settings, later_file(tmp_path / "later"))
        erase(engine, settings)
        for path in tmp_path.glob("p.sqlite*"):
            content = path.read_bytes()
            assert [w for w in (WHO, CODE, "OLD-ANNA", EPISODE, "EPI-ANNA-2") if w.encode() in content] == []


def test_no_later_file_brings_her_back_and_none_says_what_it_held(practice: tuple[Engine, Settings, Path]) -> None:
    engine, settings, files = practice
    erase(engine, settings)
    with reading(engine) as connection:
        rows = [
            connection.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in (Client, Episode, Score)
        ]
    write_table(
        files / "episodes.csv",
        [
            {"episode_id": "EPI-ANNA-2", "client_id": WHO, "clinician_id": "00", "opened_on": "2025-01-01"},
            {"episode_id": "EPI-ANNA-3", "client_id": WHO, "clinician_id": "00", "opened_on": "2025-02-01"},
        ],
    )
    write_table(
        files / "appointments.csv",
        [{"appointment_id": "a-3", "episode_id": "EPI-ANNA-3", "starts_at": "2025-02-02T10:00", "status": "attended"}],
    )
    aside = bring_in(engine, settings, files)
    assert aside >= 5
    cells = everything(engine)
    assert [
        w for w in (WHO, CODE, EPISODE, "EPI-ANNA-2", "EPI-ANNA-3", "31.12.2025") if w in cells.replace(f"X{CODE}X", "")
    ] == []
    with reading(engine) as connection:
        again = [
            connection.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in (Client, Episode, Score)
        ]
        said = connection.execute(sa.select(SetAside).where(SetAside.reason == "erased on request")).all()
    assert again == rows
    assert {(row.value, row.row_key) for row in said} == {(None, None)}
    stood = len(said)
    bring_in(engine, settings, files)
    with reading(engine) as connection:
        said = connection.execute(sa.select(SetAside).where(SetAside.reason == "erased on request")).all()
    assert len(said) == stood


def test_undoing_the_import_that_brought_her_neither_brings_her_back_nor_touches_the_figures_she_left(
    practice: tuple[Engine, Settings, Path],
) -> None:
    engine, settings, _ = practice
    erase(engine, settings)
    her = sa.select(Score.value, Score.taken_on).join(Episode, Episode.id == Score.episode_id)
    her = her.where(Episode.source == "erased").order_by(Score.id)
    with reading(engine) as connection:
        before = connection.execute(her).all()
        first = connection.execute(sa.select(sa.func.min(Import.id))).scalar_one()
    undo(engine, settings, first, practice=None, viewer=None, now=NOW)
    with reading(engine) as connection:
        assert connection.execute(her).all() == before
    cells = everything(engine).replace(f"X{CODE}X", "")
    assert [word for word in (WHO, CODE, EPISODE, "EPI-ANNA-2") if word in cells] == []


def test_the_same_id_of_another_source_is_another_person(practice: tuple[Engine, Settings, Path]) -> None:
    engine, settings, _ = practice
    folder = practice[2].parent / "other"
    folder.mkdir()
    write_table(folder / "clients.csv", [{"client_id": WHO, "client_code": "BEN"}])
    bring_in(engine, settings, folder, source="south")
    with pytest.raises(UnusableInput, match="files, south"):
        erase(engine, settings)
    erase(engine, settings, source="files")
    with reading(engine) as connection:
        left = connection.execute(sa.select(Client.source, Client.client_code).where(Client.source_id == WHO)).all()
    assert [tuple(row) for row in left] == [("south", "BEN")]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DIRECTOR])
def test_only_a_director_erases(role: Role) -> None:
    with pytest.raises(NotAllowed):
        erase(None, Settings(), viewer=Viewer("u", role, 1))  # type: ignore[arg-type]


def test_a_copy_from_before_the_erasure_does_not_bring_her_back(tmp_path: Path) -> None:
    settings = Settings(db=f"sqlite:///{tmp_path / 'p.sqlite'}", timezone="UTC")
    write_files(tmp_path / "files")
    with opened(settings) as engine:
        bring_in(engine, settings, tmp_path / "files")
        back_up(settings, tmp_path / "before.backup", NOW)
        before = figures(engine, settings)
        erase(engine, settings)
    bring_back(settings, tmp_path / "before.backup", force=True, now=NOW)
    with opened(settings) as engine:
        assert [w for w in (WHO, EPISODE) if w in everything(engine)] == []
        assert figures(engine, settings) == before
        with reading(engine) as connection:
            assert connection.execute(sa.select(sa.func.count()).select_from(ErasedKey)).scalar_one() > 2


def test_retention_counts_from_the_last_closing_and_leaves_who_has_an_open_episode(
    engine: Engine, tmp_path: Path
) -> None:
    settings = Settings(db="", timezone="UTC", retention_years=10)

    def episode(client: str, number: int, closed: date | None) -> dict[str, object]:
        return {"episode_id": f"{client}-{number}", "client_id": client, "clinician_id": "1", "opened_on": "2001-01-01",
                "closed_on": closed or "", "ending": "planned" if closed else ""}  # fmt: skip

    ten = TODAY.replace(year=TODAY.year - 10, day=min(TODAY.day, 28))
    rows = [
        episode("long-ago", 1, ten - timedelta(days=1)),
        episode("one-day-short", 1, ten + timedelta(days=4)),
        episode("came-again", 1, ten - timedelta(days=500)),
        episode("came-again", 2, TODAY - timedelta(days=3)),
        episode("still-here", 1, ten - timedelta(days=500)),
        episode("still-here", 2, None),
    ]
    folder = tmp_path / "files"
    folder.mkdir()
    write_table(folder / "clinicians.csv", [{"clinician_id": "1"}])
    write_table(folder / "clients.csv", [{"client_id": one} for one in sorted({str(row["client_id"]) for row in rows})])
    write_table(folder / "episodes.csv", rows)
    bring_in(engine, settings, folder)
    named = {"practice": None, "now": NOW}
    with pytest.raises(UnusableInput, match="open episode"):
        erase(engine, settings, client="still-here")
    with pytest.raises(UnusableInput, match="RETENTION_YEARS"):
        apply_retention(engine, Settings(), apply=False, **named)  # type: ignore[arg-type]
    assert "1 clients" in apply_retention(engine, settings, apply=False, **named)[0]  # type: ignore[arg-type]
    assert apply_retention(engine, settings, apply=True, **named)[0].startswith("Erased: 1 clients")  # type: ignore[arg-type]
    with reading(engine) as connection:
        left = set(connection.execute(sa.select(Client.source_id).where(Client.source != "erased")).scalars())
        assert connection.execute(sa.select(sa.func.count()).select_from(ClientVersion)).scalar_one() == 0
    assert left == {"one-day-short", "came-again", "still-here"}
    assert apply_retention(engine, settings, apply=True, **named)[0].startswith("Nobody")  # type: ignore[arg-type]
