"""People: who works here, who may sign in, and what are this practice's rules?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard import runtime
from dashboard.access import Role, Viewer, can_manage_people, check_can_manage_people, check_can_manage_staff, scope_for
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.people import (
    Person,
    add_person,
    disable_person,
    link_person,
    people,
    reset_person,
    reset_second_factor,
    set_person_email,
)
from dashboard.reach import staff_scope
from dashboard.settings import Rules, Settings
from dashboard.sign_in_rules import has_provider
from dashboard.ui.frame import current_viewer
from dashboard.ui.say import done, refused
from dashboard.ui.show import show
from dashboard.ui.staff_forms import Staff, read_staff, staff_blocks, staff_forms
from dashboard.ui.view import Block, Fold, Heading, Notice, Slot, Table, View
from dashboard.ui.words import MISSING, plural
from dashboard.what_if import rules_in_force
from pages import BY_NAME
from queries import practices
from queries.acting import widening
from queries.engine import reading

PAGE = BY_NAME["people"]
MEANS = {
    Role.CLINICIAN: "their own episodes",
    Role.SUPERVISOR: "their own and their supervisees' episodes",
    Role.DIRECTOR: "every episode of the practice, and may load files",
    Role.ADMIN: "people, rules and imports; no client data",
}


def _rules(settings: Settings, rules: Rules) -> list[list[str]]:
    numbers = [
        [name.replace("_", " "), str(value) if value != "" else MISSING] for name, value in rules.as_json().items()
    ]
    return [
        *numbers,
        ["session idle minutes", str(settings.session_idle_minutes)],
        ["session absolute hours", str(settings.session_absolute_hours)],
        ["sign-in attempts before a pause", str(settings.max_sign_in_attempts)],
        ["minutes of that pause", str(settings.lock_minutes)],
        ["shortest password", str(settings.password_min_length)],
        ["roles that need a second factor", settings.second_factor_roles or "none"],
        ["single sign-on", settings.oidc_label if has_provider(settings) else "off"],
    ]


def build(practice: str, everyone: Sequence[Person], settings: Settings, rules: Rules, staff: Staff) -> View:
    """Who may sign in, who works here, what each role sees, and the rules in force (changed in supervision.toml)."""
    rows = [
        [
            one.username,
            one.role,
            one.clinician or MISSING,
            one.email or MISSING,
            ("may sign in" if one.is_active else "disabled")
            + (", chooses a password next" if one.must_change else "")
            + (", has a second factor" if one.second_factor else ""),
        ]
        for one in everyone
    ]
    blocks: list[Block] = [
        Table("People who may sign in", ("User name", "Role", "Clinician id", "E-mail", "State"), rows),
        Slot("result"),
        Slot("add"),
        Slot("change"),
        *staff_blocks(staff),
        Heading("What each role sees"),
        Table("Roles", ("Role", "Sees"), [[role.value, words] for role, words in _means(settings).items()]),
        Heading(
            "This practice's rules",
            "Try and save numbers under About the signals; the rest is set in supervision.toml or SUPERVISION_* variables.",
        ),
        Fold("Show the rules", [Table("Rules in force", ("Setting", "Value"), _rules(settings, rules))]),
    ]
    if not any(one.role == Role.DIRECTOR and one.is_active for one in everyone):
        blocks.insert(0, Notice("Nobody can see the whole practice yet: add a clinical director."))
    return View(
        PAGE.title,
        PAGE.question,
        f"You are seeing: {plural(len(rows), 'person', 'people')} of {practice}",
        None,
        blocks,
    )


def build_staff(practice: str, staff: Staff) -> View:
    """Who works here, who is away and who supervises whom: what a clinical director changes."""
    count = staff.clinicians.height
    said = f"You are seeing: {plural(count, 'clinician')} of {practice}"
    return View(PAGE.title, PAGE.question, said, None, staff_blocks(staff))


def _means(settings: Settings) -> dict[Role, str]:
    if not settings.director_opens_with_reason:
        return MEANS
    asks = "counts of the practice, and for a while a caseload that they opened with a reason; may load files"
    return {**MEANS, Role.DIRECTOR: asks}


def _say(words: str, secret: str = "") -> None:
    st.session_state["_people_said"] = (words, secret)


def _result() -> None:
    if said := st.session_state.pop("_people_said", None):
        words, secret = said
        done(words)
        if secret:
            st.code(secret, language=None)
            st.caption("Shown once. Hand it over in person; a new one is asked for at the first sign-in.")


def _acted(act: Callable[[], None]) -> None:
    try:
        act()
    except SupervisionError as error:
        refused(error)
        return
    st.rerun()


def _add(viewer: Viewer, practice: str, clinician_ids: Sequence[tuple[str, str]]) -> None:
    names = dict(clinician_ids)
    with st.expander("Add a person"), st.form("add", border=False, clear_on_submit=False):
        username = st.text_input("User name", max_chars=40, help="Lower-case letters, digits, . _ -")
        role = st.selectbox("Role", [role.value for role in Role])
        email = st.text_input("E-mail, for single sign-on", max_chars=320, help="May stay empty.")
        clinician = st.selectbox(
            "Works as clinician", ["", *names], format_func=lambda one: f"{names[one]} ({one})" if one else "Nobody"
        )
        sent = st.form_submit_button("Add")
    if sent:

        def act() -> None:
            check_can_manage_people(viewer.role)
            now = runtime.settings().now()
            password = add_person(
                runtime.engine(), practice=practice, username=username.strip(), role=role or "", clinician=clinician or None,
                password=None, must_change=True, now=now, actor=viewer.username, email=email,
            )  # fmt: skip
            _say(f"{username} can sign in as {role}, with this password:", password)

        _acted(act)


def _change(
    viewer: Viewer, practice: str, everyone: Sequence[Person], clinician_ids: Sequence[tuple[str, str]]
) -> None:
    states = {one.username: one for one in everyone}
    names = dict(clinician_ids)
    verbs = (
        "Reset the password", "Disable", "Enable", "Link to a clinician", "Reset the second factor", "Set the e-mail",
    )  # fmt: skip
    with st.expander("Change a person"), st.form("change", border=False):
        username = st.selectbox("Who", list(states))
        verb = st.selectbox("What", verbs)
        clinician = st.selectbox(
            "Clinician (for a link)", ["", *names], format_func=lambda one: f"{names[one]} ({one})" if one else "Nobody"
        )
        email = st.text_input("E-mail (to set it)", max_chars=320, help="Left empty, it is taken away.")
        sent = st.form_submit_button("Do it")
    if not sent or not username:
        return

    def act() -> None:
        check_can_manage_people(viewer.role)
        now = runtime.settings().now()
        if verb == verbs[0]:
            password = reset_person(
                runtime.engine(), practice=practice, username=username, now=now, actor=viewer.username
            )
            _say(f"{username} has a new password; open sessions have ended:", password)
        elif verb == verbs[3]:
            link_person(
                runtime.engine(), practice=practice, username=username, clinician=clinician or None, now=now,
                actor=viewer.username,
            )  # fmt: skip
            _say(f"{username} now works as {clinician or 'nobody'}; open sessions have ended.")
        elif verb == verbs[4]:
            reset_second_factor(runtime.engine(), practice=practice, username=username, now=now, actor=viewer.username)
            _say(f"{username} signs in without a second factor now; open sessions have ended.")
        elif verb == verbs[5]:
            address = set_person_email(
                runtime.engine(), practice=practice, username=username, email=email, now=now, actor=viewer.username
            )
            _say(f"{username} is known to single sign-on as {address or 'nobody'}; open sessions have ended.")
        else:
            if username == viewer.username and verb == verbs[1]:
                raise UnusableInput("You cannot disable yourself. Ask another administrator.")
            active = verb == verbs[2]
            disable_person(
                runtime.engine(), practice=practice, username=username, now=now, active=active, actor=viewer.username
            )
            _say(f"{username} {'may sign in again' if active else 'can no longer sign in; open sessions have ended'}.")

    _acted(act)


def render() -> None:
    """Who works here, for a director; an administrator also adds, disables, enables, resets and links who may sign in."""
    viewer = current_viewer()
    check_can_manage_staff(viewer.role)
    with widening(staff_scope(scope_for(viewer))):
        _shown(viewer)


def _shown(viewer: Viewer) -> None:
    engine = runtime.engine()
    with reading(engine) as connection:
        practice = practices.name_of(connection, viewer.practice_id)
        clinician_ids = practices.clinician_names(connection, viewer.practice_id)
        staff = read_staff(connection, viewer, runtime.settings().today())
    if not can_manage_people(viewer.role):
        show(build_staff(practice, staff), {"staff": lambda: staff_forms(viewer, staff)})
        return
    everyone = people(engine, practice=practice)
    show(
        build(
            practice,
            everyone,
            runtime.settings(),
            rules_in_force(engine, runtime.settings(), viewer.practice_id),
            staff,
        ),
        {
            "staff": lambda: staff_forms(viewer, staff),
            "result": _result,
            "add": lambda: _add(viewer, practice, clinician_ids),
            "change": lambda: _change(viewer, practice, everyone, clinician_ids),
        },
    )


if __name__ == "__main__":
    render()
