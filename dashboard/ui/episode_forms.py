"""Forms about an episode as a whole: a new one, what is known of it, its ending, taking an ending back, another clinician."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer, can_hand_over
from dashboard.contracts import KINDS, PREFERENCES
from dashboard.entering import new_token
from dashboard.entering_episodes import (
    NOT_HERE,
    change_episode,
    clients_for,
    clinicians_for,
    end_episode,
    hand_over,
    open_episode,
    reopen_episode,
    suggested_code,
)
from dashboard.entry.episode_rows import (
    CHOSEN_ENDINGS,
    LONGEST_CODE,
    LONGEST_TEXT,
    NewClient,
    NewEpisode,
    may_be_a_name,
)
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.harmless import escape
from dashboard.ui.ending_words import ENDING
from dashboard.ui.entry_links import back_link
from dashboard.ui.entry_reading import Entered
from dashboard.ui.say import refused
from dashboard.ui.show import show
from dashboard.ui.view import Slot, View
from dashboard.ui.words import day, plural
from queries.engine import reading
from queries.keys import BY_HAND

Went = Callable[[str, str], None]
NAME_WARNING = (
    "The code is all that is ever shown of a client, also on paper. "
    "Use one that says nothing: no name, no initials, no date of birth."
)
NO_NAME = "It looks like a name, but it is none"
EARLIEST = date(1900, 1, 1)
PREFERENCE_WORDS = {"": "not asked", "yes": "yes", "no": "no", "unknown": "not known"}


def _acted(act: Callable[[], None]) -> None:
    try:
        act()
    except SupervisionError as error:
        refused(error)


def _quiet(words: str) -> None:
    st.html(f'<div class="sv"><p class="quiet">{escape(words)}</p></div>')


def _day(label: str, value: date | None, today: date, **more: Any) -> date | None:
    chosen = st.date_input(label, value=value, min_value=EARLIEST, max_value=today, format="YYYY-MM-DD", **more)
    return chosen if isinstance(chosen, date) else None


def _known_of(now: Mapping[str, Any] | None, today: date) -> NewEpisode | None:
    """The fields of an episode, drawn; null where the first day is missing."""
    old = now or {}
    left, right = st.columns(2)
    with left:
        opened = _day("First day", old.get("opened_on", today), today)
    with right:
        referred = _day("Referred on (optional)", old.get("referred_on"), today)
    left, right = st.columns(2)
    kind = left.selectbox("Kind", KINDS, index=KINDS.index(old.get("kind", KINDS[0])))
    planned = right.number_input("Planned sessions (optional)", 0, 500, value=old.get("planned_sessions"), step=1)
    area = st.text_input(
        "Problem area (optional, several with ; between)", value=old.get("problem_area") or "", max_chars=LONGEST_TEXT
    )
    choices = ["", *PREFERENCES]
    preference = st.selectbox(
        "Did the client get whom they preferred?", choices, index=choices.index(old.get("preference_met") or ""),
        format_func=lambda one: PREFERENCE_WORDS[one],
    )  # fmt: skip
    if opened is None:
        return None
    return NewEpisode(
        opened, referred, kind or KINDS[0], area or "", None if planned is None else int(planned), preference or ""
    )


def new_episode(viewer: Viewer, went: Went) -> None:
    """A form for a new episode, of a new client or a known one. ``went``: the opaque id and what to say, once it is there."""
    settings = runtime.settings()
    today = settings.today()
    with reading(runtime.engine()) as connection:
        people = clinicians_for(connection, viewer, today)
        known = clients_for(connection, viewer)
    show(
        View("New episode", "Who begins with whom, and when?", "", None, [Slot("back"), Slot("form")]),
        {"back": back_link, "form": lambda: _new_form(viewer, people, known, today, went)},
    )


def _new_form(
    viewer: Viewer, people: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]], today: date, went: Went
) -> None:
    if not people:
        _quiet("Nobody is there yet whose episode it could be. A clinical director adds clinicians under People.")
        return
    held = st.session_state.setdefault("_new_episode", {})
    if "token" not in held:
        held.update(token=new_token(), code=suggested_code(runtime.engine(), viewer))
    names = {row["clinician_public_id"]: str(row["name"]) for row in people}
    codes = {row["client_id"]: str(row["client_code"]) for row in known}
    own = next((row["clinician_public_id"] for row in people if row["clinician_id"] == viewer.clinician_id), None)
    with st.form("new-episode", border=False):
        code = st.text_input("Code of the client", value=held["code"], max_chars=LONGEST_CODE)
        _quiet(NAME_WARNING)
        doubt = st.container()
        is_code = bool(held.get("doubted")) and doubt.checkbox(NO_NAME)
        again = st.selectbox(
            "Or a client who was here before",
            [None, *codes],
            format_func=lambda one: codes.get(one, "No, a new client"),
        )
        left, middle, right = st.columns(3)
        year = left.number_input("Year of birth (optional)", EARLIEST.year, today.year, value=None, step=1)
        gender = middle.text_input("Gender (optional)", max_chars=LONGEST_TEXT)
        ethnicity = right.text_input("Ethnicity (optional)", max_chars=LONGEST_TEXT)
        whose = own
        if len(names) > 1 or own is None:
            order = list(names)
            whose = st.selectbox(
                "Clinician", order, index=order.index(own) if own else 0, format_func=lambda one: names[one]
            )
        given = _known_of(None, today)
        sent = st.form_submit_button("Open the episode", type="primary")
    if not sent:
        return
    if again is None and not held.get("doubted") and may_be_a_name(code or ""):
        held["doubted"] = True  # asked only where there is a reason to
        doubt.checkbox(NO_NAME)

    def act() -> None:
        if given is None:
            raise UnusableInput("When did it begin? Choose the first day.")
        client = NewClient(code or "", None if year is None else int(year), gender or "", ethnicity or "", is_code)
        now = runtime.settings().now()
        made = open_episode(
            runtime.engine(), runtime.settings(), viewer, token=held["token"], client=client if again is None else again,
            clinician=whose or "", given=given, now=now,
        )  # fmt: skip
        st.session_state.pop("_new_episode", None)
        went(made, "The episode is open. Its first session can be entered here.")

    _acted(act)


def episode_section(viewer: Viewer, data: Entered, went: Callable[[str], None], over: Went) -> None:
    """What can be done about the episode itself. ``went``: what to say here; ``over``: another episode and what to say there."""
    st.html('<div class="sv"><h2>The episode itself</h2></div>')
    episode = data.episode
    if episode["source"] != BY_HAND:
        _quiet(NOT_HERE)
        return
    if episode["closed_on"] is None:
        _end(viewer, data, went, "Close this episode")
        if can_hand_over(viewer):
            _hand_over(viewer, data, over)
    else:
        words = ENDING.get(episode["ending"] or "unknown", "ended")
        _quiet(f"Closed {day(episode['closed_on'])}: {words}.")
        _end(viewer, data, went, "Correct the ending")
        _reopen(viewer, data, went)
    _change(viewer, data, went)


def _end(viewer: Viewer, data: Entered, went: Callable[[str], None], label: str) -> None:
    today = runtime.settings().today()
    episode = data.episode
    with st.expander(label), st.form("end", border=False):
        stands = episode["ending"] if episode["ending"] in CHOSEN_ENDINGS else None
        ending = st.selectbox(
            "How did it end?", CHOSEN_ENDINGS, index=None if stands is None else CHOSEN_ENDINGS.index(stands),
            format_func=lambda one: ENDING[one], placeholder="Choose",
        )  # fmt: skip
        last = _day("Last day", episode["closed_on"] or today, today)
        sent = st.form_submit_button(label)
    if not sent:
        return

    def act() -> None:
        if last is None:
            raise UnusableInput("When did it end? Choose the last day.")
        settings = runtime.settings()
        left = end_episode(
            runtime.engine(), settings, viewer, episode["public_id"], ending=ending or "", closed_on=last,
            seen=episode["import_id"], now=settings.now(),
        )  # fmt: skip
        booked = (
            f" {plural(left, 'session')} after it {'is' if left == 1 else 'are'} still booked: cancel them in the list."
            if left
            else ""
        )
        went(f"Closed on {day(last)}: {ENDING[ending or 'other']}.{booked}")

    _acted(act)


def _reopen(viewer: Viewer, data: Entered, went: Callable[[str], None]) -> None:
    with st.expander("It has not ended"), st.form("reopen", border=False):
        _quiet(
            "The ending was entered by mistake: from today the episode is open again. It stays known that it said so until now."
        )
        sent = st.form_submit_button("Open it again")
    if not sent:
        return

    def act() -> None:
        settings = runtime.settings()
        reopen_episode(
            runtime.engine(),
            settings,
            viewer,
            data.episode["public_id"],
            seen=data.episode["import_id"],
            now=settings.now(),
        )
        went("The episode is open again.")

    _acted(act)


def _change(viewer: Viewer, data: Entered, went: Callable[[str], None]) -> None:
    with st.expander("Correct what is known of it"), st.form("change-episode", border=False):
        given = _known_of(data.episode, runtime.settings().today())
        _quiet("What is left empty stays as it is.")
        sent = st.form_submit_button("Save the correction")
    if not sent:
        return

    def act() -> None:
        if given is None:
            raise UnusableInput("When did it begin? Choose the first day.")
        settings = runtime.settings()
        change_episode(
            runtime.engine(), settings, viewer, data.episode["public_id"], given, seen=data.episode["import_id"],
            now=settings.now(),
        )  # fmt: skip
        went("Saved.")

    _acted(act)


def _hand_over(viewer: Viewer, data: Entered, over: Went) -> None:
    settings = runtime.settings()
    today = settings.today()
    with reading(runtime.engine()) as connection:
        people = clinicians_for(connection, viewer, today)
    names = {
        row["clinician_public_id"]: str(row["name"])
        for row in people
        if row["clinician_id"] != data.episode["clinician_id"]
    }
    if not names:
        return
    held = st.session_state.setdefault("_hand_over", {})
    if held.get("about") != data.episode["public_id"]:
        held.update(about=data.episode["public_id"], token=new_token())
    with st.expander("Give it to another clinician"), st.form("hand-over", border=False):
        to = st.selectbox("To whom", list(names), format_func=lambda one: names[one])
        on = _day("From", today, today)
        _quiet("This episode is closed as transferred, and a new one begins with the other clinician.")
        sent = st.form_submit_button("Hand it over")
    if not sent:
        return

    def act() -> None:
        if on is None:
            raise UnusableInput("From which day? Choose it.")
        made = hand_over(
            runtime.engine(), settings, viewer, data.episode["public_id"], token=held["token"], to=to or "", on=on,
            seen=data.episode["import_id"], now=settings.now(),
        )  # fmt: skip
        over(made, f"Handed over to {names[to or '']}.")

    _acted(act)
