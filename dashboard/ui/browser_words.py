"""A browser in words, from what it says of itself: only to recognise one's own, since anybody can send any text."""

from __future__ import annotations

# the first that fits: most browsers name others, too
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "a Mac"),
    ("Linux", "Linux"),
)
UNKNOWN = "A browser that did not say its name"


def browser_in_words(agent: str | None) -> str:
    """Such as "Firefox on Windows"; never the text itself."""
    said = agent or ""
    browser = next((word for sign, word in BROWSERS if sign in said), "")
    system = next((word for sign, word in SYSTEMS if sign in said), "")
    if not browser and not system:
        return UNKNOWN
    return f"{browser or 'A browser'} on {system}" if system else browser
