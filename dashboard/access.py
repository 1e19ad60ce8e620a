"""Who may see and do what: pure rules, each as a pair, ``can_x`` for the screen and ``check_can_x`` for the action."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from dashboard.errors import NotAllowed

NO_EPISODE = (
    "This episode is not in your caseload or your supervisees'. If that looks wrong, ask your clinical director."
)


class Role(StrEnum):
    """The four roles; each sees more rows or other pages, never both by accident."""

    CLINICIAN = "clinician"
    SUPERVISOR = "supervisor"
    DIRECTOR = "director"
    ADMIN = "admin"


@dataclass(frozen=True)
class Covered:
    """A clinician on leave for whom somebody covers, up to and including a day."""

    clinician_id: int
    name: str
    until: date


@dataclass(frozen=True)
class Viewer:
    """A signed-in person as the database knows them on this rerun.

    ``covers``: colleagues on leave today for whom they cover. ``gives_reasons``: a director of a practice that asks for a reason
    before one opens somebody else's caseload; ``opened_ids``: those they opened so. ``until``: the first moment from which any of
    this may be another (midnight, or when an opened caseload closes again); null where nobody asked the database.
    """

    username: str
    role: Role
    practice_id: int
    clinician_id: int | None = None
    supervisee_ids: frozenset[int] = frozenset()
    name: str = ""
    must_change: bool = False
    must_set_up: bool = False  # a second factor, which their role has to have here
    link_secret: str = field(default="", repr=False)  # signs the links of this practice, alike in every process
    purpose: str | None = None  # as in ``dashboard.looking``; null: not said
    covers: tuple[Covered, ...] = ()
    gives_reasons: bool = False
    opened_ids: frozenset[int] = frozenset()
    until: datetime | None = field(default=None, compare=False)

    @property
    def is_ready(self) -> bool:
        """False while something has to be done before anything opens: a password or a second factor of their own."""
        return not (self.must_change or self.must_set_up)


@dataclass(frozen=True)
class Scope:
    """Whose episodes a statement may touch. ``clinician_ids`` None means all of the practice (director, operator).

    ``whole_staff``: names, leave and links of everybody who works here may be read beside them; no client row.
    """

    practice_id: int
    clinician_ids: frozenset[int] | None
    reason: str
    whole_staff: bool = False

    @property
    def is_empty(self) -> bool:
        """True where no clinical row may be read at all."""
        return self.clinician_ids is not None and not self.clinician_ids


def scope_for(viewer: Viewer) -> Scope:
    """The rows a viewer works with: pages, meetings, snapshots, exports. An admin, or a clinician without a record, has none.

    A supervisor has a supervisee's on the days of the link, the last one included, and none on the day after: no old link, open
    page, stored snapshot or meeting that they led leads there any longer. What was signed is not lost to them by that: it stays
    with the clinician it is about, and with the clinical director.
    """
    own = frozenset() if viewer.clinician_id is None else frozenset({viewer.clinician_id})
    match viewer.role:
        case Role.DIRECTOR if viewer.gives_reasons:
            opened = own | viewer.supervisee_ids | viewer.opened_ids
            return Scope(
                viewer.practice_id, opened, "your own and your supervisees' episodes, and those opened with a reason"
            )
        case Role.DIRECTOR:
            return Scope(viewer.practice_id, None, "clinical director: all episodes of the practice")
        case Role.SUPERVISOR:
            return Scope(viewer.practice_id, own | viewer.supervisee_ids, "your own and your supervisees' episodes")
        case Role.CLINICIAN:
            return Scope(viewer.practice_id, own, "your own episodes")
        case _:
            return Scope(viewer.practice_id, frozenset(), "no client data for administrators")


def screen_scope(viewer: Viewer) -> Scope:
    """What the pages My caseload and Episode show: ``scope_for``, and the caseloads for which somebody covers today.

    Covering is for the clients: to read what is known, and to check a risk answer. It is no part of anything else: who covers
    answers no signals, enters no sessions, sees no goals or patterns of the colleague and takes nothing away on paper or as a
    file (contract: a clinician exports own rows). It is over on the day after the leave.
    """
    scope = scope_for(viewer)
    if not viewer.covers or scope.clinician_ids is None or viewer.role not in (Role.CLINICIAN, Role.SUPERVISOR):
        return scope
    ids = scope.clinician_ids | {one.clinician_id for one in viewer.covers}
    return Scope(scope.practice_id, ids, f"{scope.reason}, and {covering_words(viewer)}")


def covering_words(viewer: Viewer) -> str:
    """For whom somebody covers, and until when: covering for R. Okafor until 3 Dec 2026."""
    named = [f"{one.name} until {one.until.day} {one.until:%b %Y}" for one in viewer.covers]
    return f"covering for {' and '.join(named)}" if named else ""


def operator_scope(practice_id: int) -> Scope:
    """Whoever holds the database (a command without ``--as``): all rows, audited as such."""
    return Scope(practice_id, None, "operator of the database")


def narrowed(scope: Scope, clinician_id: int) -> Scope:
    """The scope of one clinician inside a wider one; NotAllowed when that clinician is outside it."""
    if scope.clinician_ids is not None and clinician_id not in scope.clinician_ids:
        raise NotAllowed("This caseload is not yours or your supervisees'. If that looks wrong, ask your director.")
    return Scope(scope.practice_id, frozenset({clinician_id}), scope.reason)


CLINICAL_TABLES = ("episodes", "flags", "sessions", "endings", "clinicians", "validation", "snapshot")


def can_export(role: Role, table: str) -> bool:
    """An admin exports no clinical table; everyone else exports their own scope."""
    return role is not Role.ADMIN or table not in CLINICAL_TABLES


def check_can_export(role: Role, table: str) -> None:
    """Raises NotAllowed where ``can_export`` is false."""
    if not can_export(role, table):
        raise NotAllowed(f"An administrator cannot export '{table}': it holds client data. Ask a clinical director.")


def can_import(role: Role) -> bool:
    """Directors and administrators load data."""
    return role in (Role.DIRECTOR, Role.ADMIN)


def check_can_import(role: Role) -> None:
    """Raises NotAllowed where ``can_import`` is false."""
    if not can_import(role):
        raise NotAllowed("Only a clinical director or an administrator can import files.")


def can_enter(viewer: Viewer, clinician_id: int) -> bool:
    """Clinicians and supervisors enter what happened in their own episodes, a clinical director in anyone's of the practice."""
    if viewer.role is Role.DIRECTOR:
        return reads(viewer, clinician_id)
    return viewer.role is not Role.ADMIN and viewer.clinician_id == clinician_id


