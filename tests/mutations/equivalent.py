"""Checks whose absence changes nothing that anybody could notice, each with the reason; the command prints them."""

from __future__ import annotations

_DRAWN = "the form is drawn for those roles alone, in the same rerun"
_AGAIN = "what it calls asks the same before anything is read or written: "
_EMPTY = "an empty scope has no evaluation to read: refused in other words"
_NO_WHO = "says nothing about who may: "

# the beginning of a check's name (``--list`` prints them) to why it is no hole
EQUIVALENT: dict[str, str] = {
    "part dashboard.access.can_make_snapshot: not scope.is_empty": "nobody is in an empty scope, as the last part says",
    "part dashboard.access.can_write_in_meeting: viewer.clinician_id is not None": "no meeting is about null",
    "ask dashboard.assist.trying.try_out": _AGAIN + "known_instruments",
    "ask dashboard.assist.trying.load_tables": _AGAIN + "known_instruments",
    "ask dashboard.outcome_packet.outcomes_counts_draft": _EMPTY,
    "ask dashboard.packets.practice_draft": _EMPTY + "; who is outside was refused just before",
    "ask dashboard.snapshot_command.write_snapshot: check_can_make": _AGAIN + "the draft",
    "ask dashboard.supervising.prepare": _AGAIN + "queries.store_meetings.create",
    "ask queries.store_meetings.create": "its only caller, dashboard.supervising.prepare, has asked the same",
    "ask queries.safety.record_checks": "the rows that it asks about start from the same scope",
    "ask queries.store_growth._own": "growth_goals._own_scope has refused an administrator, and the record is the viewer's own",
    "refuse dashboard.growth_goals._own_scope": _AGAIN + "queries.store_growth._own",
    "ask dashboard.ui.assistant_state.work_of": _DRAWN,
    "ask dashboard.ui.upload_form": _DRAWN,
    "ask pages.people._add.act": _DRAWN,
    "ask pages.people._change.act": _DRAWN,
    "ask pages.people.render": "check_can_open has asked before the page is run",
    "guard dashboard.web.headers.SecurityHeaders": _NO_WHO + "headers of other kinds of connection",
    "guard dashboard.web.script_errors": _NO_WHO + "words for an error",
    "guard dashboard.web.headers._secure_cookies": _NO_WHO + "an answer that sets no cookie",
    "guard dashboard.web.policy.cache_control": _NO_WHO + "how long a program file is kept",
    "guard dashboard.web.seldom": _NO_WHO + "how often a line is written to the log",
    "guard dashboard.signin.routes.ProviderWords": _NO_WHO + "words where a provider does not answer",
    "guard dashboard.signin.passwords.check_policy": _NO_WHO + "how long a password has to be",
    "guard dashboard.signin.gate._form: nobody": _NO_WHO + "the words before the first person was added",
    "guard queries.sessions.end: row is None": "a session that is not there ends in an error, nothing is ended",
    "narrowed pages.retention.render": "counts of others in scope, which the same page shows without the narrowing",
    "ask dashboard.downloads.open_link": _AGAIN + "the kind's own function",
    "ask dashboard.snapshots.stored_file": "downloads.open_link has asked; an administrator's scope holds no snapshot",
    "ask dashboard.entering_episodes.open_episode": "clinicians_for has left out whomever the viewer may not enter for",
    "ask dashboard.outcome_packet.outcomes_draft": "narrowed has refused who is outside",
    "ask dashboard.packets.caseload_draft": "narrowed refuses who is outside",
    "ask dashboard.snapshot_command": "the draft asks again; an administrator's scope is empty",
    "mask queries.exports.audit": "without it an administrator reads less, not more",
    "refuse dashboard.packets.practice_draft": "check_can_make_snapshot refuses who is outside",
    "ask pages.outcomes.load": "asked only where the look is already that of a clinical director",
}
