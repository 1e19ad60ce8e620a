"""Figures drawn on this machine, for the command line: Kaleido with a Chrome that is installed here. Fetches nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from dashboard import log_writing
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.snapshot.content import Frozen
from dashboard.snapshot.freeze import PRINT_WIDTH

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
SECONDS = 60  # for one figure; the first one starts the browser
NO_BROWSER = (
    "A PDF needs Chrome or Chromium on this machine to draw the figures, and none was found. Install one (such as the package "
    "chromium) or name it in BROWSER_PATH; or write .html or .zip, or make the PDF in the app, where your browser draws."
)


def browser() -> str | None:
    """The browser that would draw; null where there is none."""
    named = os.environ.get("BROWSER_PATH")
    if named:
        return named if os.path.isfile(named) else None
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def require_browser() -> str:
    """The browser that would draw. Raises UnusableInput where none is installed."""
    path = browser()
    if path is None:
        raise UnusableInput(NO_BROWSER)
    return path


def draw(figures: Sequence[Frozen]) -> list[str]:
    """Each frozen figure as raw SVG.

    Raises UnusableInput where no browser is installed, SupervisionError where it could not draw.
    """
    if not figures:
        return []
    path = require_browser()
    try:
        # in a thread of its own: whoever calls may be inside an event loop already
        with ThreadPoolExecutor(1) as alone:
            return alone.submit(lambda: asyncio.run(_draw(figures, path))).result()
    except (OSError, RuntimeError, ValueError, TimeoutError) as error:
        raise SupervisionError(
            f"The browser {path} could not draw the figures ({type(error).__name__}). Name another one in BROWSER_PATH, or "
            "write .html or .zip instead."
        ) from None


async def _draw(figures: Sequence[Frozen], path: str) -> list[str]:
    import kaleido  # slow to import, and only wanted here

    log_writing.quiet("kaleido", "choreographer")
    # mathjax=False: it would be fetched from outside otherwise
    async with kaleido.Kaleido(n=1, timeout=SECONDS, mathjax=False, path=path) as drawer:
        drawings = []
        for one in figures:
            options = {"format": "svg", "width": PRINT_WIDTH, "height": one["height"]}
            drawings.append(bytes(await drawer.calc_fig(one["figure"], opts=options)).decode())
        return drawings
