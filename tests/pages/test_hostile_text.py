"""Text from outside goes through every page, file, table, line and header unharmed and harmlessly: one practice full of it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import polars as pl
import pypdf
import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import cli, runtime
from dashboard.access import Role, Viewer, scope_for
from dashboard.digest import digest
from dashboard.exporting import TABLES, export_table
from dashboard.exports import DANGEROUS, PLAIN_NUMBER
from dashboard.growth_goals import set_goal
from dashboard.packets import Reader, caseload_draft, practice_draft
from dashboard.replies import ANSWERED, reply
from dashboard.saved_mappings import Shelf
from dashboard.settings import Settings
from dashboard.snapshot.content import Made
from dashboard.snapshot.files import every_file
from dashboard.snapshots import delete, make
from dashboard.supervising import Room, prepare
from pages import PAGES, can_open
from queries import audit, caseload, meetings, people
from queries.engine import open_engine, reading, writing
from queries.frames import read_frame
from tests.hostile import (
    HOSTILE,
    KEPT,
    LINKS,
    WORDS,
    harm_in_figure,
    harm_in_html,
    harm_in_markdown,
    harm_in_page,
    harm_in_text,
    own_instruments,
    spoil,
)
from tests.snapshots import as_drawn

SignIn = Callable[..., AppTest]
MAPPING = (
    'name = "m"\nabout = "x"\n[[table]]\ntable = "clients"\nfile = "people"\n[table.columns]\nclient_id.column = "id"\n'
)


@dataclass(frozen=True)
class Spoiled:
    """A practice in which every text stands: who looks, and addresses of what there is to look at."""

    names: dict[str, str]
    queries: dict[str, list[dict[str, str]]]


def _viewer(username: str) -> Viewer:
    with reading(runtime.engine()) as connection:
        found = people.viewer(connection, username, runtime.settings().today())
    assert found is not None
    return found


def _meetings(about: list[str]) -> list[str]:
    """One that is open and written in, one that is closed, signed and added to."""
    settings, lead, found = runtime.settings(), _viewer("supervisor"), []
    for number in range(2):
        public_id = prepare(
            runtime.engine(), settings, lead, about[:1], held_on=settings.today(), minutes=90, kind="one_to_one",
            now=settings.now(),
        )  # fmt: skip
        with reading(runtime.engine()) as connection:
            row = read_frame(connection, meetings.meetings(lead, public_id=public_id)).row(0, named=True)
            items = read_frame(connection, meetings.items(lead, row["meeting_id"]))
        room = Room(runtime.engine(), settings, lead, public_id, row["version"])
        chosen = items.filter(pl.col("position").is_not_null())["item_id"].to_list()
        for item in chosen:
            room.write(item, "what", "Ask", 0)
            room.write(item, "note", "Told", 0)
        if number:
            room.close(chosen)
            room.add_after("More")
        found.append(public_id)
    return found


def _entered(names: dict[str, str]) -> list[str]:
    """What people write: replies, goals, meetings, mappings, snapshots; returns the meetings."""
    settings, engine = runtime.settings(), runtime.engine()
    now, director = settings.now(), _viewer("director")
    with reading(engine) as connection:
        flags = read_frame(connection, caseload.flags(scope_for(director)))
        states = read_frame(connection, caseload.states(scope_for(director)))
        clinicians = read_frame(connection, caseload.clinicians(scope_for(_viewer("supervisor"))))
        linked = dict(
            connection.execute(text("SELECT clinician_id, username FROM app_user WHERE role = 'clinician'")).all()
        )
    open_ones = flags.filter(pl.col("family") != "safety").join(
        states.select("episode_id", "clinician_id", "public_id"), on="episode_id"
    )
    for row in open_ones.unique("episode_id", maintain_order=True).head(6).to_dicts():
        if who := linked.get(row["clinician_id"]):
            reply(engine, settings, _viewer(who), row["public_id"], signal=row["signal"], kind=ANSWERED, reason="x",
                  until_day=None, now=now)  # fmt: skip
    for who in list(linked.values())[:3]:
        set_goal(engine, _viewer(who), text="x", sign="alliance_each_session", look_again_on=settings.today() + timedelta(60),
                 shared=True, now=now)  # fmt: skip
    shelf = Shelf(engine, director.practice_id, director, now)
    for number in range(len(HOSTILE)):
        shelf.save(f"m{number}", MAPPING, replace=False)
    with reading(engine) as connection:
        draft = caseload_draft(
            Reader(connection, scope_for(director), settings.today()), {director.clinician_id or 1}, most=1
        )
    raw = [as_drawn(one) for one in draft.content.figures]
    kept = [make(engine, settings, director, draft, raw, now).public_id for _ in range(3)]
    delete(engine, director, kept[0], reason="x", now=now)
    with writing(engine) as connection:
        number = connection.execute(text("SELECT max(id) FROM set_aside")).scalar() or 0
        for more in range(1, len(HOSTILE) + 1):
            connection.execute(
                text(
                    'INSERT INTO set_aside (id, practice_id, source, import_id, file, line, "column", value, reason, fingerprint)'
                    " SELECT :id, practice_id, 'x', id, 'x', 1, 'x', 'x', 'x', :id FROM import LIMIT 1"
                ),
                {"id": number + more},
            )
        for one in HOSTILE.values():
            audit.record(connection, at=now, practice_id=director.practice_id, username="operator", action="import",
                         detail=one)  # fmt: skip
    own = _viewer("supervisor").clinician_id
    return _meetings([str(row["public_id"]) for row in clinicians.to_dicts() if row["clinician_id"] != own])


@pytest.fixture(scope="module")
def spoiled(practice_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spoiled]:
    path = tmp_path_factory.mktemp("hostile") / "practice.sqlite"
    shutil.copy(practice_file, path)
    engine = open_engine(f"sqlite:///{path}")
    runtime.configure(Settings(db=f"sqlite:///{path}", timezone="UTC"), engine)
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT role, min(username) FROM app_user GROUP BY role")).all()
    names = {str(role): str(name) for role, name in rows}
    held = _entered(names)
    with writing(engine) as connection:
        own_instruments(connection)
        spoil(connection)
    with reading(engine) as connection:
        states = read_frame(connection, caseload.states(scope_for(_viewer("director"))))
    episodes = states.sort("sessions_attended", descending=True)["public_id"].head(4).to_list()
    yield Spoiled(
        names,
        {
            "episode": [{"episode": str(one)} for one in episodes],
            "enter": [{}, {"episode": str(episodes[0])}, {"new": "episode"}],
            "meeting": [{}, *({"meeting": one} for one in held), {"meeting": held[0], "step": "close"}],
        },
    )
    engine.dispose()
    runtime.forget()


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_every_page_shows_every_text_as_text(spoiled: Spoiled, sign_in: SignIn, role: str) -> None:
    said, found = [], []
    for page in (one for one in PAGES if can_open(Role(role), one)):
        looks = spoiled.queries.get(page.name, [{}])
        for query in looks if role in ("director", "supervisor") else looks[:1]:
            harm, words = harm_in_page(sign_in(spoiled.names[role], page.name, **query), LINKS)
            found += [f"{page.name} {query}: {one}" for one in harm]
            said.append(words)
    assert not found, "\n".join(found)
    if role == Role.DIRECTOR:
        everything = unescape(unescape("\n".join(said)))
        assert {name for name, word in WORDS.items() if word and word[0] not in everything} == set()
        assert [name for name in KEPT if HOSTILE[name] not in everything] == []


@pytest.mark.parametrize("part", ["caseload", "practice"])
def test_every_file_of_a_snapshot_holds_text_as_text(spoiled: Spoiled, part: str) -> None:
    settings, director = runtime.settings(), _viewer(spoiled.names["director"])
    with reading(runtime.engine()) as connection:
        reader = Reader(connection, scope_for(director), settings.today())
        everyone = frozenset(row[0] for row in connection.execute(text("SELECT id FROM clinician")))
        draft = practice_draft(reader, None) if part == "practice" else caseload_draft(reader, everyone, most=4)
    content = draft.content
    drawings = [as_drawn(one) for one in content.figures]
    made = Made(HOSTILE["script"] + HOSTILE["bidi"], settings.now())
    found = every_file(content, made, drawings, paper="a4")
    assert found.problem == ""
    html = found.data["html"].decode()
    head, body = html.split("</head>")
    assert harm_in_html(body.replace("<svg ", "<svg data-x ")) == []
    assert head.count("<meta ") == 4
    assert "script-src" not in head
    alive = every_file(content, made, None, paper="a4").data["html"].decode()
    assert alive.count("<script") == 3
    assert "zqRan=1<" not in alive.rsplit("</main>", 1)[1].replace("\\u003c", "[")
    for figure in content.figures:
        assert [harm for one in _labels(figure["figure"]) for harm in harm_in_figure(one)] == []
    paper = pypdf.PdfReader(io.BytesIO(found.data["pdf"]))
    assert [one for page in paper.pages for one in page.get("/Annots") or ()] == []
    assert not any(name in paper.trailer["/Root"] for name in ("/OpenAction", "/AA", "/AcroForm"))
    said = "".join(page.extract_text() for page in paper.pages)
    assert harm_in_text(said.replace("\u200b", "").replace("\u00ad", "")) == []
    with zipfile.ZipFile(io.BytesIO(found.data["zip"])) as packed:
        for name in packed.namelist():
            assert "/" not in name
            assert name.isascii()
            assert _harm_in_csv(packed.read(name).decode()) == [] if name.endswith(".csv") else True
    if part == "caseload":
        assert "zqtypst" in said
        assert "#read" in said


def _labels(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [one for inner in value.values() for one in _labels(inner)]
        case list():
            return [one for inner in value for one in _labels(inner)]
        case _:
            return []


def _harm_in_csv(data: str) -> list[str]:
    found = []
    for row in csv.reader(io.StringIO(data)):
        for cell in row:
            found += harm_in_text(cell)
            if cell.startswith(DANGEROUS) and not pl.Series([cell]).str.contains(PLAIN_NUMBER)[0]:
                found.append(f"a formula: {cell[:40]!r}")
    return found


@pytest.mark.parametrize("table", TABLES)
def test_every_export_is_safe_to_open(spoiled: Spoiled, table: str) -> None:
    settings = runtime.settings()
    for kind in ("csv", "json", "parquet"):
        data = export_table(
            runtime.engine(), settings, table=table, username=spoiled.names["director"], as_of=None, kind=kind,
            practice=None, now=settings.now(),
        )  # fmt: skip
        if kind == "csv":
            assert _harm_in_csv(data.decode()) == []
        elif kind == "json":
            assert isinstance(json.loads(data), list)
        else:
            assert pl.read_parquet(io.BytesIO(data)).width


def test_the_digest_holds_no_text_of_anybody(spoiled: Spoiled) -> None:
    said = "\n".join(digest(runtime.engine(), runtime.settings(), username=spoiled.names["supervisor"], practice=None))
    assert "zq" not in said


@pytest.mark.parametrize(
    "command",
    [
        ("user", "list"),
        ("mapping", "list"),
        ("user", "add", "{x}", "--role", "admin"),
        ("user", "add", "someone", "--role", "{x}"),
        ("export", "{x}"),
        ("export", "audit", "--as", "{x}"),
        ("export", "audit", "--practice", "{x}"),
        ("import", "{x}"),
        ("mapping", "show", "{x}"),
        ("snapshot", "--supervisee", "{x}", "--out", "a.zip"),
        ("evaluate", "--as-of", "{x}"),
        ("--{x}",),
    ],
    ids=" ".join,
)
def test_a_terminal_is_neither_steered_nor_told_a_second_line(
    spoiled: Spoiled,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUPERVISION_DB", str(runtime.settings().db))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    nasty = ("control", "lines", "bidi", "storm", "script")
    for one in [HOSTILE[name].replace("\x00", "") for name in nasty] + ["zq\udcff", "zq" + "x" * 100_000]:
        monkeypatch.setattr(sys, "argv", ["supervision", *(part.replace("{x}", one) for part in command)])
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        assert harm_in_text(out + err) == []
        assert "Traceback" not in err
        if "{x}" not in " ".join(command):
            assert code in (0, None)
            return
        assert code == 2
        assert len(err) < 3_000
        assert len(err.strip().splitlines()) <= 8


def test_the_checks_themselves_see_harm() -> None:
    for name in ("picture", "script"):
        assert harm_in_html(f"<p>{HOSTILE[name]}</p>")
        assert harm_in_figure(HOSTILE[name])
    assert harm_in_html(f'<p title="{HOSTILE["attribute"]}">x</p>')
    assert harm_in_html(f"<a href='http://{date.today():%Y}.example/'>x</a>")
    assert harm_in_figure(HOSTILE["plotly"])
    for name in ("link", "directive", "address", "plotly"):
        assert harm_in_markdown(HOSTILE[name]), name
    for name in ("bidi", "hidden", "control", "storm"):
        assert harm_in_text(HOSTILE[name]), name
    assert _harm_in_csv(f'"{HOSTILE["equals"]}"'.replace('""', '"'))
