"""Starting the pages: schema, today's evaluation, then the server."""

from __future__ import annotations

from dashboard import log_writing, logs
from dashboard.errors import UnusableInput
from dashboard.evaluation import ensure_current
from dashboard.exposure import check_exposure, is_public
from dashboard.keeping.automatic import keep_copying
from dashboard.logs import Event
from dashboard.opening import bring_up_to_date, engine_of
from dashboard.secrets_store import cookie_secret
from dashboard.settings import Settings
from queries import practices
from queries.acting import Door, acting
from queries.engine import reading


def serve(settings: Settings, port: int, *, insecure_http: bool = False) -> None:
    """Brings database and signals up to date and serves ``settings.host`` until interrupted.

    Raises UnusableInput for an address that others reach without TLS, and SupervisionError when the database is newer than
    this program or cannot be opened, the port is in use, or single sign-on is set up in part.
    """
    check_exposure(settings.host, settings, insecure_http=insecure_http)
    import uvicorn
    from streamlit.web import bootstrap

    from dashboard import configuration, runtime
    from dashboard.signin.provider import hand_over

    engine = engine_of(settings, pages=True)
    bring_up_to_date(engine, settings)
    with acting(Door.DATABASE):
        with reading(engine) as connection:
            known = practices.all_practices(connection)
        for practice_id in known:
            ensure_current(engine, settings, practice_id, settings.now())
    runtime.configure(settings, engine)
    hand_over(settings)
    # before the server module is imported, so that it sees our settings
    bootstrap.load_config_options(
        configuration.options(
            **{
                "server.address": settings.host,
                "server.port": port,
                "server.maxUploadSize": settings.max_upload_mb,
                "server.maxWidgetStateSize": settings.max_message_mb,
                "server.cookieSecret": cookie_secret(settings),
            }
        )
    )
    from dashboard.server import app
    from dashboard.web.listening import bound, server_config

    at = bound(settings.host, port)
    try:
        log_writing.configure(settings.log_format, settings.log_file)
    except OSError as error:
        raise UnusableInput(f"The log file {settings.log_file} cannot be written: {error.strerror}.") from None
    with log_writing.nothing_else():
        keep_copying(engine, settings)
        logs.log(Event.STARTED, port=at.getsockname()[1], public=int(is_public(settings.host)))
        uvicorn.Server(server_config(app, settings)).run(sockets=[at])
        logs.log(Event.STOPPED)
