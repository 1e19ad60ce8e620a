"""A meeting in the database: who may do what, what each act leaves behind, and that nobody overwrites anybody unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import Engine, func, select

from dashboard.access import Role, Viewer, operator_scope, scope_for
from dashboard.demo.practice import build
from dashboard.errors import NotAllowed, SupervisionError, UnusableInput
from dashboard.evaluation import ensure_current
from dashboard.settings import Settings
from dashboard.supervising import Room, mark, prepare, set_action
from queries import caseload, meetings, practices
from queries.engine import open_engine, reading, writing
from queries.frames import read_frame
from queries.meeting_tables import AgendaItem, Meeting
from queries.schema import migrate
from queries.store import store_batch
from queries.tables import Audit
from tests.conftest import postgres_copy

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12)


class Fixed(Settings):
    """Settings whose clock stands still."""

    def now(self) -> datetime:
        """Noon of the day of the tests."""
        return NOW


SETTINGS = Fixed(timezone="UTC")


@dataclass(frozen=True)
class Practice:
    """Who is who in the practice of these tests."""

    engine: Engine
    viewers: dict[str, Viewer]
    public: dict[str, str]

    def prepared(
        self, who: str = "supervisor", *, about: tuple[str, ...] = ("clinician",), kind: str = "one_to_one"
    ) -> str:
        """A meeting; its opaque id."""
        return prepare(
            self.engine, SETTINGS, self.viewers[who], [self.public[one] for one in about], held_on=TODAY, minutes=60, kind=kind,
            now=NOW,
        )  # fmt: skip

    def room(self, who: str, public_id: str, seen: int | None = None) -> Room:
        """The meeting as somebody has it open now."""
        with reading(self.engine) as connection:
            version = connection.execute(select(Meeting.version).where(Meeting.public_id == public_id)).scalar_one()
        return Room(self.engine, SETTINGS, self.viewers[who], public_id, version if seen is None else seen)

    def items(self, who: str, public_id: str) -> pl.DataFrame:
        """The agenda as somebody sees it."""
        with reading(self.engine) as connection:
            listed = read_frame(connection, meetings.meetings(self.viewers[who], public_id=public_id))
            if listed.is_empty():
                return pl.DataFrame()
            return read_frame(connection, meetings.items(self.viewers[who], listed["meeting_id"][0]))

    def audited(self) -> list[str]:
        """Every action written down so far."""
        with reading(self.engine) as connection:
            return list(connection.execute(select(Audit.action).order_by(Audit.id)).scalars())


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def practice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """One practice per database for all tests here: each test prepares meetings of its own."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('meetings') / 'practice.sqlite'}")
        migrate(engine)
        yield _built(engine)
        engine.dispose()
        return
    with postgres_copy(request.getfixturevalue("postgres_template")) as url:
        engine = open_engine(url)
        yield _built(engine)
        engine.dispose()


def _built(engine: Engine) -> Practice:
    with writing(engine) as connection:
        one = practices.ensure_practice(connection, "One", NOW)
        store_batch(connection, one, "files", build(5, 4, 40, TODAY), today=TODAY, now=NOW, username=None)
    ensure_current(engine, SETTINGS, one, NOW)
    with reading(engine) as connection:
        people = read_frame(connection, caseload.clinicians(operator_scope(one))).sort("clinician_id").to_dicts()
    ids = [row["clinician_id"] for row in people]
    public = dict(
        zip(("lead", "clinician", "colleague", "stranger"), (row["public_id"] for row in people), strict=False)
    )
    viewers = {
        "director": Viewer("dir", Role.DIRECTOR, one),
        "supervisor": Viewer("sup", Role.SUPERVISOR, one, ids[0], frozenset(ids[1:3])),
        "other supervisor": Viewer("oth", Role.SUPERVISOR, one, ids[3], frozenset(ids[1:2])),
        "clinician": Viewer("cli", Role.CLINICIAN, one, ids[1]),
        "colleague": Viewer("col", Role.CLINICIAN, one, ids[2]),
        "stranger": Viewer("str", Role.CLINICIAN, one, ids[3]),
        "admin": Viewer("adm", Role.ADMIN, one),
    }
    return Practice(engine, viewers, public)


