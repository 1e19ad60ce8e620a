"""Starting the pages: schema, today's evaluation, then the server."""

from __future__ import annotations

from dashboard.evaluation import ensure_current
from dashboard.keeping.automatic import keep_copying
from dashboard.opening import bring_up_to_date, engine_of
from dashboard.settings import Settings
from queries import practices
from queries.acting import Door, acting
from queries.engine import reading


def serve(settings: Settings, host: str, port: int) -> None:
    """Brings database and signals up to date and serves until interrupted.

    Raises SupervisionError when the database is newer than this program or cannot be opened.
    """
    from streamlit.web import bootstrap

    from dashboard import configuration, runtime

    engine = engine_of(settings, pages=True)
    bring_up_to_date(engine, settings)
    with acting(Door.DATABASE):
        with reading(engine) as connection:
            known = practices.all_practices(connection)
        for practice_id in known:
            ensure_current(engine, settings, practice_id, settings.now())
    runtime.configure(settings, engine)
    keep_copying(engine, settings)
    options = configuration.options(**{"server.address": host, "server.port": port})
    bootstrap.load_config_options(options)  # before the server module is imported, so that it sees our settings
    from dashboard.server import app

    app.run(config=options)
