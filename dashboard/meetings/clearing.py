"""What would clear each signal, in words: beside the rule, so that nobody has to guess what to watch for."""

from __future__ import annotations

CLEARS = {
    "risk_item": "A recorded check that it was followed up.",
    "reliable_worsening": "A score that is no longer worse than the first by more than measurement error.",
    "off_track": "A score inside the expected range of its session.",
    "no_improvement_by_6": "A reliably better score, or one on the community side of the cut-off.",
    "alliance_fall": "A rating near this client's own earlier level.",
    "rupture_open": "A rating at least half-way back, to within one spread of the earlier level.",
    "change_requested": "The request taken out of the episode's record, or the episode's end.",
    "early_alliance_low": "Ratings no longer among the lowest tenth of this practice, or the end of the early sessions.",
    "goal_task_below_bond": "A rating of goals and tasks level with the bond.",
    "preference_unmet": "The preference recorded as met, or the episode's end.",
    "no_contact": "A session, or a booking.",
    "dropout_raised": "Another session after which the estimate is lower, or a planned ending.",
    "missed_appointments": "Appointments kept, until fewer of the last ones were missed.",
    "nothing_booked": "A booking.",
    "no_recent_measure": "A score at or after the next session.",
    "ceiling": "A rating other than the best possible.",
}
