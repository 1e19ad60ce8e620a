"""What binds the rows of the audit to each other: each is hashed together with the hash of the row before it.

Whoever changes, removes, inserts or swaps rows afterwards breaks the chain at that place; whoever rewrites everything from
there on changes the last hash, the head, so a head that was kept elsewhere shows it. (Schneier and Kelsey, Secure audit logs to
support computer forensics, ACM TISSEC 2(2), 1999, pages 159-176; linking goes back to Haber and Stornetta, How to time-stamp a
digital document, Journal of Cryptology 3(2), 1991, pages 99-111. The byte before what is hashed keeps details and rows apart,
as RFC 9162, section 2.1.1, does with leaves and nodes.)

A row's text detail goes in by the hash of a random salt and the text. Text and salt can so be erased, with the client's words in
them, and nobody can find the text again by trying; the chain stays provable.

The encoding is fixed: rows written with it must always be provable.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

START = "0" * 64  # what the first row of a database names as the hash before it
ERASED = "[erased]"  # what stands in the place of an erased detail
SALT_BYTES = 32  # project default: as many as the hash has
DETAIL, ROW = b"\x00", b"\x01"

Value = str | int | None


@dataclass(frozen=True)
class Sealed:
    """What a row's hash is made of. ``at`` to the microsecond; ids are the database's own."""

    previous: str
    id: int
    at: datetime
    practice_id: int | None
    username: str
    action: str
    clinician_id: int | None
    episode_id: int | None
    purpose: str | None
    detail_hash: str | None


def encoded(values: Sequence[Value]) -> bytes:
    """Values one after the other, each with its kind and length, so that no two sequences have the same bytes."""
    parts = []
    for value in values:
        if value is None:
            parts.append(b"-")
            continue
        kind = b"s" if isinstance(value, str) else b"i"
        content = str(value).encode()
        parts.append(kind + str(len(content)).encode() + b":" + content)
    return b"".join(parts)


def new_salt() -> str:
    """A random salt for one detail, as hexadecimal digits."""
    return secrets.token_hex(SALT_BYTES)


def hash_of_detail(salt: str, detail: str) -> str:
    """What stands for a detail in its row's hash."""
    return hashlib.sha256(DETAIL + encoded((salt, detail))).hexdigest()


def hash_of_row(row: Sealed) -> str:
    """The row's own hash, which the next row names."""
    when = row.at.isoformat(sep=" ", timespec="microseconds")
    values = (
        row.previous, row.id, when, row.practice_id, row.username, row.action, row.clinician_id, row.episode_id,
        row.purpose, row.detail_hash,
    )  # fmt: skip
    return hashlib.sha256(ROW + encoded(values)).hexdigest()
