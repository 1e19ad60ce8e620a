"""Status, change and attendance as icon and word: the icon is never alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """A word, its mark and its tone (orange, grey, muted, blue)."""

    icon: str
    word: str
    tone: str
    order: int


PRIORITY = {
    "talk_first": Status("◆", "Talk about first", "orange", 0),
    "worth_discussing": Status("◇", "Worth discussing", "orange", 1),
    "no_signals": Status("○", "No signals", "grey", 2),
    "not_enough_data": Status("◌", "Not enough data yet", "muted", 3),
}
CHANGE = {
    "recovered": Status("▲", "Recovered", "blue", 0),
    "reliable_improvement": Status("▲", "Reliable improvement", "blue", 1),
    "no_reliable_change": Status("●", "No reliable change yet", "grey", 2),
    "reliable_worsening": Status("▼", "Reliable worsening", "orange", 3),
    "not_enough_data": Status("◌", "Not enough data yet", "muted", 4),
}
ATTENDANCE = {
    "attended": ("a", "attended"),
    "no_show": ("x", "did not attend"),
    "late_cancelled": ("c", "cancelled late by client"),
    "cancelled_by_client": ("c", "cancelled by client"),
    "cancelled_by_clinician": ("c", "cancelled by clinician"),
    "booked": ("b", "booked"),
}
RUPTURE = {
    "none": "No marked fall",
    "open": "Possible rupture, open",
    "repaired": "Possible rupture, repaired",
    "unrepaired": "Possible rupture, not repaired",
    "unrated": "Possible rupture, not rated since",
    "not_enough_data": "Not enough ratings yet",
}
