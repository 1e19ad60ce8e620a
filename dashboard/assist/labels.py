"""Our tables and columns in words for a screen."""

from __future__ import annotations

from typing import NamedTuple


class TableWords(NamedTuple):
    """A table's name and what one row of it is."""

    name: str
    row: str


TABLES = {
    "clinicians": TableWords("Clinicians", "one row for each clinician"),
    "leave": TableWords("Leave", "one row for each absence"),
    "supervision": TableWords("Supervision", "who supervises whom, from when to when"),
    "clients": TableWords("Clients", "one row for each client"),
    "episodes": TableWords("Episodes", "one row for each episode of care"),
    "appointments": TableWords("Appointments", "one row for each appointment"),
    "scores": TableWords("Scores", "answers or totals of a questionnaire"),
}
COLUMNS = {
    "clinician_id": "Clinician id",
    "display_name": "Name on screens",
    "started_on": "Started on",
    "ended_on": "Ended on",
    "is_trainee": "In training",
    "recorded_on": "Recorded on",
    "from": "From",
    "to": "To",
    "cover_id": "Covered by (clinician id)",
    "supervisor_id": "Supervisor (clinician id)",
    "supervisee_id": "Supervisee (clinician id)",
    "client_id": "Client id",
    "client_code": "Code on screens",
    "birth_year": "Year of birth",
    "gender": "Gender",
    "ethnicity": "Ethnicity",
    "episode_id": "Episode id",
    "opened_on": "Opened on",
    "referred_on": "Referred on",
    "closed_on": "Closed on",
    "ending": "Ending",
    "problem_area": "Problem area",
    "kind": "Kind",
    "planned_sessions": "Planned sessions",
    "preference_met": "Preference met",
    "change_requested_on": "Change requested on",
    "ending_recorded_on": "Ending recorded on",
    "appointment_id": "Appointment id",
    "starts_at": "Starts at",
    "status": "Status",
    "mode": "Mode",
    "booked_on": "Booked on",
    "taken_on": "Taken on",
    "instrument": "Instrument",
    "scale": "Scale",
    "value": "Value",
    "respondent": "Respondent",
}
