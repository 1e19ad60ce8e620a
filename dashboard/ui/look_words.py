"""A row of the access log in words: what somebody did, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dashboard.access import Role
from dashboard.ui.purpose import purpose_words

OPERATOR = "operator"
ROLES = {
    Role.CLINICIAN: "clinician",
    Role.SUPERVISOR: "supervisor",
    Role.DIRECTOR: "clinical director",
    Role.ADMIN: "administrator",
}
KIND_WORDS = {"opened": "Opened", "exported": "Exported", "changed": "Changed", "refused": "Refused"}
OPENED = {
    "view caseload": "opened the caseload",
    "view caseloads": "looked over the caseloads",
    "view alliance": "opened Alliance and fit",
    "view retention": "opened Retention",
    "view outcomes": "opened Outcomes",
    "view meeting": "opened a meeting",
    "view meetings": "opened the list of meetings",
    "view snapshots": "opened the list of snapshots",
    "view snapshot": "read a snapshot",
    "view data quality": "opened Data quality",
    "view what another number would change": "tried another number for a rule on the caseloads",
    "view open episodes": "opened the list of open episodes",
}
OTHERS = {
    "import": "loaded files into the practice",
    "import undone": "undid an import",
    "export backup": "copied the whole database",
    "export digest": "printed the week as text",
    "export my visibility": "took this list away as a file",
    "change restore": "put an older copy of the database in place",
    "change erase": "erased a client's data",
}
# ids in addresses and hashes of content: nothing for people
_OPAQUE = re.compile(r",? ?\b(content )?[0-9a-f]{12,}\b ?")


def who_words(row: Mapping[str, Any]) -> tuple[str, str]:
    """Name and role."""
    if row["username"] == OPERATOR:
        return "Whoever holds the database", "a command, not a page"
    role = ROLES.get(row["role"], "no longer signs in")
    return str(row["name"]), role


def what_words(row: Mapping[str, Any]) -> str:
    """What was done, with the client's code where the episode is in the reader's own scope."""
    action = str(row["action"])
    said = OPENED.get(action) or OTHERS.get(action)
    if said is None:
        verb, _, rest = action.partition(" ")
        verbs = {"view": "opened", "export": "exported", "refuse": "was refused:", "change": "changed:"}
        said = f"{verbs.get(verb, verb)} {rest}".strip()
    if row["is_episode"]:
        code = row["client_code"]
        of = f"of {code}" if code else "that is not in this scope"
        said = f"opened the episode {of}" if action == "view episode" else f"{said}, in the episode {of}"
    elif row["is_whole"] and row["kind"] in ("opened", "exported") and action != "export backup":
        said += " of the whole practice"
    return said


def detail_words(row: Mapping[str, Any]) -> str:
    """What else was written down, without what only the program can read."""
    return _OPAQUE.sub("", str(row["detail"] or "")).strip(" ,:;")


def why_words(row: Mapping[str, Any]) -> str:
    """What it was for, as said in that session; commands and people who read only their own say nothing."""
    asked = row["role"] in (Role.SUPERVISOR, Role.DIRECTOR) or row["purpose"] is not None
    return purpose_words(row["purpose"]) if (asked and row["username"] != OPERATOR) or row["purpose"] else ""
