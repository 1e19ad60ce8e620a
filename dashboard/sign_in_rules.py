"""Settings of signing in: lists among them, and what is wrong with one in words."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dashboard.access import Role
from dashboard.errors import UnusableInput

if TYPE_CHECKING:
    from dashboard.settings import Settings

CALLBACK = "/oauth2callback"  # Streamlit's own route
LOCAL = ("localhost", "127.0.0.1", "::1")
PASSWORD_LENGTHS = (8, 64)  # ASVS 5.0, 6.2.1 and 6.2.9: never under 8, and 64 have to be permitted
WHOLE = ("max_sign_in_attempts", "max_sign_in_attempts_per_address", "lock_minutes")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def trusted_proxies(settings: Settings) -> list[str]:
    """The addresses and networks of proxies whose X-Forwarded-For is believed; by default this machine's where tls is on."""
    return _listed(settings.trusted_proxies) or (["127.0.0.1", "::1"] if settings.tls else [])


def second_factor_roles(settings: Settings) -> frozenset[Role]:
    """The roles that open nothing without a second factor."""
    return frozenset(Role(name) for name in _listed(settings.second_factor_roles))


def has_provider(settings: Settings) -> bool:
    """Whether single sign-on is set up."""
    return bool(settings.oidc_discovery_url)


def _check_web(name: str, value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
        raise UnusableInput(f"Setting '{name}' is '{value}'. Use an address that begins with https://.")


def _check_provider(settings: Settings) -> None:
    given = {
        "oidc_discovery_url": settings.oidc_discovery_url,
        "oidc_client_id": settings.oidc_client_id,
        "oidc_redirect_uri": settings.oidc_redirect_uri,
        "oidc_client_secret": settings.oidc_client_secret or settings.oidc_client_secret_file,
    }
    if not any(given.values()):
        return
    if missing := next((name for name, value in given.items() if not value), None):
        where = "SUPERVISION_OIDC_CLIENT_SECRET or oidc_client_secret_file" if missing.endswith("secret") else missing
        raise UnusableInput(f"Single sign-on is set up in part: '{missing}' is missing. Give {where}, or none of them.")
    _check_web("oidc_discovery_url", settings.oidc_discovery_url)
    _check_web("oidc_redirect_uri", settings.oidc_redirect_uri)
    if urlsplit(settings.oidc_redirect_uri).path != CALLBACK:
        raise UnusableInput(f"Setting 'oidc_redirect_uri' has to end in {CALLBACK}, right after the host's name.")


def check_sign_in(settings: Settings) -> None:
    """Raises UnusableInput for settings of signing in that cannot be meant."""
    for name in WHOLE:
        if getattr(settings, name) < 1:
            raise UnusableInput(f"Setting '{name}' is {getattr(settings, name)}. Use a whole number from 1 up.")
    least, most = PASSWORD_LENGTHS
    if not least <= settings.password_min_length <= most:
        raise UnusableInput(
            f"Setting 'password_min_length' is {settings.password_min_length}. Use a whole number from {least} to {most}."
        )
    for name in _listed(settings.second_factor_roles):
        if name not in set(Role):
            raise UnusableInput(f"Setting 'second_factor_roles' names '{name}'. Choose among: {', '.join(Role)}.")
    for proxy in trusted_proxies(settings):
        try:
            ip_network(proxy)
        except ValueError:
            raise UnusableInput(
                f"Setting 'trusted_proxies' names '{proxy}'. Use addresses or networks such as 10.0.0.0/8, comma between them."
            ) from None
    if settings.oidc_second_factor not in ("provider", "here"):
        raise UnusableInput(f"Setting 'oidc_second_factor' is '{settings.oidc_second_factor}'. Use provider or here.")
    _check_provider(settings)
