"""The second factor: codes of an authenticator app (RFC 6238) and ten codes on paper; each is good once.

Tries are charged to the same counters as passwords, and a password alone does not empty them. The app's secret has to be
readable, so it stands in the database as it is; the codes on paper are hashed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import re
import secrets
from datetime import datetime

import pyotp
import segno
from sqlalchemy import Engine

from dashboard.access import Viewer
from dashboard.errors import UnusableInput
from dashboard.settings import Settings
from dashboard.signin.accepted import Caller
from dashboard.signin.attempt import note_failure, reserve, settle
from dashboard.signin.passwords import ALPHABET
from queries import audit, credentials, second_factors
from queries.credentials import Credentials
from queries.engine import reading, writing

STEP_SECONDS = 30  # RFC 6238, 5.2: the default, and the one that every app knows
WINDOW = 1  # RFC 6238, 5.2: one step either way, for clocks that differ and for typing
DIGITS = 6
CODES = 10  # project default
CODE_LENGTH = 10  # of 31 characters: 49 bits; NIST SP 800-63B-4, 3.1.2.2, wants fewer than 112 salted and hashed slowly
SCRYPT = {"n": 2**14, "r": 8, "p": 5}  # OWASP Password Storage Cheat Sheet, the setting for 16 MiB
ISSUER = "Supervision"
WRONG = "That code did not work. Wait for the next one in your app, or use a recovery code. After several tries there is a pause."
NOT_THIS_ONE = "That code is not the one that belongs to this picture now. Try the next one in your app."
APP, PAPER = "code", "recovery code"


def _step(at: float) -> int:
    return int(at) // STEP_SECONDS


def matching_step(secret: str, typed: str, at: float) -> int | None:
    """The time step whose code was typed, within the window around ``at`` (seconds since 1970); null for none."""
    code = re.sub(r"\s", "", typed)
    if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", code):
        return None
    app = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    now = _step(at)
    near = range(now - WINDOW, now + WINDOW + 1)
    steps = [step for step in near if hmac.compare_digest(app.at(step * STEP_SECONDS), code)]
    return steps[-1] if steps else None


def _paper(typed: str) -> str:
    return re.sub(r"[^a-z0-9]", "", typed.lower())


def _hash(code: str, salt: str) -> str:
    return hashlib.scrypt(_paper(code).encode(), salt=bytes.fromhex(salt), dklen=32, **SCRYPT).hex()


def _new_codes() -> tuple[list[str], str, list[str]]:
    """(the codes as they are shown, their salt, their hashes)."""
    half = CODE_LENGTH // 2
    raw = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(CODES)]
    salt = secrets.token_hex(16)
    return [f"{one[:half]}-{one[half:]}" for one in raw], salt, [_hash(one, salt) for one in raw]


def _accept(engine: Engine, username: str, typed: str, now: datetime, at: float) -> str | None:
    with reading(engine) as connection:
        factor = second_factors.factor_of(connection, username)
    if factor is None or not factor.confirmed:
        return None
    step = matching_step(factor.secret, typed, at)
    if step is not None:
        with writing(engine) as connection:
            return APP if second_factors.spend_step(connection, factor.user_id, step) else None
    if factor.code_salt is None or len(_paper(typed)) != CODE_LENGTH:
        return None
    digest = _hash(typed, factor.code_salt)  # a tenth of a second: not inside a write transaction
    with writing(engine) as connection:
        return PAPER if second_factors.spend_code(connection, factor.user_id, digest, now) else None


def try_code(
    engine: Engine, settings: Settings, *, person: Credentials, typed: str, caller: Caller, now: datetime, at: float
) -> str | None:
    """APP or PAPER where the code was good and is spent now; null where it was wrong, used before, or tries are paused.

    ``at``: seconds since 1970. A person whose access changed since the password was given is nobody here.
    """
    reservation, same = reserve(engine, settings, person.username, caller, now)
    fresh = same is not None and same.token_version == person.token_version
    kind = _accept(engine, person.username, typed, now, at) if fresh else None
    if kind is None:
        note_failure(engine, person.username, reservation, now)
        return None
    settle(engine, settings, reservation, now, whole=True)
    return kind


def offer(engine: Engine, viewer: Viewer, now: datetime) -> str:
    """A new secret for somebody without a second factor; not in force before ``confirm``. Raises UnusableInput otherwise."""
    secret = pyotp.random_base32()
    with writing(engine) as connection:
        factor = second_factors.factor_of(connection, viewer.username)
        if factor is not None and factor.confirmed:
            raise UnusableInput("You have a second factor already. Remove it first.")
        person = credentials.by_name(connection, viewer.username)
        if person is None:
            raise UnusableInput("You can no longer sign in here. Ask your administrator.")
        second_factors.offer(connection, person.user_id, secret, now)
    return secret


def confirm(engine: Engine, viewer: Viewer, typed: str, now: datetime, at: float) -> list[str]:
    """Puts the offered app in force by one code of it; returns the recovery codes, which are shown once. Audited.

    Raises UnusableInput for a wrong code; nothing is in force then.
    """
    with reading(engine) as connection:
        factor = second_factors.factor_of(connection, viewer.username)
    step = None if factor is None or factor.confirmed else matching_step(factor.secret, typed, at)
    if factor is None or step is None:
        raise UnusableInput(NOT_THIS_ONE)
    codes, salt, hashes = _new_codes()
    with writing(engine) as connection:
        if not second_factors.confirm(connection, factor.user_id, factor.secret, step, now):
            raise UnusableInput(NOT_THIS_ONE)
        second_factors.replace_codes(connection, factor.user_id, salt, hashes)
        audit.record(
            connection,
            at=now,
            practice_id=viewer.practice_id,
            username=viewer.username,
            purpose=viewer.purpose,
            action="change second factor set up",
        )
    return codes


def renew_codes(engine: Engine, viewer: Viewer, now: datetime) -> list[str]:
    """Ten new recovery codes in place of the old ones. Audited. Raises UnusableInput where no second factor is in force."""
    codes, salt, hashes = _new_codes()
    with writing(engine) as connection:
        factor = second_factors.factor_of(connection, viewer.username)
        if factor is None or not factor.confirmed:
            raise UnusableInput("You have no second factor. Set one up first.")
        second_factors.replace_codes(connection, factor.user_id, salt, hashes)
        audit.record(
            connection,
            at=now,
            practice_id=viewer.practice_id,
            username=viewer.username,
            purpose=viewer.purpose,
            action="change recovery codes",
        )
    return codes


def picture(secret: str, username: str) -> str:
    """The QR code that an app reads, as an image address with everything in it: black on white, whatever the page's colours."""
    address = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(
        name=username, issuer_name=ISSUER
    )
    svg = io.BytesIO()
    segno.make(address, error="m").save(svg, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False)
    return "data:image/svg+xml;base64," + base64.b64encode(svg.getvalue()).decode()


def in_fours(secret: str) -> str:
    """The secret as people type it, in groups of four."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
