"""Passwords: at least twelve characters, at most what bcrypt takes, stored as bcrypt hashes only."""

from __future__ import annotations

import secrets

import bcrypt

from dashboard.errors import UnusableInput

COST = 12
SHORTEST = 12
LONGEST_BYTES = 72  # bcrypt reads no further
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters that are mistaken for one another
RANDOM_LENGTH = 14


def random_password() -> str:
    """Fourteen random characters that can be read aloud (about 69 bits)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))


def hashed(password: str) -> str:
    """The bcrypt hash. Raises UnusableInput for a password that is too short or too long."""
    if len(password) < SHORTEST:
        raise UnusableInput(f"A password needs at least {SHORTEST} characters.")
    if len(password.encode()) > LONGEST_BYTES:
        raise UnusableInput(f"A password can have at most {LONGEST_BYTES} bytes.")
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()


def matches(password: str, password_hash: str) -> bool:
    """Whether the password is the one that was hashed."""
    raw = password.encode()
    return len(raw) <= LONGEST_BYTES and bcrypt.checkpw(raw, password_hash.encode())
