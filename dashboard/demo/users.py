"""Who may sign in to the demo: a director, two supervisors, the clinicians, an administrator."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.access import Role
from dashboard.intake.batch import Batch


@dataclass(frozen=True)
class DemoUser:
    """A user name in lower case, a role, and the clinician record behind it (none for the administrator)."""

    username: str
    role: Role
    clinician_id: str | None
    display_name: str


def _username(name: str, taken: set[str]) -> str:
    first, last = name.lower().split()[:2]
    wanted = f"{first[0]}.{last}"
    number = 2
    while wanted in taken:
        wanted = f"{first[0]}.{last}{number}"
        number += 1
    taken.add(wanted)
    return wanted


def demo_users(batch: Batch) -> list[DemoUser]:
    """One person per clinician in the order of their ids, then the administrator."""
    taken = {"admin"}
    users = []
    rows = batch.tables["clinicians"].select("clinician_id", "display_name").rows()
    for number, (clinician_id, name) in enumerate(rows):
        supervises = 1 <= number <= 2 and len(rows) > 3
        role = Role.DIRECTOR if number == 0 else Role.SUPERVISOR if supervises else Role.CLINICIAN
        users.append(DemoUser(_username(name, taken), role, clinician_id, name))
    return [*users, DemoUser("admin", Role.ADMIN, None, "Administrator")]