def open_episode(practice: Practice, who: str) -> str:
    with reading(practice.engine) as connection:
        found = read_frame(connection, caseload.states(scope_for(practice.viewers[who]))).sort("episode_id")
    return str(found["public_id"][0])


def first_case(practice: Practice, public_id: str) -> int:
    items = practice.items("supervisor", public_id)
    return int(items.filter(pl.col("episode_id").is_not_null() & pl.col("position").is_not_null())["item_id"][0])


LEADS = {"supervisor"}
WRITES = {"supervisor", "clinician"}
ACTS: dict[str, tuple[Callable[[Practice, Room, int], object], set[str]]] = {
    "propose again": (lambda p, r, i: r.propose_again(45, "one_to_one"), LEADS),
    "move": (lambda p, r, i: r.move(i, 1), LEADS),
    "take off": (lambda p, r, i: r.take_off(i), LEADS),
    "minutes": (lambda p, r, i: r.set_minutes(i, 7), LEADS),
    "another day": (lambda p, r, i: r.put_off(TODAY + timedelta(days=7)), LEADS),
    "take back": (lambda p, r, i: r.discard(), LEADS),
    "hide names": (lambda p, r, i: r.hide_names(True), WRITES),
    "write": (lambda p, r, i: r.write(i, "what", "Ask how it felt", 0), WRITES),
    "close": (lambda p, r, i: r.close([i]), LEADS),
}
EVERYONE = ("director", "supervisor", "other supervisor", "clinician", "colleague", "stranger", "admin")


@pytest.mark.parametrize("act", ACTS)
def test_only_who_may_does_it_and_each_act_leaves_one_audit_row(practice: Practice, act: str) -> None:
    do, allowed = ACTS[act]
    public_id = practice.prepared()
    item = first_case(practice, public_id)
    for who in (one for one in EVERYONE if one not in allowed):
        before = practice.audited()
        with pytest.raises(NotAllowed):
            do(practice, practice.room(who, public_id), item)
        assert practice.audited() == before
    for who in sorted(allowed):
        again = practice.prepared()
        before = practice.audited()
        do(practice, practice.room(who, again), first_case(practice, again))
        written = practice.audited()[len(before) :]
        assert len(written) == 1
        assert written[0].startswith("change meeting ")


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("director", True),
        ("supervisor", True),
        ("other supervisor", True),
        ("clinician", False),
        ("stranger", False),
        ("admin", False),
    ],
)
def test_a_meeting_is_led_by_the_supervisor_or_a_director(practice: Practice, who: str, may: bool) -> None:
    if may:
        assert practice.prepared(who)
        return
    with pytest.raises(SupervisionError):
        practice.prepared(who)


def test_a_supervisor_leads_no_meeting_about_somebody_else_s_supervisee(practice: Practice) -> None:
    with pytest.raises(NotAllowed):
        practice.prepared("other supervisor", about=("colleague",))
    with pytest.raises(NotAllowed):
        practice.prepared("supervisor", about=("lead",))


@pytest.mark.parametrize(
    ("who", "sees"),
    [("director", True), ("supervisor", True), ("other supervisor", False), ("clinician", True), ("colleague", False),
     ("stranger", False), ("admin", False)],
)  # fmt: skip
def test_only_who_takes_part_and_the_director_see_a_meeting(practice: Practice, who: str, sees: bool) -> None:
    public_id = practice.prepared()
    assert (practice.items(who, public_id).height > 0) is sees


def test_a_supervisor_whose_link_has_ended_no_longer_sees_the_meeting(practice: Practice) -> None:
    public_id = practice.prepared()
    ended = replace(practice.viewers["supervisor"], supervisee_ids=frozenset())
    with reading(practice.engine) as connection:
        assert read_frame(connection, meetings.meetings(ended, public_id=public_id)).is_empty()


