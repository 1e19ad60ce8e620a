"""The definitions of leaving early in words: what each is called, how it decides, and how a sentence ends with it."""

from __future__ import annotations

from dataclasses import dataclass

ENDING = {
    "planned": "planned ending",
    "mutual": "ended by agreement",
    "unilateral": "ended without a planned ending",
    "transferred": "transferred to another clinician",
    "moved": "moved away",
    "other": "another ending",
    "unknown": "ending not recorded",
}


@dataclass(frozen=True)
class Definition:
    """``name`` in lists, ``rule`` in a sentence, ``phrase`` after "had ended ...", ``short`` on a curve."""

    name: str
    rule: str
    phrase: str
    short: str


def definitions(dropout_days: int) -> dict[str, Definition]:
    """By key of ``ending_rules.DEFINITIONS``, in its order; ``dropout_days`` is the practice's limit."""
    silent = f"no session for {dropout_days} days and nothing booked"
    return {
        "own": Definition(
            "Coded ending, else no return",
            f"As the ending is coded; where none is coded, {silent}. The estimate below uses this one.",
            "without a planned ending",
            "without<br>a planned<br>ending",
        ),
        "d1": Definition(
            "D1 Coded as unilateral",
            "The clinician coded that the client stopped without agreement.",
            "without agreement (as coded)",
            "without<br>agreement<br>(as coded)",
        ),
        "d2": Definition(
            "D2 No return",
            f"{silent[0].upper()}{silent[1:]}, unless the ending was planned or mutual.",
            "with no return",
            "no return",
        ),
        "d3": Definition(
            "D3 Last appointment missed",
            "The last appointment was missed, nothing is booked, and the episode is closed or silent beyond the limit.",
            "after a missed last appointment",
            "last one<br>missed",
        ),
        "d4": Definition(
            "D4 Fewer sessions than planned",
            "Closed with fewer sessions than were planned, whatever the ending was called.",
            "before the planned number of sessions",
            "fewer than<br>planned",
        ),
        "d5": Definition(
            "D5 Closed without improvement",
            "Closed without reliable improvement and with the last score in the clinical range; needs two scores.",
            "without reliable improvement",
            "without<br>reliable im-<br>provement",
        ),
    }