def reads(viewer: Viewer, clinician_id: int) -> bool:
    """Whether a clinician's caseload is in the viewer's scope."""
    ids = scope_for(viewer).clinician_ids
    return ids is None or clinician_id in ids


def check_can_enter(viewer: Viewer, clinician_id: int) -> None:
    """Raises NotAllowed where ``can_enter`` is false."""
    if not can_enter(viewer, clinician_id):
        raise NotAllowed("Only the clinician of this episode, or a clinical director, can enter something into it.")


def can_hand_over(viewer: Viewer) -> bool:
    """A clinical director gives an episode to another clinician: it adds to somebody else's caseload."""
    return viewer.role is Role.DIRECTOR


def check_can_hand_over(viewer: Viewer) -> None:
    """Raises NotAllowed where ``can_hand_over`` is false."""
    if not can_hand_over(viewer):
        raise NotAllowed("Only a clinical director can give an episode to another clinician.")


def can_manage_staff(role: Role) -> bool:
    """Directors and administrators say who works here, who is away and who supervises whom; neither needs client data for it."""
    return role in (Role.DIRECTOR, Role.ADMIN)


def check_can_manage_staff(role: Role) -> None:
    """Raises NotAllowed where ``can_manage_staff`` is false."""
    if not can_manage_staff(role):
        raise NotAllowed("Only a clinical director or an administrator can change who works here.")