def test_in_a_group_meeting_a_clinician_sees_the_codes_and_notes_of_their_own_episodes_alone(
    practice: Practice,
) -> None:
    public_id = practice.prepared(about=("clinician", "colleague"), kind="group")
    everyone = practice.items("supervisor", public_id).filter(pl.col("episode_id").is_not_null())
    for row in everyone.filter(pl.col("position").is_not_null()).to_dicts():
        practice.room("supervisor", public_id).write(row["item_id"], "note", "said in the room", 0)
    own = practice.viewers["clinician"].clinician_id
    seen = practice.items("clinician", public_id).filter(pl.col("episode_id").is_not_null())
    assert seen.filter(pl.col("client_code").is_not_null())["clinician_id"].unique().to_list() == [own]
    with reading(practice.engine) as connection:
        meeting = connection.execute(select(Meeting.id).where(Meeting.public_id == public_id)).scalar_one()
        notes = read_frame(connection, meetings.fields(practice.viewers["clinician"], meeting))
    theirs = seen.filter(pl.col("client_code").is_null())["item_id"].to_list()
    assert notes.height > 0
    assert not set(notes["item_id"]) & set(theirs)


def test_a_change_on_an_older_view_is_refused_and_nothing_changes(practice: Practice) -> None:
    public_id = practice.prepared()
    stale = practice.room("supervisor", public_id)
    item = first_case(practice, public_id)
    practice.room("supervisor", public_id).set_minutes(item, 3)
    before = practice.items("supervisor", public_id)
    for act in (lambda: stale.move(item, 1), lambda: stale.take_off(item), lambda: stale.set_minutes(item, 9)):
        with pytest.raises(UnusableInput, match="Somebody changed"):
            act()
    assert practice.items("supervisor", public_id).equals(before)


def test_two_people_in_one_box_never_overwrite_and_in_two_boxes_never_meet(practice: Practice) -> None:
    public_id = practice.prepared()
    item = first_case(practice, public_id)
    mine, theirs = practice.room("supervisor", public_id), practice.room("clinician", public_id)
    assert mine.write(item, "what", "Ask how it felt", 0) == 1
    assert theirs.write(item, "what", "Something else", 0) is None
    assert theirs.write(item, "note", "My own box", 0) == 1
    assert theirs.write(item, "what", "Ask how it felt, together", 1) == 2
    assert mine.write(item, "what", "Overtaken", 1) is None


@pytest.mark.parametrize(
    ("field", "text"),
    [("what", "x" * 161), ("look_again_on", "soon"), ("obstacle", "alliance;weather"), ("secret", "x")],
)
def test_what_does_not_fit_a_box_is_refused_in_words(practice: Practice, field: str, text: str) -> None:
    public_id = practice.prepared()
    with pytest.raises(UnusableInput):
        practice.room("supervisor", public_id).write(first_case(practice, public_id), field, text, 0)


def test_one_sentence_typed_with_pauses_is_one_audit_row(practice: Practice) -> None:
    public_id = practice.prepared()
    item, room = first_case(practice, public_id), practice.room("supervisor", public_id)
    before = len(practice.audited())
    for seen, text in enumerate(("Ask", "Ask how", "Ask how it felt")):
        assert room.write(item, "what", text, seen) == seen + 1
    assert len(practice.audited()) == before + 1


def test_closing_turns_what_was_decided_into_actions_and_ends_the_writing(practice: Practice) -> None:
    public_id = practice.prepared()
    item = first_case(practice, public_id)
    room = practice.room("supervisor", public_id)
    room.write(item, "what", "Talk about the fall in rating", 0)
    room.write(item, "who", "C. One", 0)
    room.write(item, "look_again_on", "2026-12-04", 0)
    episode = practice.items("supervisor", public_id).filter(pl.col("item_id") == item)["public_id"][0]
    mark(practice.engine, practice.viewers["clinician"], episode, "bring", True, NOW)
    room.close([item])
    scope = scope_for(practice.viewers["supervisor"])
    with reading(practice.engine) as connection:
        meeting = connection.execute(select(Meeting.id).where(Meeting.public_id == public_id)).scalar_one()
        agreed = read_frame(connection, meetings.actions(scope)).filter(pl.col("meeting_id") == meeting).to_dicts()
        talked = read_frame(connection, meetings.discussed(scope)).filter(
            pl.col("episode_id") == agreed[0]["episode_id"]
        )
        marks = read_frame(connection, meetings.marks(scope))
    assert [(row["what"], row["who"], row["look_again_on"], row["state"]) for row in agreed] == [
        ("Talk about the fall in rating", "C. One", date(2026, 12, 4), "open")
    ]
    assert set(talked["held_on"]) == {TODAY}
    assert marks.is_empty()
    for act in (lambda r: r.write(item, "what", "Another", 1), lambda r: r.move(item, 1), lambda r: r.close([])):
        with pytest.raises(UnusableInput, match="closed"):
            act(practice.room("supervisor", public_id))


