"""Starting the pages: schema, today's evaluation, then the server."""

from __future__ import annotations

import os

from dashboard.evaluation import ensure_current
from dashboard.keeping.automatic import keep_copying
from dashboard.opening import bring_up_to_date, engine_of
from dashboard.settings import Settings
from dashboard.sign_in_rules import trusted_proxies
from queries import practices
from queries.engine import reading


def believe_proxies(settings: Settings) -> None:
    """Tells uvicorn whose X-Forwarded-For and X-Forwarded-Proto count: the practice's proxies, and nobody where none is named.

    The address is then the last hop that is no such proxy. By itself uvicorn would believe whoever calls from this machine.
    """
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(trusted_proxies(settings))


def serve(settings: Settings, host: str, port: int) -> None:
    """Brings database and signals up to date and serves until interrupted.

    Raises SupervisionError when the database is newer than this program or cannot be opened, or single sign-on is set up in part.
    """
    from streamlit.web import bootstrap

    from dashboard import configuration, runtime
    from dashboard.signin.provider import hand_over

    engine = engine_of(settings, pages=True)
    bring_up_to_date(engine, settings)
    with reading(engine) as connection:
        known = practices.all_practices(connection)
    for practice_id in known:
        ensure_current(engine, settings, practice_id, settings.now())
    runtime.configure(settings, engine)
    # the only way by which Streamlit takes it from a program: alike in every process, so that any of them can read what
    # another one signed
    os.environ["STREAMLIT_SERVER_COOKIE_SECRET"] = hand_over(settings, engine)
    believe_proxies(settings)
    keep_copying(engine, settings)
    options = configuration.options(**{"server.address": host, "server.port": port})
    bootstrap.load_config_options(options)  # before the server module is imported, so that it sees our settings
    from dashboard.server import app

    app.run(config=options)