def can_manage_people(role: Role) -> bool:
    """Administrators add, disable and reset people."""
    return role is Role.ADMIN


def check_can_manage_people(role: Role) -> None:
    """Raises NotAllowed where ``can_manage_people`` is false."""
    if not can_manage_people(role):
        raise NotAllowed("Only an administrator can change who may sign in.")


def can_record_safety_check(viewer: Viewer, clinician_id: int) -> bool:
    """Anyone who may read the episode, who covers too, may record that a risk answer was followed up."""
    scope = screen_scope(viewer)
    return scope.clinician_ids is None or clinician_id in scope.clinician_ids


def check_can_record_safety_check(viewer: Viewer, clinician_id: int) -> None:
    """Raises NotAllowed where ``can_record_safety_check`` is false."""
    if not can_record_safety_check(viewer, clinician_id):
        raise NotAllowed(NO_EPISODE)


def can_answer_flag(viewer: Viewer, clinician_id: int) -> bool:
    """The episode's own clinician answers its signals or puts them off; nobody does it for them."""
    return viewer.role is not Role.ADMIN and viewer.clinician_id == clinician_id


def check_can_answer_flag(viewer: Viewer, clinician_id: int) -> None:
    """Raises NotAllowed where ``can_answer_flag`` is false."""
    if not can_answer_flag(viewer, clinician_id):
        raise NotAllowed("Only the clinician of this episode can answer its signals.")


def can_erase(role: Role) -> bool:
    """A clinical director has a client's data erased."""
    return role is Role.DIRECTOR


def check_can_erase(role: Role) -> None:
    """Raises NotAllowed where ``can_erase`` is false."""
    if not can_erase(role):
        raise NotAllowed("Only a clinical director can have a client's data erased.")


def can_change_rules(role: Role) -> bool:
    """Administrators save the numbers of the signal rules."""
    return role is Role.ADMIN


def check_can_change_rules(role: Role) -> None:
    """Raises NotAllowed where ``can_change_rules`` is false."""
    if not can_change_rules(role):
        raise NotAllowed("Only an administrator can save another number for a rule.")


def can_make_snapshot(scope: Scope, clinician_ids: frozenset[int]) -> bool:
    """Whoever may read every episode that it shows or counts; an admin reads none."""
    return (
        not scope.is_empty
        and bool(clinician_ids)
        and (scope.clinician_ids is None or clinician_ids <= scope.clinician_ids)
    )


def check_can_make_snapshot(scope: Scope, clinician_ids: frozenset[int]) -> None:
    """Raises NotAllowed where ``can_make_snapshot`` is false."""
    if not can_make_snapshot(scope, clinician_ids):
        raise NotAllowed(
            "This snapshot would hold episodes that are not yours or your supervisees'. Ask your director."
        )


def can_delete_snapshot(role: Role) -> bool:
    """A clinical director, with a reason."""
    return role is Role.DIRECTOR


def check_can_delete_snapshot(role: Role) -> None:
    """Raises NotAllowed where ``can_delete_snapshot`` is false."""
    if not can_delete_snapshot(role):
        raise NotAllowed("Only a clinical director can delete a snapshot.")


@dataclass(frozen=True)
class FirstLook:
    """The clinician sees a signal first: others' signals raised after ``since`` are not shown yet."""

    own_clinician_id: int | None
    since: date

    def shows(self, *, family: Any, raised_on: Any, state: Any, clinician_id: Any) -> Any:
        """Which signals somebody who has to wait may see: safety, old enough, replied to, or of their own episodes.

        The one condition, for columns of a statement and of a frame alike.
        """
        seen = (family == "safety") | (raised_on <= self.since) | (state == "answered") | (state == "snoozed")
        return seen if self.own_clinician_id is None else seen | (clinician_id == self.own_clinician_id)