def test_a_closed_meeting_is_signed_once_by_each_and_added_to_by_name(practice: Practice) -> None:
    public_id = practice.prepared()
    with pytest.raises(UnusableInput):
        practice.room("supervisor", public_id).sign()
    with pytest.raises(UnusableInput):
        practice.room("clinician", public_id).add_after("too early")
    practice.room("supervisor", public_id).close([])
    for who in ("supervisor", "clinician"):
        practice.room(who, public_id).sign()
        with pytest.raises(UnusableInput):
            practice.room(who, public_id).sign()
    for who in ("director", "other supervisor", "stranger", "admin"):
        with pytest.raises(NotAllowed):
            practice.room(who, public_id).sign()
        with pytest.raises(NotAllowed):
            practice.room(who, public_id).add_after("not mine")
    practice.room("clinician", public_id).add_after("She called the day after.")
    with reading(practice.engine) as connection:
        meeting = connection.execute(select(Meeting.id).where(Meeting.public_id == public_id)).scalar_one()
        signed = read_frame(connection, meetings.signed(practice.viewers["director"], meeting))
        added = read_frame(connection, meetings.additions(practice.viewers["director"], meeting))
    assert sorted(signed.select("username", "part").iter_rows()) == [("cli", "supervisee"), ("sup", "supervisor")]
    assert added.select("text", "username").rows() == [("She called the day after.", "cli")]


def test_only_the_own_clinician_marks_an_episode_and_takes_it_back(practice: Practice) -> None:
    episode = open_episode(practice, "clinician")
    for who in ("director", "supervisor", "colleague", "admin"):
        with pytest.raises(NotAllowed):
            mark(practice.engine, practice.viewers[who], episode, "bring", True, NOW)
    scope = scope_for(practice.viewers["clinician"])
    for is_set, expected in ((True, ["bring"]), (False, [])):
        mark(practice.engine, practice.viewers["clinician"], episode, "bring", is_set, NOW)
        with reading(practice.engine) as connection:
            assert read_frame(connection, meetings.marks(scope))["kind"].to_list() == expected


def test_an_action_is_resolved_in_scope_on_the_version_seen(practice: Practice) -> None:
    public_id = practice.prepared()
    item, room = first_case(practice, public_id), practice.room("supervisor", public_id)
    room.write(item, "what", "Ask", 0)
    room.close([item])
    with reading(practice.engine) as connection:
        action = read_frame(connection, meetings.actions(operator_scope(1)))["action_id"].max()
    for who in ("colleague", "stranger", "admin"):
        with pytest.raises(NotAllowed):
            set_action(practice.engine, practice.viewers[who], action, "done", 1, NOW)
    set_action(practice.engine, practice.viewers["clinician"], action, "done", 1, NOW)
    with pytest.raises(UnusableInput, match="in between"):
        set_action(practice.engine, practice.viewers["supervisor"], action, "not_done", 1, NOW)
    assert practice.audited()[-1] == "change action done"


def test_the_draw_of_a_day_cannot_be_drawn_again(practice: Practice) -> None:
    def draws(public_id: str) -> dict[int, float]:
        found = practice.items("supervisor", public_id).drop_nulls("draw")
        return dict(found.select("episode_id", "draw").iter_rows())

    with reading(practice.engine) as connection:
        own = read_frame(connection, caseload.states(scope_for(practice.viewers["clinician"])))["public_id"].to_list()
    for episode in own:
        mark(practice.engine, practice.viewers["clinician"], episode, "bring", True, NOW)
    first, second = practice.prepared(), practice.prepared()
    for episode in own:
        mark(practice.engine, practice.viewers["clinician"], episode, "bring", False, NOW)
    assert draws(first) == draws(second)
    assert len(set(draws(first).values())) == len(draws(first)) > 0
    practice.room("supervisor", first).propose_again(30, "one_to_one")
    shared = set(draws(first)) & set(draws(second))
    assert {key: draws(first)[key] for key in shared} == {key: draws(second)[key] for key in shared}


