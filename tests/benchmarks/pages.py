"""Reruns of every page on the server, beside a bare Streamlit page with one table and one chart served in the same run."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.error import URLError

import polars as pl
import websockets
from sqlalchemy import Engine
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.access import scope_for
from dashboard.settings import Settings
from dashboard.supervising import prepare
from queries import caseload, meetings, people, sessions
from queries.engine import open_engine, reading, writing
from queries.frames import read_frame

BARE = """
import numpy as np, pandas as pd, plotly.express as px, streamlit as st
frame = pd.DataFrame(np.random.default_rng(1).normal(size=(60, 6)), columns=list("abcdef"))
st.title("Bare")
st.dataframe(frame)
st.plotly_chart(px.line(frame, y="a"))
"""
THINKING = 2.0  # seconds between two reruns of one person at many sessions, drawn evenly from 0 to twice this
SINGLE, EACH, MANY = 30, 8, 20
PAGES = (("", "director"), ("", "clinician"), ("episode", "clinician"), ("meeting", "supervisor"), ("prepare", "supervisor"),
         ("hold", "supervisor"), ("alliance", "clinician"),
         ("alliance", "director"), ("retention", "director"), ("outcomes", "director"),
         ("outcomes", "clinician"), ("data-quality", "director"), ("about-signals", "director"),
         ("people", "admin"))  # fmt: skip


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
                break
            except (URLError, OSError):
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(20)


class _Person:
    """One browser tab: a connection that asks for reruns and waits for their end."""

    def __init__(self, port: int, page: str, query: str, cookie: str | None) -> None:
        """Says where to connect; nothing is opened yet."""
        self.port, self.page, self.query, self.cookie = port, page, query, cookie

    async def __aenter__(self) -> _Person:
        """Connects and draws the page once, unmeasured."""
        headers = {"Cookie": self.cookie} if self.cookie else {}
        self.connection = await websockets.connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream", max_size=None, additional_headers=headers,
            origin=f"http://127.0.0.1:{self.port}", subprotocols=["streamlit"],  # type: ignore[list-item, arg-type]
        )  # fmt: skip
        self.message = BackMsg()
        self.message.rerun_script.query_string = self.query
        self.message.rerun_script.page_name = self.page
        for _ in range(2):
            await self.rerun()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the tab."""
        await self.connection.close()

    async def rerun(self) -> float:
        """Seconds from asking to the script's end."""
        began = time.perf_counter()
        await self.connection.send(self.message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(await self.connection.recv())  # type: ignore[arg-type]
            kind = answer.WhichOneof("type")
            if kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(answer.delta.new_element.exception.message)
            if kind == "script_finished":
                return time.perf_counter() - began


async def _single(port: int, page: str, query: str, cookie: str | None) -> list[float]:
    async with _Person(port, page, query, cookie) as person:
        return [await person.rerun() for _ in range(SINGLE)]


async def _many(port: int, page: str, query: str, cookie: str | None) -> list[float]:
    async def one(seed: int) -> list[float]:
        draw = random.Random(seed)
        async with _Person(port, page, query, cookie) as person:
            await asyncio.sleep(1)
            found = []
            for _ in range(EACH):
                await asyncio.sleep(draw.uniform(0, 2 * THINKING))
                found.append(await person.rerun())
            return found

    return [took for part in await asyncio.gather(*(one(seed) for seed in range(MANY))) for took in part]


def _quantiles(seconds: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return cuts[9] * 1000, cuts[18] * 1000


def _measure(port: int, page: str, query: str, cookie: str | None) -> tuple[float, float, float, float]:
    return (
        *_quantiles(asyncio.run(_single(port, page, query, cookie))),
        *_quantiles(asyncio.run(_many(port, page, query, cookie))),
    )


def _meeting(engine: Engine, username: str) -> tuple[str, int]:
    """A meeting of the supervisor's with one supervisee, and its first case."""
    settings = Settings()
    with reading(engine) as connection:
        viewer = people.viewer(connection, username, settings.today())
        assert viewer is not None
        about = read_frame(connection, caseload.clinicians(scope_for(viewer)))
    one = about.filter(pl.col("clinician_id").is_in(list(viewer.supervisee_ids)))["public_id"][0]
    public_id = prepare(
        engine, settings, viewer, [one], held_on=settings.today(), minutes=60, kind="one_to_one", now=settings.now()
    )
    with reading(engine) as connection:
        row = read_frame(connection, meetings.meetings(viewer, public_id=public_id)).row(0, named=True)
        items = read_frame(connection, meetings.items(viewer, row["meeting_id"]))
    case = items.filter(pl.col("position").is_not_null() & pl.col("episode_id").is_not_null())["item_id"][0]
    return public_id, case


def _signed_in(url: str) -> tuple[dict[str, str], dict[str, str]]:
    """A cookie for one person of each role, and the queries of an episode of the clinician's and of a meeting."""
    engine = open_engine(url)
    now = Settings().now()
    cookies: dict[str, str] = {}
    with reading(engine) as connection:
        listed = people.list_users(connection, 1)
        clinician = next(name for name, role, *_ in listed if role == "clinician")
        viewer = people.viewer(connection, clinician, now.date())
        assert viewer is not None
        episode = connection.exec_driver_sql(
            "SELECT e.public_id FROM episode e JOIN appointment a ON a.episode_id = e.id "
            f"WHERE e.clinician_id = {viewer.clinician_id} AND e.closed_on IS NULL GROUP BY e.id ORDER BY count(*) DESC"
        ).scalar()
    with writing(engine) as connection:
        for name, role, *_ in listed:
            if role not in cookies:
                cookies[role] = secrets.token_urlsafe(16)
                sessions.start(connection, name, cookies[role], secrets.token_urlsafe(8), now + timedelta(seconds=1))
    lead = next(name for name, role, *_ in listed if role == "supervisor")
    meeting, case = _meeting(engine, lead)
    engine.dispose()
    queries = {
        "episode": f"episode={episode}",
        "prepare": f"meeting={meeting}",
        "hold": f"meeting={meeting}&item={case}",
    }
    return {role: f"supervision_session={cookie}" for role, cookie in cookies.items()}, queries


def run() -> None:
    """Prints p50 and p95 of a rerun at 1 and 20 sessions for every page, with the ratio to the bare page's p95."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        url = f"sqlite:///{home / 'demo.sqlite'}"
        ours, bare = _port(), _port()
        environment = os.environ | {
            "SUPERVISION_DB": url,
            "XDG_DATA_HOME": name,
            "SUPERVISION_SESSION_IDLE_MINUTES": "600",
        }
        subprocess.run(
            [sys.executable, "-m", "dashboard", "demo", "--no-serve"], env=environment, check=True, capture_output=True
        )
        cookies, queries = _signed_in(url)
        script = home / "bare.py"
        script.write_text(BARE)
        bare_command = [
            sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(bare), "--server.headless", "true",
            "--browser.gatherUsageStats", "false",
        ]  # fmt: skip
        our_command = [sys.executable, "-m", "dashboard", "serve", "--port", str(ours)]
        with _process(bare_command, environment, bare):
            baseline = _measure(bare, "", "", None)
        print("pages: rerun on the server in ms, at 1 session p50/p95 and at 20 sessions p50/p95")
        print(f"  bare page: {baseline[0]:.0f}/{baseline[1]:.0f}, {baseline[2]:.0f}/{baseline[3]:.0f}")
        with _process(our_command, environment, ours):
            for page, role in PAGES:
                address = "meeting" if page in ("prepare", "hold") else page
                found = _measure(ours, address, queries.get(page, ""), cookies[role])
                print(
                    f"  {page or 'caseload'} as {role}: {found[0]:.0f}/{found[1]:.0f}, {found[2]:.0f}/{found[3]:.0f}, "
                    f"{found[3] / baseline[3]:.1f} times the bare page's p95 at 20"
                )