def first_look(viewer: Viewer, days: int, today: date) -> FirstLook | None:
    """What a supervisor or director has to wait for; null where the practice gives clinicians no head start, or for them."""
    if days <= 0 or viewer.role not in (Role.SUPERVISOR, Role.DIRECTOR):
        return None
    return FirstLook(viewer.clinician_id, today - timedelta(days=days))


def counting_scope(of: Viewer | Scope) -> Scope:
    """The whole practice, for counts that hold no client row (completeness, intake); anyone in it may see those."""
    return Scope(of.practice_id, None, "counts of the whole practice")


NO_MEETING = "This meeting is not one of yours or your supervisees'. If that looks wrong, ask your clinical director."


def can_lead_meeting(viewer: Viewer, clinician_ids: frozenset[int]) -> bool:
    """A supervisor meets their supervisees, a clinical director anyone whose caseload is open to them; nobody else leads."""
    if viewer.role is Role.DIRECTOR:
        return all(reads(viewer, one) for one in clinician_ids)
    return viewer.role is Role.SUPERVISOR and bool(clinician_ids) and clinician_ids <= viewer.supervisee_ids


def check_can_lead_meeting(viewer: Viewer, clinician_ids: frozenset[int]) -> None:
    """Raises NotAllowed where ``can_lead_meeting`` is false."""
    if not can_lead_meeting(viewer, clinician_ids):
        raise NotAllowed("Only their supervisor or a clinical director can lead a meeting about these caseloads.")


def can_write_in_meeting(viewer: Viewer, leader: str, clinician_ids: frozenset[int]) -> bool:
    """Who leads a meeting and whom it is about write in it; a director who only reads it does not."""
    if viewer.role is Role.ADMIN:
        return False
    leads = viewer.username == leader and can_lead_meeting(viewer, clinician_ids)
    return leads or (viewer.clinician_id is not None and viewer.clinician_id in clinician_ids)


def check_can_write_in_meeting(viewer: Viewer, leader: str, clinician_ids: frozenset[int]) -> None:
    """Raises NotAllowed where ``can_write_in_meeting`` is false."""
    if not can_write_in_meeting(viewer, leader, clinician_ids):
        raise NotAllowed(NO_MEETING)


def can_choose_monitoring(viewer: Viewer, clinician_id: int) -> bool:
    """Each clinician decides for themselves whether their endings are followed one by one over time."""
    return viewer.role is not Role.ADMIN and viewer.clinician_id == clinician_id


def check_can_choose_monitoring(viewer: Viewer, clinician_id: int) -> None:
    """Raises NotAllowed where ``can_choose_monitoring`` is false."""
    if not can_choose_monitoring(viewer, clinician_id):
        raise NotAllowed("Each clinician decides for themselves whether their endings are followed over time.")


def can_audit_practice(viewer: Viewer) -> bool:
    """A clinical director looks at groups of clients and at the trustworthiness of scores; of the whole practice only."""
    return viewer.role is Role.DIRECTOR


def check_can_audit_practice(viewer: Viewer) -> None:
    """Raises NotAllowed where ``can_audit_practice`` is false."""
    if not can_audit_practice(viewer):
        raise NotAllowed("Only a clinical director can look at the practice by groups of clients.")


def can_write_goal(viewer: Viewer, clinician_id: int) -> bool:
    """A growth goal is the clinician's own: nobody sets, shares or closes it for them."""
    return viewer.role is not Role.ADMIN and viewer.clinician_id == clinician_id


def check_can_write_goal(viewer: Viewer, clinician_id: int) -> None:
    """Raises NotAllowed where ``can_write_goal`` is false."""
    if not can_write_goal(viewer, clinician_id):
        raise NotAllowed("A growth goal is the clinician's own. Only they can set, share or close it.")


def can_read_goal(viewer: Viewer, clinician_id: int, shared: bool) -> bool:
    """The clinician themselves; once they share it, also whoever supervises them, and the clinical director."""
    if viewer.role is Role.ADMIN:
        return False
    scope = scope_for(viewer)
    within = scope.clinician_ids is None or clinician_id in scope.clinician_ids
    return viewer.clinician_id == clinician_id or (shared and within)