def test_proposing_again_keeps_what_people_added_or_wrote(practice: Practice) -> None:
    public_id = practice.prepared()
    item = first_case(practice, public_id)
    practice.room("supervisor", public_id).write(item, "note", "keep me", 0)
    there = set(practice.items("supervisor", public_id)["public_id"].drop_nulls())
    with reading(practice.engine) as connection:
        states = read_frame(connection, caseload.states(scope_for(practice.viewers["clinician"])))
    other = next((one for one in states["public_id"] if one not in there), None)
    if other is not None:
        practice.room("clinician", public_id).add_case(other, 10)
    practice.room("supervisor", public_id).propose_again(30, "one_to_one")
    now = practice.items("supervisor", public_id)
    on = now.filter(pl.col("position").is_not_null())
    assert item in on["item_id"].to_list()
    assert other is None or other in on["public_id"].to_list()
    assert now["episode_id"].drop_nulls().is_unique().all()
    assert on["position"].to_list() == list(range(1, on.height + 1))


def test_a_case_of_somebody_else_cannot_be_added_nor_a_safety_item_left_out(practice: Practice) -> None:
    public_id = practice.prepared()
    with pytest.raises(NotAllowed):
        practice.room("supervisor", public_id).add_case(open_episode(practice, "colleague"), 10)
    with writing(practice.engine) as connection:
        item = first_case(practice, public_id)
        connection.execute(AgendaItem.__table__.update().where(AgendaItem.id == item).values(kind="safety"))
    with pytest.raises(UnusableInput, match="stay"):
        practice.room("supervisor", public_id).take_off(item)


def test_an_item_of_another_meeting_is_out_of_reach(practice: Practice) -> None:
    mine, theirs = practice.prepared(), practice.prepared("director", about=("stranger",))
    with reading(practice.engine) as connection:
        foreign = connection.execute(
            select(func.min(AgendaItem.id)).join(Meeting).where(Meeting.public_id == theirs)
        ).scalar_one()
    with pytest.raises(NotAllowed):
        practice.room("supervisor", mine).write(foreign, "what", "x", 0)


def test_a_meeting_of_an_impossible_length_or_without_people_is_refused(practice: Practice) -> None:
    lead = practice.viewers["supervisor"]
    given = {"held_on": TODAY + timedelta(days=1), "kind": "one_to_one", "now": NOW}
    who = [practice.public["clinician"]]
    for people, minutes in ((who, 5), (who, 500), ([], 60), ([*who, practice.public["colleague"]], 60)):
        with pytest.raises(UnusableInput):
            prepare(practice.engine, SETTINGS, lead, people, minutes=minutes, **given)


def test_a_meeting_in_which_something_is_written_is_never_taken_back(practice: Practice) -> None:
    public_id = practice.prepared()
    practice.room("clinician", public_id).write(first_case(practice, public_id), "note", "do not lose this", 0)
    with pytest.raises(UnusableInput, match="Close it instead"):
        practice.room("supervisor", public_id).discard()
    assert practice.items("supervisor", public_id).height
    empty = practice.prepared()
    practice.room("supervisor", empty).discard()
    assert practice.items("supervisor", empty).is_empty()
    assert practice.audited()[-1] == "change meeting taken back"


def meeting_id(practice: Practice, public_id: str) -> int:
    with reading(practice.engine) as connection:
        return int(connection.execute(select(Meeting.id).where(Meeting.public_id == public_id)).scalar_one())


