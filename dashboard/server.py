"""ASGI entry of the pages: what ``dashboard.web`` defines, put around Streamlit's app.

Everything heavy is imported before the first request and frozen: Streamlit collects garbage after every rerun, which costs
a tenth of a second with these libraries loaded unless they are out of the collector's sight.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy  # noqa: F401
import pandas  # noqa: F401
import plotly.graph_objects  # noqa: F401
import polars  # noqa: F401
import streamlit as st
import streamlit.delta_generator
from starlette.middleware import Middleware
from streamlit.web import bootstrap

from dashboard import configuration, log_writing, runtime
from dashboard.signin.provider import handed_over
from dashboard.signin.routes import ProviderWords
from dashboard.web.doors import Doors
from dashboard.web.guard import Guard
from dashboard.web.headers import SecurityHeaders
from dashboard.web.routes import WAYS
from dashboard.web.script_errors import on_script_error

if st.get_option("browser.gatherUsageStats"):  # our config.toml was not read: started from another folder
    bootstrap.load_config_options(configuration.options())


@asynccontextmanager
async def _lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Started by another server than ours (``uvicorn dashboard.server:app``): its log is as private as that of `serve`."""
    if not log_writing.is_configured():
        settings = runtime.settings()
        log_writing.configure(settings.log_format, settings.log_file)
    yield {}


gc.collect()
gc.freeze()

app = st.App(
    Path(__file__).with_name("app.py"),
    routes=[way.route() for way in WAYS],
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(Guard, doors=Doors(tuple(way.address for way in WAYS))),
        Middleware(ProviderWords),
    ],
    secrets=handed_over(),
    on_script_error=on_script_error,
    lifespan=_lifespan,
)
