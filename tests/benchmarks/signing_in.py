"""From the click on "Sign in" to a drawn caseload, beside the same pages served without what was hardened."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Browser, sync_playwright

FOOTER = "Do not wait for supervision if someone may be at risk: follow"
HARDENED = ("-m", "dashboard", "serve", "--port")
PLAIN = ("-m", "tests.benchmarks.without_hardening")


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _served(command: tuple[str, ...], home: Path) -> Iterator[str]:
    port = _port()
    environment = os.environ | {"SUPERVISION_DB": f"sqlite:///{home / 'demo.sqlite'}", "XDG_DATA_HOME": str(home)}
    process = subprocess.Popen(
        [sys.executable, *command, str(port)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://localhost:{port}/healthz", timeout=1)
                break
            except (URLError, OSError):
                time.sleep(0.2)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _once(browser: Browser, url: str, name: str, password: str) -> float:
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    page.get_by_label("User name").fill(name)
    page.locator("input[type=password]").fill(password)
    began = time.perf_counter()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text(FOOTER).wait_for(timeout=60_000)
    page.get_by_role("button", name="Sign out").wait_for(timeout=60_000)
    took = time.perf_counter() - began
    context.close()
    return took


def run(times: int = 15) -> None:
    """Prints both medians, in turn in one browser, and their ratio (asked: at most 1.3)."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        made = subprocess.run(
            [sys.executable, "-m", "dashboard", "demo", "--no-serve", "--episodes", "200", "--clinicians", "8"],
            env=os.environ | {"SUPERVISION_DB": f"sqlite:///{home / 'demo.sqlite'}", "XDG_DATA_HOME": str(home)},
            cwd=home, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        people = {role: (name, word) for role, name, word in (line.split() for line in made.splitlines()[1:])}
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for role in ("clinician", "director"):
            took: dict[tuple[str, ...], list[float]] = {HARDENED: [], PLAIN: []}
            with _served(HARDENED, home) as hardened, _served(PLAIN, home) as plain:
                for number in range(times + 2):  # the first two of each warm up
                    for command, url in ((HARDENED, hardened), (PLAIN, plain)):
                        seconds = _once(browser, url, *people[role])
                        if number >= 2:
                            took[command].append(seconds)
            now, before = (statistics.median(took[one]) for one in (HARDENED, PLAIN))
            print(
                f"sign-in to caseload, {role}: {now:.2f} s, without hardening {before:.2f} s, "
                f"{now / before:.2f} times ({times} sign-ins each, in turn)"
            )
        browser.close()
