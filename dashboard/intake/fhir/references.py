"""Who is meant by a reference: relative, absolute, urn:uuid of a Bundle, contained, or by identifier.

A reference is kept as the text ``Type/id`` where it says so itself. One that only the call can explain is kept with its
file's number and settled when every file has been read, because what it points to may come later.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

PLAIN = re.compile(r"^(?:https?://\S*/)?([A-Z][A-Za-z]{1,40})/([A-Za-z0-9\-._]{1,128})(?:/_history/\S*)?$")
LATER, OR = "\x1f", "\x1e"
BY_URL, BY_IDENTIFIER = "url", "identifier"


def _identifier(one: Any) -> str | None:
    if not isinstance(one, dict) or not isinstance(one.get("value"), str):
        return None
    system = one.get("system")
    return f"{system if isinstance(system, str) else ''}|{one['value']}"


class References:
    """What the files of a call say about which address or identifier is which resource."""

    def __init__(self) -> None:
        """Starts with no file."""
        self.file = 0
        self.urls: dict[tuple[int, str], str] = {}
        self.anywhere: dict[str, str] = {}
        self.identifiers: dict[str, set[str]] = {}

    def learn(self, resource: dict[str, Any], full_url: str | None) -> str | None:
        """The resource's own id; one without an id is known by the end of its address. Null where it has neither."""
        kind, own = resource["resourceType"], resource.get("id")
        if own is None and full_url:
            own = re.split(r"[:/]", full_url)[-1] or None
        if not isinstance(own, str):
            return None
        name = f"{kind}/{own}"
        if full_url and not PLAIN.match(full_url):
            self.urls[self.file, full_url] = name
            self.anywhere.setdefault(full_url, name)
        if kind in ("Patient", "Practitioner"):
            given = resource.get("identifier")
            for one in given if isinstance(given, list) else []:
                if key := _identifier(one):
                    self.identifiers.setdefault(f"{kind}|{key}", set()).add(name)
        return own

    def text(self, reference: Any, contained: Any, expected: str) -> str | None:
        """The text to keep for a Reference to an ``expected`` type; null where it names nothing that can be followed."""
        if not isinstance(reference, dict):
            return None
        target = reference.get("reference")
        if isinstance(target, str) and target.startswith("#"):
            return self._contained(target[1:], contained, expected)
        if isinstance(target, str) and target:
            found = PLAIN.match(target)
            if found:
                return f"{found[1]}/{found[2]}"
            return LATER.join((BY_URL, str(self.file), target, expected))
        key = _identifier(reference.get("identifier"))
        return LATER.join((BY_IDENTIFIER, str(self.file), key, expected)) if key else None

    def _contained(self, name: str, contained: Any, expected: str) -> str | None:
        for one in contained if isinstance(contained, list) else []:
            if isinstance(one, dict) and one.get("id") == name:
                if one.get("resourceType") == "PractitionerRole":
                    return self.text(one.get("practitioner"), contained, expected)
                given = one.get("identifier")
                for each in given if isinstance(given, list) else []:
                    if key := _identifier(each):
                        return LATER.join((BY_IDENTIFIER, str(self.file), key, str(one.get("resourceType"))))
        return None

    def settle(self, kept: str) -> str | None:
        """``Type/id`` for a kept text once every file is read; null where nothing in the call explains it."""
        if LATER not in kept:
            return kept
        how, file, target, expected = kept.split(LATER)[:4]
        if how == BY_IDENTIFIER:
            found = self.identifiers.get(f"{expected}|{target}", set())
            if len(found) == 1:
                return next(iter(found))
            # a contained person is nobody else's resource: the identifier itself is the id
            value = target.split("|", 1)[1]
            return f"{expected}/{value}" if not found and re.fullmatch(r"[A-Za-z0-9\-._]{1,64}", value) else None
        known = self.urls.get((int(file), target)) or self.anywhere.get(target)
        if known:
            return known
        tail = target.removeprefix("urn:uuid:")
        return f"{expected}/{tail}" if expected and re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", tail) else None

    def settled(self, kept: pl.Series, kinds: tuple[str, ...] = ()) -> pl.Series:
        """A column of kept texts as ``Type/id``; of several candidates (joined by OR) the first of one of the ``kinds``."""
        later = kept.drop_nulls().unique()
        later = later.filter(later.str.contains(f"[{LATER}{OR}]"))
        if later.is_empty():
            return kept
        names = {one: self._first(one, kinds) for one in later}
        return kept.replace_strict(names, default=kept, return_dtype=pl.String)

    def _first(self, kept: str, kinds: tuple[str, ...]) -> str | None:
        found = [self.settle(one) for one in kept.split(OR)]
        return next((one for one in found if one and (not kinds or one.split("/", 1)[0] in kinds)), None)
