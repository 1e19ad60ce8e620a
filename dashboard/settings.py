"""The practice's own rules, read once from ``SUPERVISION_*`` variables or ``supervision.toml``; frozen afterwards."""

from __future__ import annotations

import os
import tomllib
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs

from dashboard.errors import UnusableInput
from dashboard.reach import OPEN_MINUTES
from dashboard.sign_in_rules import check_sign_in

APP = "supervision"


@dataclass(frozen=True)
class Rules:
    """Numbers the signals use. Every one is a project default unless its comment names a source."""

    dropout_days: int = 42  # science 5.2 D2: no attended session for 42 days (30 and 60 as sensitivity)
    no_contact_days: int = 28  # contract: no-contact limit
    stale_measure_days: int = 21  # science 3.2 GREY: last score older than 21 days
    response_session: int = 6  # science 3.2 AMBER: late responders improve until session 6 (Saunders 2019)
    missed_of_recent: int = 2  # project default: missed appointments among the recent ones that raise the signal
    recent_appointments: int = 4  # project default: how many past appointments count as recent
    booking_grace_days: int = 7  # project default: days after a session before "nothing booked" is raised
    ceiling_sessions: int = 3  # science 4.5 (ii): three or more ratings at the maximum say nothing
    dropout_raised: float = 3.0  # science 5.4: more than three times the usual hazard is high
    early_alliance_from: int = 3  # science 7, F1: by session 3
    early_alliance_to: int = 6  # project default: until this session a low start counts as early
    preferred_outcome: str = ""  # an instrument key put first whatever its count

    def as_json(self) -> dict[str, Any]:
        """The rules as stored with an evaluation."""
        return asdict(self)


@dataclass(frozen=True)
class Settings:
    """One process's settings. ``timezone`` empty means the machine's."""

    db: str = ""
    practice: str = "My practice"
    timezone: str = ""
    week_start: str = "monday"
    host: str = "127.0.0.1"  # where `serve` listens; anything but this machine itself needs tls or --insecure-http
    tls: bool = False  # people reach us through a proxy that speaks TLS
    allowed_hosts: str = (
        ""  # names people reach us by, with commas; empty: this machine's, or any where `host` is public
    )
    trusted_proxies: str = ""  # whose X-Forwarded-For is believed, with commas; empty: this machine's where tls is on
    require_origin: bool = True  # a page's connection that does not say which site opened it is refused
    max_connections_per_address: int = 100  # project default: open pages of one address; an office may share one
    max_message_mb: int = 25  # Streamlit's own default: one message of a page, such as the drawings of a snapshot
    secrets_file: str = ""  # empty: beside the embedded database, else in the user's data folder
    log_format: str = "text"  # or json
    log_file: str = ""  # beside standard error
    session_idle_minutes: int = 15
    session_absolute_hours: int = 12
    max_sign_in_attempts: int = 5
    max_sign_in_attempts_per_address: int = 50  # project default: a practice often has one address for all
    lock_minutes: int = 15
    password_min_length: int = 12  # project default; NIST SP 800-63B-4 asks for 15 where there is no second factor
    second_factor_roles: str = ""  # roles, comma between them, that open nothing without a second factor
    oidc_discovery_url: str = ""  # single sign-on: the provider's .well-known/openid-configuration; empty: off
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)  # only from the environment; else oidc_client_secret_file
    oidc_client_secret_file: str = ""
    oidc_redirect_uri: str = ""  # this app's own address, as the provider knows it, ending in /oauth2callback
    oidc_label: str = "your organisation"  # after "Sign in with"
    oidc_second_factor: str = "provider"  # whose matter a second factor is after single sign-on: provider or here
    max_upload_mb: int = 200
    max_unpacked_mb: int = 2000
    min_closed_episodes: int = 10
    clinician_first_days: int = (
        0  # project default: no head start; days a clinician sees a signal before the supervisor
    )
    purpose_required: bool = False  # project default: a supervisor or director may look before saying what for
    share_experience: bool = False  # project default: colleagues are named by what they have seen once all agreed
    paper: str = "a4"  # of snapshots: a4 or letter
    key: str = field(default="", repr=False)  # of the encrypted embedded database; only from the environment
    key_file: str = ""
    key_keyring: str = ""  # true, or the name of an entry of the operating system's keyring
    backup_folder: str = ""  # empty: `backups` beside the database file
    backup_daily: int = 7  # project defaults, all three: automatic copies kept; 0 daily makes none
    backup_weekly: int = 4
    backup_monthly: int = 12
    retention_years: int = 0  # project default: off; years after the last ending until a client may be erased
    db_pool_size: int = 5  # project defaults, all of db_*: PostgreSQL connections kept, more at a rush, seconds
    db_pool_overflow: int = 15
    db_pool_wait_seconds: int = 20
    db_pool_recycle_seconds: int = 1800
    db_connect_seconds: int = 10
    db_page_seconds: int = 30  # one question of a page; commands, imports and evaluations have no limit
    db_idle_seconds: int = 60
    db_lock_seconds: int = 30
    db_role: str = ""  # PostgreSQL: the role that everything done for somebody takes (``supervision protect``)
    director_opens_with_reason: bool = False  # project default: a director reads every caseload without saying why
    open_minutes: int = OPEN_MINUTES  # how long a caseload opened with a reason stays open
    rules: Rules = Rules()

    def now(self) -> datetime:
        """The practice's wall clock, without an offset."""
        return datetime.now(ZoneInfo(self.timezone) if self.timezone else None).replace(tzinfo=None)

    def today(self) -> date:
        """The practice's day."""
        return self.now().date()

    @property
    def db_url(self) -> str:
        """The database: the setting, else one SQLite file in the user's data folder."""
        return self.db or default_db_url("practice")


