"""Add a session: whose session was it, and what happened?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import streamlit as st

from dashboard import runtime
from dashboard.access import NO_EPISODE, Role, Viewer, scope_for
from dashboard.entering import bring_back, delete_occasion, enter_session, new_token
from dashboard.entry.defaults import BACK_DAYS
from dashboard.entry.questions import Asked
from dashboard.entry.session_form import read_form
from dashboard.errors import SupervisionError
from dashboard.harmless import escape
from dashboard.ui.entry_blocks import deleted_words, earlier_blocks, occasion_blocks
from dashboard.ui.entry_form import Answer, entry_form
from dashboard.ui.entry_links import new_episode_link
from dashboard.ui.entry_reading import Choosable, Entered, read_choices, read_episode
from dashboard.ui.episode_forms import episode_section, new_episode
from dashboard.ui.find_episode import find_episode
from dashboard.ui.frame import current_viewer
from dashboard.ui.opened import note_opening, note_page
from dashboard.ui.safety_blocks import safety_blocks
from dashboard.ui.safety_form import check_form, checking
from dashboard.ui.say import refused
from dashboard.ui.show import show
from dashboard.ui.status import PRIORITY
from dashboard.ui.view import Block, Heading, Lead, Notice, Para, Slot, View
from dashboard.ui.words import day, plural
from pages import BY_NAME
from queries.engine import reading

PAGE = BY_NAME["enter"]
NOT_YOURS = "You can read what was entered here. Only the clinician of this episode, or a clinical director, can enter something."
GONE = "This is no longer there, or it came from a file. The list shows what stands now."


def build(data: Entered | None, *, public_id: str, ref: str = "", said: str = "") -> View:
    """One episode: the form, what it says now, every session and score with where it came from. ``ref``: what is changed."""
    if data is None:
        return View(PAGE.title, PAGE.question, "", None, [Para(NO_EPISODE), Slot("back")])
    episode = data.episode
    scope = f"You are seeing: one episode of {episode['clinician']} · {data.now.line}"
    changed = data.occasion(ref) if ref else None
    title = f"Add a session: {episode['client_code']}"
    if ref:
        title = f"Change what was entered: {episode['client_code']}" + (f", {day(changed.day)}" if changed else "")
    blocks: list[Block] = [Slot("back")]
    if said:
        blocks.append(Notice(said))
    if ref and (changed is None or not changed.can_be_changed):
        blocks.append(Notice(GONE))
    blocks += safety_blocks(data.safety, {})
    blocks.append(_state(data))
    blocks.append(Slot("form") if data.may else Notice(NOT_YOURS))
    if ref:
        return View(title, PAGE.question, scope, data.now.as_of, [*blocks, Slot("delete")])
    blocks += [
        Heading("Sessions and scores", _how_many(len(data.occasions))),
        Slot("undo"),
    ]
    blocks += occasion_blocks(data.occasions, data.made, data.instruments, public_id, data.may)
    blocks += earlier_blocks(data.earlier_sessions, data.earlier_scores, data.instruments)
    return View(title, PAGE.question, scope, data.now.as_of, [*blocks, Slot("episode")])


def _how_many(count: int) -> str:
    return f"{plural(count, 'entry', 'entries')}, the latest first" if count else ""


def _state(data: Entered) -> Lead:
    episode, state = data.episode, data.state
    if episode["closed_on"] is not None:
        return Lead(f"This episode is closed since {day(episode['closed_on'])}.", "")
    if state is None:
        return Lead("", f"Opened {day(episode['opened_on'])}. Nothing is entered yet.")
    note = (
        f"{plural(state['sessions_attended'], 'session')} · last session {day(state['last_attended_on'])} · "
        f"next booked {day(state['next_booked_on'])}" + (f" · {state['missing']}" if state["missing"] else "")
    )
    return Lead("", note, PRIORITY[state["priority"]])


def build_choice(choices: list[Choosable], viewer: Viewer) -> View:
    """Which episode? Found by typing its code."""
    whose = (
        "every open episode of the practice"
        if scope_for(viewer).clinician_ids is None
        else f"your {plural(len(choices), 'open episode')}"
    )
    blocks: list[Block] = [Slot("find")] if choices else [Para("No open episode is here yet. Begin with a new one.")]
    return View(PAGE.title, PAGE.question, f"You are seeing: {whose}", None, [*blocks, Slot("new")])


def _held(public_id: str, ref: str) -> dict[str, Any]:
    """What this opening of the form remembers; another episode or occasion is another opening."""
    held: dict[str, Any] = st.session_state.setdefault("_entry", {})
    if held.get("about") != (public_id, ref):
        held.clear()
        held.update(about=(public_id, ref), token=new_token(), answer=Answer())
    return held


def _saving(viewer: Viewer, public_id: str, held: dict[str, Any]) -> Callable[[Any], None]:
    def act(given: Any) -> None:
        number = given.get("number") if isinstance(given, dict) else 0
        heard = number if isinstance(number, int) else 0
        settings = runtime.settings()
        try:
            form = read_form(given)
            if form.token != held["token"]:
                return  # another opening of the form, which was saved
            new = enter_session(runtime.engine(), settings, viewer, public_id, form, settings.now())
        except Asked as asked:
            held["answer"] = Answer(heard, "", asked.questions)
        except SupervisionError as error:
            held["answer"] = Answer(heard, str(error))
        else:
            when = datetime.fromisoformat(form.day)
            words = f"Saved: {day(when.date())}." if new else f"Saved already: {day(when.date())}."
            held.update(token=new_token(), answer=Answer(heard), said=words, leave=form.seen is not None)

    return act


def _form(data: Entered, viewer: Viewer, public_id: str, ref: str, held: dict[str, Any]) -> None:
    if "sheet" not in held or held["sheet"].token != held["token"]:
        now = runtime.settings().now()
        held["sheet"] = data.change(held["token"], ref) if ref else data.sheet(held["token"], now)
    if held["sheet"] is not None:
        entry_form(held["sheet"], held["answer"], _saving(viewer, public_id, held), key="entry")


def _delete(data: Entered, viewer: Viewer, public_id: str, ref: str) -> None:
    found = data.occasion(ref)
    if found is None or not found.can_be_changed or not data.may:
        return
    if st.button("Delete this session with its scores" if found.session_by_hand else "Delete these scores"):
        settings = runtime.settings()
        try:
            delete_occasion(runtime.engine(), settings, viewer, public_id, ref, found.fingerprint, settings.now())
        except SupervisionError as error:
            refused(error)
            return
        _go(public_id, f"Deleted: {day(found.day)}. It can be brought back below.")
    st.caption("It stays known as it was until today, and can be brought back.")


def _undo(data: Entered, viewer: Viewer, public_id: str) -> None:
    words = deleted_words(data.deleted)
    if not words or not data.may:
        return
    if st.button(words):
        settings = runtime.settings()
        try:
            bring_back(runtime.engine(), settings, viewer, public_id, settings.now())
        except SupervisionError as error:
            refused(error)
            return
        _go(public_id, "Brought back.")


def _go(public_id: str, said: str) -> None:
    """Back to the list of an episode, with what was done."""
    st.session_state["_entry"] = {"about": (public_id, ""), "token": new_token(), "answer": Answer(), "said": said}
    st.query_params.from_dict({"episode": public_id})
    st.rerun()


def _back(public_id: str, ref: str) -> None:
    links = [("./", "Back to the caseload")]
    if public_id:
        links.append((f"episode?episode={quote(public_id)}", "The episode"))
        links.append(("enter", "Add a session to another episode"))
    if ref:
        links.insert(0, (f"enter?episode={quote(public_id)}", "Back to the list"))
    st.html(
        '<div class="sv"><p>'
        + " · ".join(f'<a href="{escape(href)}" target="_self">{words}</a>' for href, words in links)
        + "</p></div>"
    )


def _choose(viewer: Viewer) -> None:
    now = runtime.settings().now()
    with reading(runtime.engine()) as connection:
        choices = read_choices(connection, viewer, now, BACK_DAYS)
    if viewer.role is Role.DIRECTOR:  # everybody else chooses among their own
        note_page("open episodes", None)
    slots: dict[str, Callable[[], None]] = {
        "find": lambda: find_episode(choices, several_clinicians=viewer.role is Role.DIRECTOR),
        "new": new_episode_link,
    }
    show(build_choice(choices, viewer), slots)


def render() -> None:
    """The episode in the address with its form; without one the choice; ``new=episode`` the form for a new one."""
    viewer = current_viewer()
    public_id = st.query_params.get("episode", "")
    if not public_id:
        if st.query_params.get("new") == "episode":
            new_episode(viewer, _go)
        else:
            _choose(viewer)
        return
    ref = st.query_params.get("entry", "")
    with reading(runtime.engine()) as connection:
        data = read_episode(connection, viewer, public_id, runtime.settings().now())
    held = _held(public_id, ref)
    if held.pop("leave", False):
        _go(public_id, held.get("said", ""))
    slots = {"back": lambda: _back(public_id if data else "", ref)}
    if data is not None:
        note_opening(data.episode)
        slots |= {
            "form": lambda: _form(data, viewer, public_id, ref, held),
            "delete": lambda: _delete(data, viewer, public_id, ref),
            "undo": lambda: _undo(data, viewer, public_id),
            "safety": lambda: check_form(data.safety, runtime.settings().today(), checking(viewer)),
        }
        if data.may:
            slots["episode"] = lambda: episode_section(viewer, data, lambda said: _go(public_id, said), _go)
    show(build(data, public_id=public_id, ref=ref, said=held.pop("said", "")), slots)


if __name__ == "__main__":
    render()