def test_what_a_director_prepares_alone_is_seen_and_written_in_by_no_clinician_and_no_supervisor(
    practice: Practice,
) -> None:
    public_id = practice.prepared("director", about=("lead", "clinician", "colleague", "stranger"), kind="director")
    item = int(practice.items("director", public_id)["item_id"][0])
    practice.room("director", public_id).write(item, "note", "for the director alone", 0)
    for who in ("supervisor", "other supervisor", "clinician", "colleague", "stranger", "admin"):
        assert practice.items(who, public_id).is_empty(), who
        with pytest.raises(NotAllowed):
            practice.room(who, public_id).write(item, "note", "mine too", 1)
        with reading(practice.engine) as connection:
            viewer = practice.viewers[who]
            assert read_frame(connection, meetings.fields(viewer, meeting_id(practice, public_id))).is_empty()


def test_in_a_group_nothing_is_said_of_a_colleagues_case_but_that_there_is_one(practice: Practice) -> None:
    public_id = practice.prepared(about=("clinician", "colleague"), kind="group")
    items = practice.items("clinician", public_id)
    theirs = items.filter(pl.col("episode_id").is_not_null() & pl.col("client_code").is_null())
    assert theirs.height
    for column in ("public_id", *meetings.ABOUT_AN_EPISODE):
        assert theirs[column].null_count() == theirs.height, column


def test_what_a_group_agrees_about_no_single_case_is_followed_up_by_who_covers_them_all(practice: Practice) -> None:
    public_id = practice.prepared(about=("clinician", "colleague"), kind="group")
    items = practice.items("supervisor", public_id)
    shared = int(items.filter(pl.col("kind") == "theme")["item_id"][0])
    practice.room("supervisor", public_id).write(shared, "what", "Read about early endings", 0)
    practice.room("supervisor", public_id).close([shared])
    for who, sees in (
        ("supervisor", True),
        ("director", True),
        ("clinician", False),
        ("stranger", False),
        ("admin", False),
    ):
        with reading(practice.engine) as connection:
            agreed = read_frame(connection, meetings.actions(scope_for(practice.viewers[who])))
        own = agreed.filter(pl.col("meeting_id") == meeting_id(practice, public_id))
        assert own["what"].to_list() == (["Read about early endings"] if sees else []), who


def test_text_in_an_item_that_was_taken_off_survives_a_new_proposal_and_becomes_an_action(practice: Practice) -> None:
    public_id = practice.prepared()
    item = first_case(practice, public_id)
    practice.room("supervisor", public_id).write(item, "what", "Do not lose this", 0)
    practice.room("supervisor", public_id).take_off(item)
    practice.room("supervisor", public_id).propose_again(30, "one_to_one")
    now = practice.items("supervisor", public_id)
    assert now.filter(pl.col("item_id") == item)["position"].to_list() == [None]
    assert now["episode_id"].drop_nulls().is_unique().all()
    practice.room("supervisor", public_id).close([item])
    with reading(practice.engine) as connection:
        agreed = read_frame(connection, meetings.actions(operator_scope(1)))
    own = agreed.filter(pl.col("meeting_id") == meeting_id(practice, public_id))
    assert own["what"].to_list() == ["Do not lose this"]


def test_putting_a_meeting_off_is_no_way_to_draw_again(practice: Practice) -> None:
    with reading(practice.engine) as connection:
        own = read_frame(connection, caseload.states(scope_for(practice.viewers["clinician"])))["public_id"].to_list()
    for episode in own:
        mark(practice.engine, practice.viewers["clinician"], episode, "bring", True, NOW)
    public_id = practice.prepared()
    drawn = practice.items("supervisor", public_id).drop_nulls("draw")
    before = dict(drawn.select("episode_id", "draw").iter_rows())
    practice.room("supervisor", public_id).put_off(TODAY + timedelta(days=7))
    practice.room("supervisor", public_id).propose_again(60, "one_to_one")
    again = practice.items("supervisor", public_id).drop_nulls("draw")
    after = dict(again.select("episode_id", "draw").iter_rows())
    for episode in own:
        mark(practice.engine, practice.viewers["clinician"], episode, "bring", False, NOW)
    assert before
    assert {key: after[key] for key in before if key in after} == {key: before[key] for key in before if key in after}
    assert set(before) & set(after)
