"""What people enter by hand, before it is stored: read with care, checked as a file is, asked about where it would double."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from dashboard.access import Role, Viewer, can_enter, can_hand_over, can_manage_staff
from dashboard.entry.defaults import booked_ahead, enters_items, proposed, rounded, to_fill, usual_mode
from dashboard.entry.episode_rows import (
    NewClient,
    NewEpisode,
    checked_code,
    client_row,
    ended,
    episode_row,
    may_be_a_name,
)
from dashboard.entry.questionnaires import offered, respondents_of, scales_of, sheet, sums
from dashboard.entry.questions import score_plan, session_questions
from dashboard.entry.record import Occasion, occasions
from dashboard.entry.rows import batch_of, session_rows
from dashboard.entry.session_form import MOST_VALUES, SessionForm, read_form
from dashboard.errors import UnusableInput
from dashboard.instruments import BUILT_IN
from queries.keys import BY_HAND

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 15, 7)
TOKEN = "0123456789abcdef"
SECRET = "00" * 16
EPISODE = {"opened_on": date(2026, 11, 1), "closed_on": None}


def sent(**changed: Any) -> dict[str, Any]:
    return {
        "token": TOKEN, "appointment": "new", "day": "2026-11-20", "time": "14:00", "status": "attended", "mode": "video",
        "nextDay": "", "nextTime": "", "measures": [], "agreed": [], "seen": "",
    } | changed  # fmt: skip


def phq9(**values: str) -> dict[str, Any]:
    return {"key": "phq9", "respondent": "client", "values": values}


def form(**changed: Any) -> SessionForm:
    return read_form(sent(**changed))


def brought(source: str = BY_HAND, **more: Any) -> dict[str, Any]:
    kind = "entered" if source == BY_HAND else "files"
    return {"source": source, "kind": kind, "username": "r.okafor", "imported_at": NOW, "import_id": 1} | more


def slot(number: int, at: datetime, status: str = "attended", source: str = BY_HAND) -> dict[str, Any]:
    row = {"appointment_id": number, "source_id": f"a{number}", "starts_at": at, "status": status, "mode": "video"}
    return row | brought(source)


def value(scale: str, number: float, taken_on: date = TODAY, source: str = BY_HAND, **more: Any) -> dict[str, Any]:
    row = {
        "episode_id": 1, "score_id": hash((scale, taken_on)) % 1000, "taken_on": taken_on, "instrument": "phq9",
        "scale": scale, "respondent": "client", "value": number, "appointment_ref": None,
    }  # fmt: skip
    return row | brought(source) | more


def of_day(*rows: dict[str, Any], session: dict[str, Any] | None = None) -> Occasion:
    return Occasion("ref", TODAY, session, rows, BY_HAND)


# ------------------------------------------------------------------ what the browser sends


@pytest.mark.parametrize(
    "given",
    [
        None,
        "text",
        [],
        sent(token="1 OR 1=1"),
        sent(token=None),
        sent(status="left"),
        sent(mode="carrier pigeon"),
        sent(measures={"key": "phq9"}),
        sent(measures=[{"key": "phq9", "values": "12"}]),
        sent(measures=[{"key": "phq9", "values": {"<b>": "1"}}]),
        sent(measures=[{"key": "phq9", "values": {"total": ["1"]}}]),
        sent(measures=[{"key": "phq9", "values": {"total": "1" * 50}}]),
        sent(measures=[{"key": "phq9", "respondent": "neighbour", "values": {"total": "1"}}]),
        sent(measures=[{"key": "x" * 200, "values": {"total": "1"}}]),
        sent(measures=[phq9(**{f"item_{i}": "1" for i in range(MOST_VALUES + 1)})]),
        sent(agreed=[1]),
        sent(day="20.11.2026"),
        sent(day="2026-11-20T14:00"),
        sent(time=""),
        sent(nextDay="2026-11-27"),
        sent(status="scores_only"),
    ],
)
def test_what_the_form_does_not_send_is_refused_in_words(given: Any) -> None:
    with pytest.raises(UnusableInput) as refused:
        read_form(given)
    assert len(str(refused.value).splitlines()) == 1


def test_empty_values_are_left_out_and_a_decimal_comma_is_read() -> None:
    read = form(measures=[phq9(total=" "), {"key": "ors", "respondent": "client", "values": {"total": "27,5"}}])
    assert read.values == {("ors", "total", "client"): "27.5"}
    assert [one.instrument for one in read.measures] == ["ors"]


# ------------------------------------------------------------------ the checks of files


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"measures": [phq9(total="28")]}, "PHQ-9, Total '28': it goes from 0 to 27"),
        ({"measures": [phq9(item_3="4")]}, "PHQ-9, Item 3 '4': it goes from 0 to 3"),
        ({"measures": [phq9(total="twelve")]}, "PHQ-9, Total 'twelve': not a plain decimal number"),
        ({"measures": [phq9(total="1e1")]}, "not a plain decimal number"),
        ({"measures": [phq9(item_10="1")]}, "no such scale"),
        ({"measures": [{"key": "sai", "respondent": "client", "values": {"total": "5"}}]}, "no such scale"),
        ({"measures": [{"key": "unheard", "respondent": "client", "values": {"total": "5"}}]}, "no such instrument"),
        ({"day": "2026-11-21"}, "attended on a day that has not come yet"),
        ({"day": "2026-11-31"}, "not a date"),
        ({"status": "booked", "day": "2026-11-27", "measures": [phq9(total="9")]}, "a day that has not come yet"),
        ({"day": "1026-11-20"}, "not a date"),
    ],
)
def test_what_a_file_would_set_aside_is_not_saved_and_named(changed: dict[str, Any], said: str) -> None:
    rows = session_rows(form(**changed), "e1", "a1")
    with pytest.raises(UnusableInput, match="Not saved") as refused:
        batch_of(rows, today=TODAY, timezone="UTC", instruments=BUILT_IN)
    assert said in str(refused.value)


def test_a_form_makes_the_rows_of_a_file() -> None:
    given = form(measures=[phq9(item_1="2", item_9="1")], nextDay="2026-11-27", nextTime="14:30")
    batch = batch_of(session_rows(given, "e1", "a1"), today=TODAY, timezone="UTC", instruments=BUILT_IN)
    slots = batch.tables["appointments"].select("appointment_id", "starts_at", "status", "mode").rows()
    assert slots == [
        ("a1", datetime(2026, 11, 20, 14), "attended", "video"),
        (f"n-{TOKEN}", datetime(2026, 11, 27, 14, 30), "booked", "video"),
    ]
    scores = batch.tables["scores"].select("taken_on", "scale", "value", "appointment_id").rows()
    assert scores == [(TODAY, "item_1", 2.0, "a1"), (TODAY, "item_9", 1.0, "a1")]


def test_scores_alone_make_no_appointment() -> None:
    given = form(status="scores_only", time="", measures=[phq9(total="9")])
    assert list(session_rows(given, "e1", None)) == ["scores"]


# ------------------------------------------------------------------ questions


def test_a_second_value_of_the_same_day_is_asked_about_and_names_who_entered_the_first() -> None:
    there = [of_day(value("total", 12.0))]
    plan = score_plan(form(measures=[phq9(total="14")]), there, None, BY_HAND, BUILT_IN)
    ((_, words),) = plan.questions
    assert "PHQ-9 of 20 Nov 2026 is there already: total 12, entered by r.okafor, 20 Nov 2026 15:07." in words


def test_the_same_value_again_is_no_question_and_nothing_to_store() -> None:
    plan = score_plan(form(measures=[phq9(total="12.0")]), [of_day(value("total", 12.0))], None, BY_HAND, BUILT_IN)
    assert not plan.questions
    assert not plan.kept


def test_a_total_in_place_of_items_withdraws_the_items() -> None:
    items = [value(f"item_{i}", 1.0, score_id=i) for i in range(1, 10)]
    plan = score_plan(form(measures=[phq9(total="14")]), [of_day(*items)], None, BY_HAND, BUILT_IN)
    assert plan.questions
    assert [row["score_id"] for row in plan.withdrawn] == list(range(1, 10))


@pytest.mark.parametrize("mine", [{"total": "14"}, {"item_1": "2"}])
def test_values_of_a_file_are_corrected_by_their_source_alone(mine: dict[str, str]) -> None:
    there = [of_day(value("total", 12.0, source="files"))]
    with pytest.raises(UnusableInput, match="Its source corrects it"):
        score_plan(form(measures=[phq9(**mine)]), there, None, BY_HAND, BUILT_IN)


def test_a_change_withdraws_what_was_emptied_and_what_moved_to_another_day() -> None:
    session = slot(1, datetime(2026, 11, 20, 14))
    open_one = of_day(value("item_1", 1.0, score_id=1), value("item_2", 2.0, score_id=2), session=session)
    stays = score_plan(form(measures=[phq9(item_1="1")]), [open_one], open_one, BY_HAND, BUILT_IN)
    assert ([row["score_id"] for row in stays.withdrawn], list(stays.questions)) == ([2], [])
    moved = score_plan(form(day="2026-11-19", measures=[phq9(item_1="1")]), [open_one], open_one, BY_HAND, BUILT_IN)
    assert [row["score_id"] for row in moved.withdrawn] == [1, 2]


@pytest.mark.parametrize(
    ("there", "changed", "codes"),
    [
        ([], {}, []),
        ([slot(1, datetime(2026, 11, 20, 14))], {}, ["session 2026-11-20 14:00"]),
        ([slot(1, datetime(2026, 11, 20, 9))], {}, ["session 2026-11-20 14:00"]),
        ([slot(1, datetime(2026, 11, 20, 9), "no_show")], {}, []),
        ([slot(1, datetime(2026, 11, 19, 14))], {}, []),
        (
            [slot(1, datetime(2026, 11, 27, 14), "booked")],
            {"nextDay": "2026-11-27", "nextTime": "14:00"},
            ["next 2026-11-27 14:00"],
        ),
        ([], {"day": "2026-10-31"}, ["before"]),
    ],
)  # fmt: skip
def test_a_session_that_may_be_there_already_is_asked_about(
    there: list[dict[str, Any]], changed: dict[str, Any], codes: list[str]
) -> None:
    known = [of_day(session=row) for row in there]
    assert [code for code, _ in session_questions(form(**changed), EPISODE, known, "mine", "next")] == codes


def test_the_row_that_a_form_writes_is_no_clash_with_itself() -> None:
    known = [of_day(session=slot(1, datetime(2026, 11, 20, 14)))]
    assert not list(session_questions(form(), EPISODE, known, "a1", "next"))


# ------------------------------------------------------------------ what is proposed


def appointments(*rows: dict[str, Any]) -> pl.DataFrame:
    schema = {
        "ref": pl.String(),
        "source": pl.String(),
        "starts_at": pl.Datetime("us"),
        "status": pl.String(),
        "mode": pl.String(),
    }
    return pl.DataFrame([{"ref": str(row["appointment_id"]), **row} for row in rows], schema=schema)


def test_now_is_proposed_as_the_last_full_quarter() -> None:
    assert rounded(NOW) == datetime(2026, 11, 20, 15)
    assert rounded(datetime(2026, 11, 20, 23, 59, 59)) == datetime(2026, 11, 20, 23, 45)


def test_todays_booking_comes_first_then_other_days_then_sessions_of_files() -> None:
    frame = appointments(
        slot(1, datetime(2026, 11, 18, 15), "booked"),
        slot(2, datetime(2026, 11, 20, 9), "booked"),
        slot(3, datetime(2026, 11, 20, 15), "attended", "files"),
        slot(4, datetime(2026, 10, 1, 9), "booked"),
        slot(5, datetime(2026, 11, 21, 9), "booked"),
        slot(6, datetime(2026, 11, 20, 10), "attended"),
    )
    found = to_fill(frame, NOW, BY_HAND)
    assert [row["ref"] for row in found] == ["2", "1", "3"]
    first = proposed(found)
    assert first is not None
    assert first["ref"] == "2"


def test_a_files_session_of_another_day_is_not_preselected() -> None:
    assert (
        proposed(to_fill(appointments(slot(1, datetime(2026, 11, 18, 15), "attended", "files")), NOW, BY_HAND)) is None
    )


def test_the_mode_is_that_of_the_latest_session_that_says_so() -> None:
    frame = appointments(slot(1, datetime(2026, 11, 1, 9)), slot(2, datetime(2026, 11, 8, 9)) | {"mode": None})
    assert usual_mode(frame) == "video"
    assert usual_mode(frame.clear()) == ""
    assert booked_ahead(appointments(slot(5, datetime(2026, 11, 21, 9), "booked")), TODAY) == datetime(2026, 11, 21, 9)


def test_a_questionnaire_is_offered_the_way_it_was_last_entered() -> None:
    rows = [("phq9", "item_1", date(2026, 11, 1)), ("phq9", "total", date(2026, 11, 8)), ("gad7", "item_1", TODAY)]
    frame = pl.DataFrame(rows, schema=["instrument", "scale", "taken_on"], orient="row")
    assert enters_items(frame) == {"phq9": False, "gad7": True}


def test_an_episodes_own_questionnaires_come_before_the_practices() -> None:
    shown, rest = offered(BUILT_IN, ["srs", "phq9"], ["gad7"])
    assert shown == ["phq9", "srs"]
    assert "gad7" in rest
    assert offered(BUILT_IN, [], ["srs", "gad7"])[0] == ["gad7", "srs"]
    assert "sai" not in {*shown, *rest}, "no response format is published: it cannot be entered"


# ------------------------------------------------------------------ sums


def test_the_sheet_says_the_rule_of_the_sums() -> None:
    known = sheet(BUILT_IN["wai_sr"])
    assert known["eachSubscale"] is True
    assert known["sums"][0]["missing"] == 3
    assert {one["name"] for one in known["sums"]} == {"total", "goal", "task", "bond"}
    assert sheet(BUILT_IN["wai_36"])["items"] == 0, "which items are reversed is not stated: totals only"
    assert "item" not in " ".join(scales_of(BUILT_IN["phq9"]))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (dict.fromkeys(range(1, 10), 2.0), {"total": (18.0, False)}),
        (dict.fromkeys(range(1, 9), 2.0), {"total": (18.0, True)}),
        (dict.fromkeys(range(1, 8), 2.0), {}),
        ({}, {}),
    ],
)
def test_items_make_a_total_by_the_same_rule_as_in_files(
    answers: dict[int, float], expected: dict[str, tuple[float, bool]]
) -> None:
    assert sums(BUILT_IN["phq9"], answers) == expected


def test_who_filled_it_in_is_asked_where_it_is_not_plain() -> None:
    assert respondents_of(BUILT_IN["phq9"], False) == ["client"]
    assert respondents_of(BUILT_IN["srs"], False) == ["client", "clinician"]
    assert respondents_of(BUILT_IN["wai_sr_t"], False)[0] == "clinician"
    assert respondents_of(BUILT_IN["phq9"], True) == ["client", "clinician"]


# ------------------------------------------------------------------ the list


def test_scores_go_to_the_session_they_name_else_to_their_days_session_else_stand_alone() -> None:
    slots = [slot(1, datetime(2026, 11, 13, 9)), slot(2, datetime(2026, 11, 20, 9))]
    scores = [
        value("total", 12.0, date(2026, 11, 12), appointment_ref="a1"),
        value("total", 10.0),
        value("total", 9.0, date(2026, 11, 15)),
    ]
    found = occasions(
        pl.DataFrame(slots), pl.DataFrame(scores, schema_overrides={"appointment_ref": pl.String}), SECRET, BY_HAND
    )
    assert [(one.day, [row["value"] for row in one.scores], one.session is None) for one in found] == [
        (TODAY, [10.0], False),
        (date(2026, 11, 15), [9.0], True),
        (date(2026, 11, 13), [12.0], False),
    ]
    assert len({one.ref for one in found}) == 3


def test_a_fingerprint_follows_every_value_and_only_rows_by_hand_can_be_changed() -> None:
    one = of_day(value("total", 12.0), session=slot(1, datetime(2026, 11, 20, 14)))
    other = of_day(value("total", 13.0), session=slot(1, datetime(2026, 11, 20, 14)))
    later = of_day(value("total", 12.0), session=slot(1, datetime(2026, 11, 20, 14), "no_show"))
    assert len({one.fingerprint, other.fingerprint, later.fingerprint}) == 3
    assert one.fingerprint == of_day(value("total", 12.0), session=slot(1, datetime(2026, 11, 20, 14))).fingerprint
    assert not of_day(value("total", 1.0, source="files"), session=slot(1, NOW, source="files")).can_be_changed


# ------------------------------------------------------------------ clients, episodes, endings


@pytest.mark.parametrize(
    ("code", "is_name"),
    [("4F-210", False), ("Maria", True), ("maria s.", True), ("KLM", False), ("AB", False), ("Jörg", True), ("Anna 3", False)],
)  # fmt: skip
def test_a_code_that_reads_like_a_name_is_asked_about(code: str, is_name: bool) -> None:
    assert may_be_a_name(code) is is_name
    if is_name:
        with pytest.raises(UnusableInput, match="may be a name"):
            checked_code(NewClient(code))
    assert checked_code(NewClient(code, is_code=True)) == code


@pytest.mark.parametrize("code", ["", "  ", "x" * 25, "<b>1</b>", "a\nb\x00", "---", "=1+1;", '"1"'])
def test_a_code_holds_nothing_that_could_be_read_as_something_else(code: str) -> None:
    with pytest.raises(UnusableInput):
        checked_code(NewClient(code, is_code=True))


def test_an_episode_begins_today_or_earlier_and_after_its_referral() -> None:
    with pytest.raises(UnusableInput, match="lies ahead"):
        episode_row("e", "c", "t", NewEpisode(date(2026, 11, 21)), TODAY)
    with pytest.raises(UnusableInput, match="referral"):
        episode_row("e", "c", "t", NewEpisode(TODAY, referred_on=date(2026, 11, 21)), TODAY)
    row = episode_row("e", "c", "t", NewEpisode(TODAY, problem_area="  low   mood ", planned_sessions=0), TODAY)
    assert (row["problem_area"], row["planned_sessions"], row["preference_met"]) == ("low mood", "0", None)


@pytest.mark.parametrize(("ending", "day"), [("", TODAY), ("unknown", TODAY), ("planned", date(2026, 11, 21))])
def test_an_ending_is_one_of_the_list_on_a_day_that_has_come(ending: str, day: date) -> None:
    with pytest.raises(UnusableInput):
        ended({}, ending, day, TODAY)


@pytest.mark.parametrize(("year", "good"), [(1899, False), (1980, True), (2027, False)])
def test_a_year_of_birth_is_checked_as_in_a_file(year: int, good: bool) -> None:
    rows = {"clients": [client_row("c", NewClient("4F-1", birth_year=year))]}
    if good:
        assert batch_of(rows, today=TODAY, timezone="UTC", instruments={}).tables["clients"].height == 1
    else:
        with pytest.raises(UnusableInput, match="The year of birth '"):
            batch_of(rows, today=TODAY, timezone="UTC", instruments={})


# ------------------------------------------------------------------ who may


@pytest.mark.parametrize(
    ("role", "own", "enters", "hands_over", "staff"),
    [
        (Role.CLINICIAN, 7, True, False, False),
        (Role.CLINICIAN, 8, False, False, False),
        (Role.SUPERVISOR, 7, True, False, False),
        (Role.SUPERVISOR, 8, False, False, False),
        (Role.DIRECTOR, 8, True, True, True),
        (Role.DIRECTOR, None, True, True, True),
        (Role.ADMIN, 7, False, False, True),
        (Role.ADMIN, None, False, False, True),
    ],
)
def test_who_may_enter_into_an_episode_of_clinician_seven(
    role: Role, own: int | None, enters: bool, hands_over: bool, staff: bool
) -> None:
    viewer = Viewer("x", role, 1, own, frozenset({7}) if role is Role.SUPERVISOR else frozenset())
    assert can_enter(viewer, 7) is enters
    assert can_hand_over(viewer) is hands_over
    assert can_manage_staff(role) is staff
