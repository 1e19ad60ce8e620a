"""``doctor``: what is well, and what to mend and how."""

from __future__ import annotations

import importlib.util
import os
import stat
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from dashboard import secrets_store
from dashboard.configuration import config_file
from dashboard.errors import SupervisionError
from dashboard.exposure import is_public
from dashboard.keeping.examining import examine_data
from dashboard.keeping.protecting import said
from dashboard.opening import engine_of
from dashboard.settings import Settings
from dashboard.sign_in_rules import has_provider, trusted_proxies
from dashboard.signin.provider import check_installed
from dashboard.snapshot.glyphs import covers
from dashboard.snapshot.local_drawing import browser
from queries.engine import normalised, reading
from queries.schema import revision_of

NOBODY = "none: install Chrome or Chromium there, or name it in BROWSER_PATH (.html and .zip need none)"
EARLIEST_PLAUSIBLE = datetime(2026, 1, 1)


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, whether it is well, and in words what to do where it is not."""

    what: str
    ok: bool
    words: str


def _database(settings: Settings) -> list[Finding]:
    url = normalised(settings.db_url)
    shown = url.render_as_string(hide_password=True)
    if url.drivername == "sqlite" and url.database and not Path(url.database).exists():
        return [Finding("database", True, f"{shown} is not there yet; `supervision serve` or `import` creates it")]
    try:
        engine = engine_of(settings)
        try:
            with reading(engine) as connection:
                connection.exec_driver_sql("SELECT 1")
            state = revision_of(engine)
            rows = Finding("row security", *said(engine, settings)) if state.current == state.newest else None
        finally:
            engine.dispose()
    except SupervisionError as error:
        return [Finding("database", False, str(error))]
    data = [Finding(*said) for said in examine_data(settings, settings.now())]
    migrations = Finding("migrations", state.known, state.words)
    return [Finding("database", True, f"{shown} answers"), migrations, *([rows] if rows else []), *data]


def _secrets(settings: Settings) -> list[Finding]:
    path = secrets_store.path_of(settings)
    try:
        found = secrets_store.read(settings)
    except SupervisionError as error:
        return [Finding("secrets", False, str(error))]
    if found is None:
        return [Finding("secrets", True, f"made at the first start, in the private file {path}")]
    oldest = min(found.made.values())
    age = (settings.today() - date.fromisoformat(oldest)).days
    old = "; `supervision secrets rotate` makes new ones" if age > secrets_store.OLD_DAYS else ""
    folder = stat.S_IMODE(path.parent.stat().st_mode)
    open_folder = os.name == "posix" and folder & 0o022
    words = f"{path}, private, made {date.fromisoformat(oldest):%d %b %Y}, mark {found.mark} (the same on every replica){old}"
    if open_folder:
        words = f"others can write into the folder {path.parent} (mode {folder:o}). Run: chmod go-w {path.parent}"
    return [Finding("secrets", not open_folder, words)]


def _serving(settings: Settings) -> list[Finding]:
    if is_public(settings.host) and not settings.tls:
        words = (
            f"{settings.host} without TLS: `serve` refuses it. Set SUPERVISION_TLS=true behind a proxy that speaks TLS"
        )
        return [Finding("serving", False, words)]
    if settings.tls and not settings.allowed_hosts:
        words = "behind TLS, by any name. Set SUPERVISION_ALLOWED_HOSTS to the names that people use"
        return [Finding("serving", False, words)]
    where = f"behind TLS, as {settings.allowed_hosts}" if settings.tls else "this machine only"
    return [Finding("serving", True, where)]


def _single_sign_on(settings: Settings) -> Finding:
    if not has_provider(settings):
        return Finding("single sign-on", True, "off")
    try:
        check_installed(settings)
    except SupervisionError as error:
        return Finding("single sign-on", False, str(error))
    return Finding("single sign-on", True, f"with {settings.oidc_label}; it answers to {settings.oidc_redirect_uri}")


def _addresses(settings: Settings) -> Finding:
    """Whose word counts for where a try to sign in comes from; a proxy elsewhere has to be named."""
    trusted = ", ".join(trusted_proxies(settings))
    return Finding("addresses", True, f"as the connection says; a proxy is believed at: {trusted or 'none'}")


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which a person would mend things."""
    now = settings.now()
    found = config_file()
    return [
        *_database(settings),
        Finding(
            "settings", True, f"practice '{settings.practice}', time zone {settings.timezone or 'of this machine'}"
        ),
        *_secrets(settings),
        *_serving(settings),
        _single_sign_on(settings),
        _addresses(settings),
        Finding(
            "clock", now >= EARLIEST_PLAUSIBLE, f"{now:%d %b %Y %H:%M} (if that is wrong, set the machine's clock)"
        ),
        Finding("app settings", found.is_file(), f"{found.name} found"),
        Finding("Excel files", importlib.util.find_spec("fastexcel") is not None, "can be read"),
        Finding("fonts", covers("Ångström ◆ ▲ −"), "the app and the PDF ship their own; nothing is fetched"),
        Finding(
            "PDF", True, f"made in the app by the reader's own browser; on the command line by {browser() or NOBODY}"
        ),
    ]
