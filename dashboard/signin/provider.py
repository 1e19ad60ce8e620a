"""Single sign-on: what Streamlit is told of the provider, and what an answer of the provider is worth.

Streamlit runs the OpenID Connect code flow and keeps the answer in a signed cookie of its own for thirty days. Here that cookie
opens nothing: an answer counts while it is fresh, once, and for somebody whom this practice knows. After that the session in
our database counts, and the browser is told to drop Streamlit's cookie.
"""

from __future__ import annotations

import hashlib
import importlib.util
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from dashboard.errors import DatabaseUnavailable, NotAllowed, UnusableInput
from dashboard.keeping.key import private_text
from dashboard.settings import Settings
from dashboard.sign_in_rules import has_provider
from dashboard.signin.accepted import Accepted
from queries import audit, credentials, deployment, provider_answers, second_factors
from queries.engine import reading, writing

NAME = "practice"  # of the provider's part of Streamlit's secrets; no underscore, as Streamlit demands
COOKIES = "Streamlit cookies"
FRESH_SECONDS = 300  # project default: from the provider's answer to its use here, and how far its clock may be ahead
REFUSED = "refuse sign_in"
NOT_VERIFIED = (
    "{label} does not say that your e-mail address is verified, so it cannot be used to sign in here. "
    "Ask whoever runs {label}."
)
NO_EMAIL = "{label} did not say your e-mail address, so nobody can be found by it. Ask your administrator."
UNKNOWN = (
    "You are {email} at {label}, and nobody who may sign in here has that address. Ask your administrator to enter it."
)
AWAY = "{label} cannot be reached at this moment. Try again in a minute, or use your user name and password."
UNFINISHED = "Signing in with {label} did not finish. Try again, or use your user name and password."
NOT_SET_UP = "Signing in with {label} is not set up completely here. Use your user name, and tell your administrator."
_handed_over: dict[str, Any] | None = None


def in_words(sentence: str, label: str, **more: str) -> str:
    """One of the sentences above, about the provider of that name, beginning with a capital letter."""
    said = sentence.format(label=label, **more)
    return said[:1].upper() + said[1:]


@dataclass(frozen=True)
class Answer:
    """A fresh answer: a verified e-mail address, and the digest under which it is spent."""

    email: str
    digest: str


def check_installed(settings: Settings) -> None:
    """Raises UnusableInput where single sign-on is set up and its libraries are missing."""
    missing = [name for name in ("authlib", "httpx") if importlib.util.find_spec(name) is None]
    if has_provider(settings) and missing:
        raise UnusableInput(
            "Single sign-on needs more libraries. Install this program with its extra 'sso', or unset oidc_*."
        )


def _client_secret(settings: Settings) -> str:
    if settings.oidc_client_secret:
        return settings.oidc_client_secret
    return private_text(
        Path(settings.oidc_client_secret_file), "client secret file", "Put the secret in it that the provider gave out."
    )


def _cookie_word(engine: Engine) -> str:
    with reading(engine) as connection:
        kept = deployment.kept_secret(connection, COOKIES)
    if kept is not None:
        return kept
    try:
        with writing(engine) as connection:
            return deployment.shared_secret(connection, COOKIES)
    except DatabaseUnavailable:
        # where nothing can be saved, pages can still be read by those who are signed in; the word is then this process's own
        return secrets.token_hex(deployment.BYTES)


def hand_over(settings: Settings, engine: Engine) -> str:
    """Keeps what Streamlit has to know of the provider, in memory only; returns the word that signs Streamlit's cookies.

    The word is alike in every process on this database that could save it once. Raises UnusableInput where something is missing.
    """
    global _handed_over
    check_installed(settings)
    word = _cookie_word(engine)
    _handed_over = None
    if has_provider(settings):
        _handed_over = {
            "auth": {
                "redirect_uri": settings.oidc_redirect_uri,
                "cookie_secret": word,
                NAME: {
                    "client_id": settings.oidc_client_id,
                    "client_secret": _client_secret(settings),
                    "server_metadata_url": settings.oidc_discovery_url,
                },
            }
        }
    return word


def handed_over() -> dict[str, Any] | None:
    """What ``hand_over`` kept, for Streamlit; null without a provider."""
    return _handed_over


def answer_in(claims: Mapping[str, Any], label: str, at: float) -> Answer | None:
    """What the provider's claims amount to at ``at`` (seconds since 1970); null for no answer, or one that is not fresh.

    Raises NotAllowed, in words, for an answer without a verified e-mail address.
    """
    issued = claims.get("iat")
    if not claims.get("is_logged_in") or claims.get("provider") != NAME or not isinstance(issued, int | float):
        return None
    if abs(at - issued) > FRESH_SECONDS:
        return None
    email = claims.get("email")
    if not isinstance(email, str) or "@" not in email:
        raise NotAllowed(in_words(NO_EMAIL, label))
    if claims.get("email_verified") is not True and claims.get("email_verified") != "true":
        raise NotAllowed(in_words(NOT_VERIFIED, label))
    what = "\x1f".join(str(claims.get(name)) for name in ("iss", "sub", "aud", "iat", "nonce"))
    return Answer(email, hashlib.sha256(what.encode()).hexdigest())


def accept(engine: Engine, settings: Settings, answer: Answer, now: datetime) -> Accepted | None:
    """Spends an answer: whom it lets in; null where it was spent before. Nobody is ever added.

    Raises NotAllowed, in words and noted, where no active person has the address.
    """
    with writing(engine) as connection:
        if not provider_answers.spend(connection, answer.digest, now):
            return None
        person = credentials.by_email(connection, answer.email)
        if person is None:
            audit.record(
                connection, at=now, practice_id=None, username="unknown", action=REFUSED, detail="by the provider"
            )
        elif settings.oidc_second_factor == "here":
            factor = second_factors.factor_of(connection, person.username)
            return Accepted(person, factor is not None and factor.confirmed)
    if person is None:
        raise NotAllowed(in_words(UNKNOWN, settings.oidc_label, email=answer.email))
    return Accepted(person, False)
