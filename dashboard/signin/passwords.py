"""Passwords: long rather than odd, none that everybody tries first, stored as bcrypt hashes of a digest.

The rules are those of NIST SP 800-63B-4, 3.1.1.2, and OWASP ASVS 5.0, 6.2: length first, nothing about which characters, a
list of common passwords and of words that belong to the place, pasting allowed, no change without a reason.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache
from threading import Lock

import bcrypt

from dashboard.errors import UnusableInput

COST = 12  # OWASP Password Storage Cheat Sheet: bcrypt with a work factor of 10 or more; 12 is what was used before too
SHORTEST = 12  # project default; ASVS 6.2.1: at least 8. NIST asks for 15 where there is no second factor: a setting
LONGEST = 128  # ASVS 6.2.9: at least 64 have to be permitted
GUESSES = 10**6  # zxcvbn: fewer withstand no guessing over the net even where it is slowed down, as here
EXAMINED = 72  # characters that zxcvbn looks at, its own limit: the time it takes grows with the square
LEFT = 6  # project default: letters and digits that a password needs beside the words of the place
PRODUCT = ("supervision", "supervision dashboard", "dashboard")
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters that are mistaken for one another
RANDOM_LENGTH = 14
SCHEME = "hmac-sha256:"  # before the bcrypt hash of a digest; without it, a bcrypt hash of the password itself
BCRYPT_BYTES = 72  # bcrypt reads no further
SALT = slice(7, 29)  # of "$2b$12$" and 22 characters of salt
_examining = Lock()  # zxcvbn keeps the words of the place in a variable of its module

TOO_COMMON = "This password is one of those that are tried first. Choose a few words that do not belong together."
OF_THE_PLACE = (
    "This password is made mostly of your user name, the practice's name or this program's. Choose words that have "
    "nothing to do with them."
)
SAME = "This is the password you have now. Choose another one."


def random_password() -> str:
    """Fourteen random characters that can be read aloud (about 69 bits)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))


def normalised(password: str) -> str:
    """The password as it is hashed: one way of writing each letter, without blanks at its ends, as both authorities allow."""
    return unicodedata.normalize("NFKC", password).strip()


def _words_of_the_place(context: Iterable[str]) -> list[str]:
    found: list[str] = []
    for one in (*context, *PRODUCT):
        parts = [part for part in re.split(r"[\W_]+", one.lower()) if len(part) > 2]
        found += [one.lower(), "".join(parts), *parts]
    return sorted({one for one in found if one})


def check_policy(password: str, *, context: Iterable[str] = (), shortest: int = SHORTEST) -> None:
    """Raises UnusableInput, in words, for a password that is too short, too long, common, or of the place.

    ``context``: the user's and the practice's name.
    """
    chosen = normalised(password)
    if len(chosen) < shortest:
        raise UnusableInput(f"A password needs at least {shortest} characters. A few words you can remember are fine.")
    if len(chosen) > LONGEST:
        raise UnusableInput(f"A password can have at most {LONGEST} characters.")
    from zxcvbn import zxcvbn

    place = _words_of_the_place(context)
    if _left_without(chosen.lower(), place) < LEFT:
        raise UnusableInput(OF_THE_PLACE)
    with _examining:
        found = zxcvbn(chosen[:EXAMINED], user_inputs=place)
    if found["guesses"] <= GUESSES:
        of_place = any(part.get("dictionary_name") == "user_inputs" for part in found["sequence"])
        raise UnusableInput(OF_THE_PLACE if of_place else TOO_COMMON)


def _left_without(password: str, words: list[str]) -> float:
    """Letters and digits beside the words of the place; without end where it holds none of them."""
    rest = password
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ")
    return len(re.sub(r"[\W_]", "", rest)) if rest != password else float("inf")


def _digest(password: str, salt: str) -> str:
    # keyed with bcrypt's own salt, as passlib's bcrypt_sha256: a digest that leaked elsewhere is no use here, and
    # no password is cut at 72 bytes or ends at a zero byte
    code = hmac.new(salt.encode(), normalised(password).encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return base64.b64encode(code).decode()


def hashed(password: str) -> str:
    """What is stored of a password: bcrypt of its digest. Whether the password will do is for ``check_policy`` to say."""
    salt = bcrypt.gensalt(COST)
    return SCHEME + bcrypt.hashpw(_digest(password, salt.decode()[SALT]).encode(), salt).decode()


@cache
def nobodys_hash() -> str:
    """The hash of a password that nobody knows: what an unknown, disabled or paused name is compared with."""
    return hashed(secrets.token_hex(16))


def comparable(password: str, stored: str) -> tuple[str, str]:
    """What has to be compared by bcrypt, exactly once: (the password or its digest, the bcrypt hash)."""
    if not stored.startswith(SCHEME) and len(password.strip().encode("utf-8", "replace")) > BCRYPT_BYTES:
        stored = nobodys_hash()  # no hash of the old kind belongs to it
    if stored.startswith(SCHEME):
        plain = stored.removeprefix(SCHEME)
        return _digest(password, plain[SALT]), plain
    return password.strip(), stored


def outdated(stored: str) -> bool:
    """Whether a hash is of the old kind or was made at another cost, and is to be made anew when the password is next known."""
    return not stored.startswith(f"{SCHEME}$2b${COST:02d}$")
