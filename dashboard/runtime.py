"""The process's engine and settings: set once by whoever starts the pages, made on first use otherwise."""

from __future__ import annotations

import secrets
from threading import Lock

from sqlalchemy import Engine

from dashboard import secrets_store
from dashboard import settings as configuration
from dashboard.opening import bring_up_to_date, engine_of
from dashboard.settings import Settings

_lock = Lock()
_ALONE = secrets.token_hex(32)  # for a process that serves nothing: no link of its own leaves it
_settings: Settings | None = None
_engine: Engine | None = None


def configure(settings: Settings, engine: Engine) -> None:
    """Names the settings and the migrated engine that every page of this process uses."""
    global _settings, _engine
    with _lock:
        _settings, _engine = settings, engine


def settings() -> Settings:
    """The settings in force."""
    engine()
    assert _settings is not None  # noqa: S101 - engine() has set it
    return _settings


def engine() -> Engine:
    """The engine in force; opened and migrated on first use."""
    global _settings, _engine
    with _lock:
        if _engine is None:
            _settings = _settings or configuration.load()
            _engine = engine_of(_settings, pages=True)
            bring_up_to_date(_engine, _settings)
        return _engine


def forget() -> None:
    """Lets go of both, so that the next use opens afresh."""
    global _settings, _engine
    with _lock:
        _settings = _engine = None


def link_secret() -> str:
    """What signs the links of downloads: shared by all replicas where pages are served. Raises UnusableInput for a bad file."""
    return _ALONE if _settings is None else secrets_store.link_secret(_settings)
