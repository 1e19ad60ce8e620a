"""Mutations of bytes and of lines, and a run that counts what they did to a reader."""

from __future__ import annotations

import faulthandler
import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dashboard.errors import UnusableInput

SECONDS = 10  # an input that takes longer is a hang
MEGABYTES = 1024
NASTY = (
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'''", b",", b";", b"\r", b"{", b"}", b"[[", b"]]", b"=", b"#", b"-1",
    b"1e999", b"nan", b"9" * 40, b"%", b"%Y", b"{}", b"{x}", b"\\u0000", b"true", b"1979-05-27", b"\xf0\x9f\x98\x80",
    b"\xe2\x80\xae", b"unpivot.value", b"_all", b"_row", b"file", b"line", b'once_by = "_all"\n', b"[[table.where]]\n",
    b"in = []\n", b"times = 1e300\n",
)  # fmt: skip


@dataclass
class Counts:
    """What a run did: inputs read, refused in words, anything else (with the input's number), slowest input, peak memory."""

    read: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def peak_mb(self) -> float:
        """The most memory that this process has held, in megabytes."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def line(self, name: str) -> str:
        """One line for the terminal."""
        return (
            f"{name}: {self.read + self.refused + len(self.wrong):,} inputs, {self.read:,} read, {self.refused:,} refused, "
            f"{len(self.wrong)} wrong, slowest {self.slowest:.2f} s, peak {self.peak_mb:.0f} MB"
        )


def mutated(seed: bytes, draw: random.Random) -> bytes:
    """The seed with one to eight changes: bytes flipped, cut, doubled or replaced, lines moved, doubled or dropped."""
    data = bytearray(seed)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        place = draw.randrange(len(data) + 1)
        match draw.randrange(7):
            case 0 if data:
                data[place % len(data)] ^= 1 << draw.randrange(8)
            case 1:
                del data[place : place + draw.randint(1, 40)]
            case 2:
                data[place:place] = data[place : place + draw.randint(1, 80)]
            case 3:
                data[place : place + draw.randint(0, 8)] = draw.choice(NASTY)
            case 4:
                lines = data.split(b"\n")
                lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines))
                data = bytearray(b"\n".join(lines))
            case 5:
                lines = data.split(b"\n")
                del lines[draw.randrange(len(lines))]
                data = bytearray(b"\n".join(lines))
            case _:
                words = data.split(b" ")
                one, other = draw.randrange(len(words)), draw.randrange(len(words))
                words[one], words[other] = words[other], words[one]
                data = bytearray(b" ".join(words))
    return bytes(data)


def hammer(
    read: Callable[[bytes, random.Random], object],
    seeds: list[bytes],
    inputs: int,
    start: int = 0,
    mutate: Callable[[bytes, random.Random], bytes] = mutated,
) -> Counts:
    """Reads ``inputs`` mutated seeds; only UnusableInput may come of one. A hang ends the process with where it hung."""
    counts = Counts()
    for number in range(start, start + inputs):
        draw = random.Random(number)
        data = mutate(draw.choice(seeds), draw)
        faulthandler.dump_traceback_later(SECONDS, exit=True, file=sys.__stderr__)
        began = time.perf_counter()
        try:
            read(data, draw)
            counts.read += 1
        except UnusableInput:
            counts.refused += 1
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of a native library is no Exception
            counts.wrong.append(f"input {number}: {type(error).__name__}: {str(error)[:200]}")
        finally:
            faulthandler.cancel_dump_traceback_later()
        counts.slowest = max(counts.slowest, time.perf_counter() - began)
        if counts.peak_mb > MEGABYTES:
            counts.wrong.append(f"input {number}: more than {MEGABYTES} MB")
            break
    return counts
