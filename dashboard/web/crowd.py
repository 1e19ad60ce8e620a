"""How many pages one address holds open at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Crowd:
    """Counts open connections by address. Used from the server's one event loop only, so it needs no lock."""

    def __init__(self) -> None:
        """Nobody is here yet."""
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, address: str, most: int) -> Iterator[bool]:
        """Whether there is room for one more of this address; it is counted until the block ends."""
        if self._open[address] >= most:
            yield False
            return
        self._open[address] += 1
        try:
            yield True
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]
