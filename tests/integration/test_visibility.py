"""Who sees which estimate of whom (science 6.4): every role, every clinician, every minimum number, by every way out."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, insert, update

from dashboard.access import Role, Viewer, narrowed, operator_scope, scope_for
from dashboard.analytics.growth_signs import SIGNS
from dashboard.demo.practice import build
from dashboard.estimate_view import EstimateView, estimate_view, on_paper
from dashboard.evaluation import ensure_current
from dashboard.exporting import export_table
from dashboard.growth_goals import set_goal, share_goal
from dashboard.meeting_packet import meeting_draft
from dashboard.outcome_packet import outcomes_counts_draft, outcomes_draft
from dashboard.packets import Reader
from dashboard.settings import Settings
from dashboard.snapshot.freeze import frozen_view
from dashboard.supervising import prepare
from dashboard.ui.measure_words import MEASURES
from dashboard.ui.meeting_loading import sitting
from dashboard.ui.meeting_patterns import pattern_part
from dashboard.ui.view import View
from pages import outcomes
from pages.outcomes import PARTS, Choice, chosen_from
from queries import caseload, patterns, practices
from queries.engine import reading, writing
from queries.frames import read_frame
from queries.pattern_tables import ClinicianEstimate, PracticeEstimate
from queries.store import store_batch
from queries.tables import Clinician, User
from tests.conftest import Template
from tests.embedded import embedded

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12)
SETTINGS = Settings(timezone="UTC")
COUNTS = (0, 9, 10, 29, 30, 200)  # of the six clinicians, on both sides of each minimum
TELLTALE = (
    700.123456  # no number of the practice looks like this; each clinician gets one of their own, a hundred apart
)


Counted = tuple[Engine, int, list[int]]


@pytest.fixture(scope="module")
def made(template: Template) -> tuple[Template, int, list[int]]:
    """The practice, once on each database."""
    with template.filled() as engine:
        return template, *_counted(engine)[1:]


@pytest.fixture
def counted(made: tuple[Template, int, list[int]], tmp_path: Path) -> Iterator[Counted]:
    """A copy of the practice on each database."""
    with made[0].copied(tmp_path) as engine:
        yield engine, *made[1:]


@pytest.fixture(scope="module")
def made_on_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Template, int, list[int]]:
    """The practice on the embedded database."""
    template = Template(embedded(tmp_path_factory.mktemp("counted") / "template.sqlite"))
    with template.filled() as engine:
        return template, *_counted(engine)[1:]


@pytest.fixture
def on_file(made_on_file: tuple[Template, int, list[int]], tmp_path: Path) -> Iterator[Counted]:
    """A copy on the embedded database alone, for what is drawn: the statements under it are tested on both."""
    with made_on_file[0].copied(tmp_path) as engine:
        yield engine, *made_on_file[1:]


def _counted(engine: Engine) -> tuple[Engine, int, list[int]]:
    """Six clinicians whose estimates rest on COUNTS episodes; the second supervises the third and the fourth."""
    batch = build(3, 6, 70, TODAY)
    with writing(engine) as connection:
        practice = practices.ensure_practice(connection, "Practice", NOW)
        store_batch(connection, practice, "files", batch, today=TODAY, now=NOW, username=None)
    ensure_current(engine, SETTINGS, practice, NOW)
    with writing(engine) as connection:
        found = read_frame(connection, patterns.estimates(operator_scope(practice), estimate_view(None)))
        # who has hardly an ended episode gets the least: a page without any draws nothing
        ids = found.filter(pl.col("measure") == "dropout").sort("n", "clinician_id")["clinician_id"].to_list()
        for place, (one, n) in enumerate(zip(ids, COUNTS, strict=True)):
            mine = dict.fromkeys(patterns.NUMBERS, None if n == 0 else 100 * place + TELLTALE)
            connection.execute(
                update(ClinicianEstimate).where(ClinicianEstimate.clinician_id == one).values(n=n, **mine)
            )
        for place, one in enumerate(ids):
            connection.execute(
                insert(User).values(
                    id=place + 1, practice_id=practice, username=f"u{place}", password_hash="x", clinician_id=one,
                    role="clinician", is_active=True, must_change=False,
                    token_version=0, created_at=NOW,
                )
            )  # fmt: skip
    return engine, practice, ids


def viewers(practice: int, ids: list[int]) -> dict[str, Viewer]:
    """One of each role, and of each relation to the six."""
    found = {f"clinician {place}": Viewer(f"u{place}", Role.CLINICIAN, practice, one) for place, one in enumerate(ids)}
    found["supervisor"] = Viewer("s", Role.SUPERVISOR, practice, ids[1], frozenset({ids[2], ids[3]}))
    found["supervisor of nobody"] = Viewer("s", Role.SUPERVISOR, practice, ids[3])
    found["director"] = Viewer("d", Role.DIRECTOR, practice)
    found["director who supervises"] = Viewer("d", Role.DIRECTOR, practice, ids[5], frozenset({ids[3]}))
    found["admin"] = Viewer("a", Role.ADMIN, practice)
    found["clinician without a record"] = Viewer("n", Role.CLINICIAN, practice)
    return found


def may_see(viewer: Viewer, clinician: int, n: int) -> bool:
    """Science 6.4, written out a second time on purpose."""
    own = viewer.clinician_id == clinician
    supervises = clinician in viewer.supervisee_ids
    if viewer.role is Role.ADMIN or n < 10:
        return False
    if viewer.role is Role.DIRECTOR:
        return n >= 30 or own or supervises
    return own or (viewer.role is Role.SUPERVISOR and supervises)


def test_an_estimate_is_read_only_where_the_minimum_numbers_allow(counted: tuple[Engine, int, list[int]]) -> None:
    engine, practice, ids = counted
    for name, viewer in viewers(practice, ids).items():
        with reading(engine) as connection:
            rows = read_frame(connection, patterns.estimates(scope_for(viewer), estimate_view(viewer)))
        rows = patterns.with_reasons(rows)
        seen = {row["clinician_id"]: row for row in rows.to_dicts()}
        for one, n in zip(ids, COUNTS, strict=True):
            allowed = may_see(viewer, one, n)
            if one not in seen:
                assert not allowed, f"{name} misses an estimate on {n} episodes"
                continue
            row = seen[one]
            numbers = [row[column] for column in patterns.NUMBERS]
            assert row["shown"] == allowed, f"{name}, {n} episodes"
            assert all(number is not None for number in numbers) == allowed, f"{name}, {n} episodes"
            assert allowed or not any(number is not None for number in numbers), f"{name}, {n} episodes"
            assert (row["reason"] is None) == allowed


def test_an_estimate_of_a_colleague_is_not_even_a_row(counted: tuple[Engine, int, list[int]]) -> None:
    engine, practice, ids = counted
    with reading(engine) as connection:
        rows = read_frame(
            connection,
            patterns.estimates(scope_for(Viewer("u5", Role.CLINICIAN, practice, ids[5])), EstimateView(frozenset(ids), True)),
        )  # fmt: skip
    assert set(rows["clinician_id"]) == {ids[5]}


def test_a_range_of_few_colleagues_is_for_those_who_see_the_whole_practice(
    counted: tuple[Engine, int, list[int]],
) -> None:
    engine, practice, ids = counted
    for clinicians in (0, 1, 4, 5, 60):
        with writing(engine) as connection:
            connection.execute(
                update(PracticeEstimate).values(clinicians=clinicians, rate=0.5, range_low=0.4, range_high=0.6)
            )
        for name, viewer in viewers(practice, ids).items():
            with reading(engine) as connection:
                rows = read_frame(connection, patterns.practice(scope_for(viewer), estimate_view(viewer)))
            if scope_for(viewer).is_empty:
                assert rows.is_empty()
                continue
            allowed = viewer.role is Role.DIRECTOR or clinicians >= 5
            assert (rows["range_low"].null_count() == 0) == allowed, f"{name}, {clinicians} clinicians"
            assert (rows["rate"].null_count() == 0) == allowed, f"{name}, {clinicians} clinicians"
            assert (rows["not_told_apart"].null_count() == 0) == (viewer.role is Role.DIRECTOR), name


def test_an_export_holds_no_number_that_its_reader_may_not_see(counted: tuple[Engine, int, list[int]]) -> None:
    engine, practice, ids = counted
    with reading(engine) as connection:
        people = read_frame(connection, caseload.clinicians(operator_scope(practice)))
    source = dict(people.select("clinician_id", "source_id").rows())
    for place, (one, n) in enumerate(zip(ids, COUNTS, strict=True)):
        data = export_table(
            engine, SETTINGS, table="clinicians", username=f"u{place}", as_of=None, kind="csv", practice=None, now=NOW
        )
        frame = pl.read_csv(io.BytesIO(data), schema_overrides={"clinician_id": pl.String})
        assert frame.columns == list(patterns.EXPORTED)
        assert set(frame["clinician_id"]) == {source[one]}
        assert (f"{100 * place + TELLTALE}" in data.decode()) == (n >= 10)
    everybody = export_table(
        engine, SETTINGS, table="clinicians", username=None, as_of=None, kind="csv", practice=None, now=NOW
    ).decode()
    for place, n in enumerate(COUNTS):
        assert (f"{100 * place + TELLTALE}" in everybody) == (n >= 30)


def drawn(place: int) -> tuple[str, ...]:
    """How the numbers of a clinician would look on a page: in a figure, in words, as a gain."""
    value = 100 * place + TELLTALE
    return (f"{100 * value:.2f}", f"{round(100 * value)} %", f"{value:.4f}", f"{value:+.1f}")


def said(view: View) -> str:
    """Everything a page says, with every number of its figures."""
    return json.dumps(asdict(frozen_view(view)), ensure_ascii=False, default=str)


def choices(viewer: Viewer, everybody: list[dict[str, Any]]) -> list[Choice]:
    """What the viewer gets at any address: every clinician, measure and part that it can ask for, each result once."""
    scope = scope_for(viewer)
    people = [row for row in everybody if scope.clinician_ids is None or row["clinician_id"] in scope.clinician_ids]
    found: dict[tuple[Any, ...], Choice] = {}
    for whose in [{}, *({"clinician": row["public_id"]} for row in everybody)]:
        for measure in MEASURES:
            for part in PARTS:
                one = chosen_from(viewer, people, whose | {"measure": measure, "part": part})
                alone = one.person["public_id"] if one.person else None
                drawn_by_it = one.measure if alone is None and one.part == "clinicians" else None
                found.setdefault((alone, drawn_by_it, one.part), one)
    return list(found.values())


def test_no_page_at_any_address_shows_a_number_that_its_reader_may_not_see(
    on_file: tuple[Engine, int, list[int]],
) -> None:
    engine, practice, ids = on_file
    seen: set[tuple[str, int]] = set()
    with reading(engine) as connection:
        everybody = read_frame(connection, caseload.clinicians(operator_scope(practice))).to_dicts()
        for name, viewer in viewers(practice, ids).items():
            scope, look = scope_for(viewer), estimate_view(viewer)
            for choice in choices(viewer, everybody):
                one = narrowed(scope, choice.person["clinician_id"]) if choice.person else scope
                data = outcomes.load(connection, one, viewer, look, choice, 42)
                text = said(outcomes.build(viewer, look, data, choice, today=TODAY, chart_theme="light"))
                for place, (clinician, n) in enumerate(zip(ids, COUNTS, strict=True)):
                    if n and any(number in text for number in drawn(place)):
                        assert may_see(viewer, clinician, n), f"{name} sees {n} episodes at {choice}"
                        seen.add((name, place))
    # the test would pass on an empty page: whoever may see something does
    for name, viewer in viewers(practice, ids).items():
        for place, (clinician, n) in enumerate(zip(ids, COUNTS, strict=True)):
            assert ((name, place) in seen) == may_see(viewer, clinician, n), f"{name}, {n} episodes"


def test_a_snapshot_holds_only_what_everybody_who_may_read_it_may_see(on_file: tuple[Engine, int, list[int]]) -> None:
    engine, practice, ids = on_file
    with reading(engine) as connection:
        everybody = read_frame(connection, caseload.clinicians(operator_scope(practice))).to_dicts()
        for name, viewer in viewers(practice, ids).items():
            scope = scope_for(viewer)
            if scope.is_empty:
                continue
            reader = Reader(connection, scope, TODAY)
            for choice in choices(viewer, everybody):
                draft = outcomes_draft(reader, viewer, choice, 42)
                text = json.dumps(asdict(draft.content), ensure_ascii=False, default=str)
                for place, n in enumerate(COUNTS):
                    if n and n < 30:
                        assert not any(number in text for number in drawn(place)), f"{name}: {n} episodes at {choice}"
            counts = outcomes_counts_draft(reader).content
            text = json.dumps(asdict(counts), ensure_ascii=False, default=str)
            for row in everybody:
                assert str(row["display_name"]) not in text
            assert not any(number in text for place in range(6) for number in drawn(place))


def test_a_pattern_part_on_paper_holds_nothing_that_only_those_close_by_may_see(
    on_file: tuple[Engine, int, list[int]],
) -> None:
    engine, practice, ids = on_file
    supervisor = Viewer("s", Role.SUPERVISOR, practice, ids[1], frozenset({ids[2], ids[3]}))
    with reading(engine) as connection:
        people = read_frame(connection, caseload.clinicians(scope_for(supervisor)))
    third = people.filter(pl.col("clinician_id") == ids[3])["public_id"][0]
    made = prepare(engine, SETTINGS, supervisor, [third], held_on=TODAY, minutes=60, kind="one_to_one", now=NOW)
    with reading(engine) as connection:
        sat = sitting(connection, supervisor, made, None)
        assert sat is not None
        row = next(one for one in sat.agenda if one["kind"] == "pattern")
        parts = {
            look: said(
                View(
                    "",
                    "",
                    "",
                    None,
                    pattern_part(connection, supervisor, look, sat, row, dropout_days=42, theme="light"),
                )
            )
            for look in (estimate_view(supervisor), on_paper(estimate_view(supervisor)))
        }
        paper = meeting_draft(Reader(connection, scope_for(supervisor), TODAY), supervisor, made, 42)
    on_screen, printed = (any(number in text for number in drawn(3)) for text in parts.values())
    assert on_screen
    assert not printed
    assert not any(number in json.dumps(asdict(paper.content), ensure_ascii=False, default=str) for number in drawn(3))


def test_a_goal_that_is_not_shared_stays_off_paper_also_where_its_own_clinician_makes_it(
    on_file: tuple[Engine, int, list[int]],
) -> None:
    engine, practice, ids = on_file
    supervisor = Viewer("s", Role.SUPERVISOR, practice, ids[1], frozenset({ids[3]}))
    own = Viewer("u3", Role.CLINICIAN, practice, ids[3])
    with reading(engine) as connection:
        people = read_frame(connection, caseload.clinicians(scope_for(own)))
    made = prepare(
        engine,
        SETTINGS,
        supervisor,
        people["public_id"].to_list(),
        held_on=TODAY,
        minutes=60,
        kind="one_to_one",
        now=NOW,
    )
    again = TODAY + timedelta(days=60)
    set_goal(engine, own, text="Only mine", sign=next(iter(SIGNS)), look_again_on=again, shared=False, now=NOW)
    for shared in (False, True):
        share_goal(engine, own, shared=shared, now=NOW)
        with reading(engine) as connection:
            paper = meeting_draft(Reader(connection, scope_for(own), TODAY), own, made, 42).content
        assert ("Only mine" in json.dumps(asdict(paper), default=str)) == shared


def test_an_administrator_cannot_export_estimates(counted: tuple[Engine, int, list[int]]) -> None:
    engine, _, _ = counted
    with writing(engine) as connection:
        connection.execute(update(User).where(User.username == "u0").values(role="admin", clinician_id=None))
        assert connection.execute(Clinician.__table__.select()).first() is not None
    with pytest.raises(Exception, match="administrator cannot export"):
        export_table(
            engine, SETTINGS, table="clinicians", username="u0", as_of=None, kind="csv", practice=None, now=NOW
        )
