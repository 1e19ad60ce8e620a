"""Checks whose absence changes nothing that anybody could notice, each with the reason; the command prints them."""

from __future__ import annotations

# part of a check's name (``--list`` prints them) to why it is no hole
EQUIVALENT: dict[str, str] = {}
