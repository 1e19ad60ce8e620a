"""Two families of error: for people using the app, and for developers."""

from __future__ import annotations

from dashboard.harmless import message as told


class SupervisionError(Exception):
    """Something a person can mend. The message says what happened, to which file, row or setting, and what to do next.

    A message may repeat what somebody typed or a file holds: it is kept clean, on one line and short.
    ``exit_code`` is what the command line ends with: 1 failed, 2 wrong call or unusable input (nothing written).
    """

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        """Keeps the message."""
        super().__init__(told(message))


class UnusableInput(SupervisionError):
    """A call or a file that cannot be used; nothing was written."""

    exit_code = 2


class DatabaseUnavailable(SupervisionError):
    """The database is full, read-only, busy, away or does not open; nothing was written, and trying again may do.

    ``calm``: what a page says of it, without names of machines, files and people.
    """

    def __init__(
        self, message: str, calm: str = "The data cannot be reached at this moment. Try again in a minute."
    ) -> None:
        """Both texts are for people: the message for whoever runs the program, the other for whoever reads a page."""
        super().__init__(message)
        self.calm = calm


class NotAllowed(SupervisionError):
    """The viewer may not do this. Worded the same whether or not the thing exists."""

    exit_code = 2


class ContractError(Exception):
    """A frame broke its contract: a mistake in our code, never shown to people."""
