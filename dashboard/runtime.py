"""The process's engine and settings: set once by whoever starts the pages, made on first use otherwise."""

from __future__ import annotations

from threading import Lock

from sqlalchemy import Engine

from dashboard import settings as configuration
from dashboard.opening import bring_up_to_date, engine_of
from dashboard.settings import Settings

_lock = Lock()
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
