"""A row set aside is no longer open once a later file brings it as it should be; it is kept, with the import that did."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from dashboard.importing import ImportReport, import_files
from queries.engine import reading
from queries.tables import Import, SetAside
from tests.integration.test_broken_input import ASIDE, GOOD, NOW, changed
from tests.integration.test_main_job import SETTINGS, exported

pytestmark = pytest.mark.usefixtures("without_evaluation")
ITEMS = "".join(f"e1,2026-01-05,phq9,item_{n},1\n" for n in range(1, 10))
# the cell that breaks the rule belongs to the row's own key (or there is no whole row): another row, not this one mended
KEY_IS_BROKEN = {
    ("scores.csv", "taken_on"), ("scores.csv", "episode_id"), ("scores.csv", "instrument"), ("scores.csv", "scale"),
    ("scores.csv", "respondent"),
}  # fmt: skip


def give(engine: Engine, folder: Path, files: dict[str, str | bytes], source: str = "files") -> ImportReport:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return import_files(engine, SETTINGS, practice=None, paths=[folder], source=source, username=None, now=NOW)


def open_rows(engine: Engine) -> list[tuple[object, ...]]:
    return exported(engine, "set_aside").select("file", "line", "column").rows()


def resolved(engine: Engine) -> list[tuple[int, int | None]]:
    with reading(engine) as connection:
        statement = select(SetAside.import_id, SetAside.resolved_import_id).order_by(SetAside.id)
        return [tuple(row) for row in connection.execute(statement)]  # type: ignore[misc]


# every kind on the embedded database; on the server, where the same rows are compared by the same words, every fifth
EACH = [pytest.param("sqlite", *case, id=f"sqlite-{case[0]}") for case in ASIDE] + [
    pytest.param("postgresql", *case, id=f"postgresql-{case[0]}", marks=pytest.mark.postgres) for case in ASIDE[::5]
]


@pytest.mark.parametrize(
    ("database_url", "kind", "file", "old", "new", "line", "column", "reason"), EACH, indirect=["database_url"]
)
def test_a_row_mended_in_a_later_file_is_open_no_longer(
    engine: Engine, tmp_path: Path, kind: str, file: str, old: str, new: str, line: int, column: str | None, reason: str
) -> None:
    first = give(engine, tmp_path / "broken", changed(file, old, new))
    before = exported(engine, "set_aside").filter(file=file)
    assert before.height > 0
    second = give(engine, tmp_path / "good", dict(GOOD))
    left = exported(engine, "set_aside").filter(file=file)
    if column is None or "required" in reason or (file, column) in KEY_IS_BROKEN:
        assert left.height <= before.height
        return
    assert left.is_empty(), left
    assert first.import_id is not None
    assert {one for one, by in resolved(engine) if by == second.import_id} == {first.import_id}


def test_the_mended_row_is_kept_and_names_the_import_that_mended_it(engine: Engine, tmp_path: Path) -> None:
    first = give(engine, tmp_path / "1", changed("scores.csv", "14", "99"))
    assert open_rows(engine) == [("scores.csv", 2, "value")]
    second = give(engine, tmp_path / "2", {"scores.csv": GOOD["scores.csv"]})
    assert open_rows(engine) == []
    assert resolved(engine) == [(first.import_id, second.import_id)]


def test_the_broken_file_again_mends_nothing_and_opens_nothing_anew(engine: Engine, tmp_path: Path) -> None:
    broken = changed("appointments.csv", "attended\na2", "vanished\na2")
    give(engine, tmp_path / "1", broken)
    listed = open_rows(engine)
    give(engine, tmp_path / "2", broken)
    assert open_rows(engine) == listed == [("appointments.csv", 2, "status")]
    give(engine, tmp_path / "3", dict(GOOD))
    give(engine, tmp_path / "4", broken)
    assert open_rows(engine) == [], "the row is here, as the third import brought it"
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(Import)).scalar() == 2


def test_a_good_row_beside_a_refused_one_of_the_same_id_mends_nothing(engine: Engine, tmp_path: Path) -> None:
    both = {**GOOD, "scores.csv": GOOD["scores.csv"] + "e1,2026-01-05,phq9,total,99\n"}
    give(engine, tmp_path / "1", dict(both))
    give(engine, tmp_path / "2", dict(both))
    assert open_rows(engine) == [("scores.csv", 4, "value")]


def test_a_value_only_reported_stays_listed_when_its_file_comes_again(engine: Engine, tmp_path: Path) -> None:
    reported = {**GOOD, "scores.csv": GOOD["scores.csv"] + ITEMS + "e2,2026-02-05,phq9,total,8\n"}
    give(engine, tmp_path / "1", dict(reported))
    listed = open_rows(engine)
    assert len(listed) == 2
    give(engine, tmp_path / "2", dict(reported))
    assert open_rows(engine) == listed


def test_one_id_given_twice_is_mended_by_the_file_that_gives_it_once(engine: Engine, tmp_path: Path) -> None:
    twice = {**GOOD, "clients.csv": GOOD["clients.csv"] + "k2,1991\n"}
    give(engine, tmp_path / "1", dict(twice))
    assert [row[0] for row in open_rows(engine)].count("clients.csv") == 2
    give(engine, tmp_path / "2", dict(GOOD))
    assert open_rows(engine) == []


@pytest.mark.parametrize(("source", "file"), [("another", "appointments.csv"), ("files", "clients.csv")])
def test_the_same_id_of_another_source_or_table_mends_nothing(
    engine: Engine, tmp_path: Path, source: str, file: str
) -> None:
    text = {name: words.replace("a1,", "k1,") for name, words in GOOD.items()}  # an appointment with the id of a client
    broken = {**text, "appointments.csv": text["appointments.csv"].replace("attended\na2", "vanished\na2")}
    give(engine, tmp_path / "1", dict(broken))
    files = dict(text) if source == "another" else {file: text[file]}
    give(engine, tmp_path / "2", files, source)
    assert open_rows(engine) == [("appointments.csv", 2, "status")]


def test_a_mended_row_that_has_to_wait_for_its_parent_is_open_until_the_parent_comes(
    engine: Engine, tmp_path: Path
) -> None:
    people = {name: GOOD[name] for name in ("clinicians.csv", "clients.csv")}
    scores = GOOD["scores.csv"]
    give(engine, tmp_path / "1", {**people, "scores.csv": scores.replace("14", "99")})
    give(engine, tmp_path / "2", {"scores.csv": scores})
    assert ("scores.csv", 2, "value") in open_rows(engine)
    give(engine, tmp_path / "3", {"episodes.csv": GOOD["episodes.csv"]})
    assert open_rows(engine) == []
