"""What happens when a page's own code fails: a reference for the person and for the log, and nothing else."""

from __future__ import annotations

from dashboard import logs
from dashboard.errors import DatabaseUnavailable, NotAllowed
from dashboard.logs import Event
from dashboard.ui.say import refused, waits


def on_script_error(error: Exception) -> bool:
    """Tells the person and the log; neither tells of a client. True: Streamlit shows nothing of its own."""
    if isinstance(error, DatabaseUnavailable):  # in a button's own function, before any page is drawn
        logs.warn(Event.DATABASE_AWAY, **logs.trouble(error))
        waits(error.calm)
        return True
    if isinstance(error, NotAllowed):
        waits(error)
        return True
    reference = logs.new_reference()
    logs.fail(Event.PAGE_FAILED, reference=reference, **logs.trouble(error))
    refused(f"Something went wrong on our side; nothing you did. Reference {reference}.")
    return True
