"""The most memory that this process has held at once."""

from __future__ import annotations

import re
import resource
from pathlib import Path

PROCESS = Path("/proc/self")


def reset_peak() -> None:
    """Counts from now on; elsewhere than on Linux the peak stays that of the whole process."""
    if (PROCESS / "clear_refs").exists():
        (PROCESS / "clear_refs").write_text("5")


def peak_megabytes() -> float:
    """Since ``reset_peak``, or since the process began."""
    if (PROCESS / "status").exists():
        found = re.search(r"VmHWM:\s+(\d+)", (PROCESS / "status").read_text())
        if found:
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
