"""A PostgreSQL server of Debian's for tests and fault runs: started in a folder of its own, restarted, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

QUICK = (
    "-c fsync=off -c full_page_writes=off"  # a test's server may lose its data with the machine, not with the server
)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def debian_binaries() -> Path | None:
    """Where initdb and pg_ctl are; null without them, or as root without the means to run them as another user."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not found or (os.geteuid() == 0 and not shutil.which("runuser")):
        return None
    return found[-1].parent


def _run(command: list[str]) -> None:
    # initdb refuses root
    whole = ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command
    subprocess.run(whole, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


@dataclass(frozen=True)
class Server:
    """A running server: ``url`` of its first database."""

    url: str
    control: list[str]
    options: str
    log: Path

    def restart(self, mode: str = "immediate") -> None:
        """Stops it as a crash would (``immediate``) or cleanly (``fast``), and starts it again."""
        _run([*self.control, "-m", mode, "-o", self.options, "-l", str(self.log), "restart"])

    def stop(self, mode: str = "fast") -> None:
        """Stops it."""
        _run([*self.control, "-m", mode, "stop"])

    def start(self) -> None:
        """Starts it."""
        _run([*self.control, "-o", self.options, "-l", str(self.log), "start"])


@contextmanager
def debian_server(binaries: Path, durable: bool = False) -> Iterator[Server]:
    """``durable``: what was committed survives an immediate restart, as on a real server."""
    folder = Path("/tmp") / f"supervision-pg-{uuid.uuid4().hex[:8]}"  # noqa: S108 - the postgres user must reach it
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    port = free_port()
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {'' if durable else QUICK}"
    control = [str(binaries / "pg_ctl"), "-D", str(folder / "data"), "-w"]
    try:
        init = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "test", "-A", "trust", "-E", "UTF8"]
        _run([*init, "--locale=C.UTF-8"])
        server = Server(f"postgresql+psycopg://test@127.0.0.1:{port}/postgres", control, options, folder / "log")
        server.start()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):  # a test may have stopped it
                server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
