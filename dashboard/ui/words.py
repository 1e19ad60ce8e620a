"""Numbers and days on screen: as the instrument scores them, true minus, missing shown as a dash."""

from __future__ import annotations

from datetime import date

MISSING = "–"
LONG_WEEKS = 104  # beyond so many weeks nobody counts in weeks


def day(value: date | None) -> str:
    """20 Nov 2026."""
    return MISSING if value is None else f"{value.day} {value:%b %Y}"


def score(value: float | None) -> str:
    """Whole where whole, else one decimal."""
    if value is None:
        return MISSING
    text = f"{value:.0f}" if round(value, 1) == round(value) else f"{value:.1f}"
    return text.replace("-", "−")


def signed(value: float | None) -> str:
    """A change with its sign."""
    if value is None:
        return MISSING
    return f"+{score(value)}" if value > 0 else score(value)


def weeks(first: date | None, last: date) -> str:
    """How long, in whole weeks; in years from two years on."""
    if first is None:
        return "not started"
    count = max(0, (last - first).days // 7)
    if count == 0:
        return "under a week"
    if count >= LONG_WEEKS:
        return plural((last - first).days // 365, "year")
    return plural(count, "week")


def plural(count: int, one: str, many: str | None = None) -> str:
    """3 sessions, 1 session."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """Counts always; a percentage only from ten on."""
    if whole == 0:
        return "none"
    if whole < 10:
        return f"{part} of {whole}"
    return f"{part} of {whole} ({round(100 * part / whole)} %)"