def data_folder() -> Path:
    """The user's own folder for the embedded database and the demo's passwords."""
    return Path(platformdirs.user_data_dir(APP, appauthor=False))


def default_db_url(name: str) -> str:
    """The URL of an embedded database in the data folder."""
    return f"sqlite:///{data_folder() / f'{name}.sqlite'}"


def _typed(name: str, value: Any, kind: type) -> Any:
    try:
        if kind is bool:
            return (
                value
                if isinstance(value, bool)
                else {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[str(value).lower()]
            )
        return kind(value)
    except (KeyError, ValueError, TypeError):
        raise UnusableInput(
            f"Setting '{name}' is '{value}', which is not a {kind.__name__}. Correct it and try again."
        ) from None


def _filled(cls: type, given: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {
        f.name: _typed(f.name, given[f.name], hints[f.name])
        for f in fields(cls)
        if f.name in given and hints[f.name] is not Rules
    }


def load(environment: dict[str, str] | None = None) -> Settings:
    """Settings from ``supervision.toml`` (path in SUPERVISION_CONFIG) under the SUPERVISION_* variables.

    Raises UnusableInput for an unreadable file, an unknown name, a value of the wrong type or an unknown time zone.
    """
    env = dict(os.environ if environment is None else environment)
    given: dict[str, Any] = {}
    if path := env.get("SUPERVISION_CONFIG"):
        try:
            given = tomllib.loads(Path(path).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise UnusableInput(f"The settings file {path} could not be read: {error}.") from None
    if "key" in given:
        raise UnusableInput(f"{path}: a key does not belong into a settings file. Name a private file in 'key_file'.")
    if "oidc_client_secret" in given:
        raise UnusableInput(
            f"{path}: a client secret does not belong into a settings file. Name a private file in 'oidc_client_secret_file'."
        )
    rules = given.pop("rules", {})
    known = {f.name for f in fields(Settings)} | {f.name for f in fields(Rules)}
    if unknown := sorted((set(given) | set(rules)) - known):
        raise UnusableInput(f"{path}: unknown setting '{unknown[0]}'. Remove it or correct its name.")
    given |= rules
    given |= {key[len("SUPERVISION_") :].lower(): value for key, value in env.items() if key.startswith("SUPERVISION_")}
    settings = Settings(**_filled(Settings, given), rules=Rules(**_filled(Rules, given)))
    for name in (f.name for f in fields(Settings) if f.name.startswith(("backup_", "db_", "retention_"))):
        number = getattr(settings, name)
        if isinstance(number, int) and number < (1 if name == "db_pool_size" else 0):
            raise UnusableInput(f"Setting '{name}' is {number}. Use a whole number from {name == 'db_pool_size':d} up.")
    for name in ("max_upload_mb", "max_message_mb", "max_connections_per_address"):
        if getattr(settings, name) < 1:
            raise UnusableInput(f"Setting '{name}' is {getattr(settings, name)}. Use a whole number from 1 up.")
    if settings.log_format not in ("text", "json"):
        raise UnusableInput(f"Setting 'log_format' is '{settings.log_format}'. Use text or json.")
    check_sign_in(settings)
    if settings.open_minutes < 1:
        raise UnusableInput(f"Setting 'open_minutes' is {settings.open_minutes}. Use a whole number from 1 up.")
    if settings.paper not in ("a4", "letter"):
        raise UnusableInput(f"Setting 'paper' is '{settings.paper}'. Use a4 or letter.")
    if settings.timezone:
        try:
            ZoneInfo(settings.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise UnusableInput(
                f"Time zone '{settings.timezone}' is not known. Use a name like Europe/London."
            ) from None
    return settings
