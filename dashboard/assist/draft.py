"""A mapping while somebody works on it: the same parts as the file, which may still lack answers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dashboard.intake.batch import TABLES
from dashboard.intake.mapping import UNPIVOT_NAME, UNPIVOT_VALUE

FIRST_DAY = "\0first day"  # stands for the one day from which days or weeks are counted, until it is written out
ORDER = tuple(TABLES)
TARGET_KEYS = ("table", "file", "join", "where", "check", "once_by", "unpivot", "columns")

Spec = dict[str, Any]


@dataclass
class Target:
    """One of our tables fed by one source: ``spec`` as the mapping says it (``columns`` always as tables), ``why`` by column."""

    uid: int
    spec: Spec
    why: dict[str, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """Our table."""
        return str(self.spec["table"])

    @property
    def file(self) -> str:
        """The source that feeds it."""
        return str(self.spec["file"])

    @property
    def columns(self) -> dict[str, Spec]:
        """How each of our columns is made."""
        columns: dict[str, Spec] = self.spec.setdefault("columns", {})
        return columns

    @property
    def is_survey(self) -> bool:
        """Whether its scores come from columns side by side."""
        return bool(self.spec.get("unpivot"))


@dataclass
class Draft:
    """A whole mapping on its way. ``first_day``: where days or weeks are counted from; '' until somebody says it.

    ``rest``: what the assistant shows no control for (layout of sources, watermarks), kept as it was.
    """

    name: str = ""
    about: str = ""
    targets: list[Target] = field(default_factory=list)
    sessions_from_scores: bool = False
    instruments: list[dict[str, Any]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    first_day: str = ""
    rest: dict[str, Any] = field(default_factory=dict)
    last_uid: int = 0

    def add(self, spec: Spec, why: dict[str, str] | None = None) -> Target:
        """A new target at the place of its table."""
        self.last_uid += 1
        target = Target(self.last_uid, spec, why or {})
        self.targets.append(target)
        self.targets.sort(key=lambda one: (ORDER.index(one.table), one.uid))
        return target

    def remove(self, uid: int) -> None:
        """Takes a target out."""
        self.targets = [one for one in self.targets if one.uid != uid]

    def target(self, uid: int) -> Target | None:
        """The target of that number."""
        return next((one for one in self.targets if one.uid == uid), None)

    def of_table(self, table: str) -> list[Target]:
        """Every target that feeds a table."""
        return [one for one in self.targets if one.table == table]

    def specs(self) -> Iterator[tuple[Target, str, Spec]]:
        """Every column of every target."""
        for target in self.targets:
            for column, spec in target.columns.items():
                yield target, column, spec

    @property
    def counts_from_first_day(self) -> bool:
        """Whether any column is counted from the first day."""
        return any(FIRST_DAY in (spec.get("days_from"), spec.get("constant")) for _, _, spec in self.specs())

    def known(self) -> dict[str, tuple[str, str]]:
        """Our id column -> the source and column that defines it, for ids that come from a column."""
        found = {}
        for table, key in (("clinicians", "clinician_id"), ("clients", "client_id"), ("episodes", "episode_id")):
            for target in self.of_table(table):
                if column := target.columns.get(key, {}).get("column"):
                    found[key] = (target.file, str(column))
                    break
        return found

    def mapping(self) -> dict[str, Any]:
        """The draft as the data of a mapping file, in its order; unanswered questions leave their keys out."""
        made: dict[str, Any] = {"name": self.name or "draft", "about": self.about or "Made in the import assistant"}
        if self.unused:
            made["unused"] = sorted(self.unused)
        if self.sessions_from_scores:
            made["derive"] = {"sessions": "from_scores"}
        made |= deepcopy(self.rest)
        made["table"] = [self._written(one) for one in self.targets]
        if self.instruments:
            made["instrument"] = deepcopy(self.instruments)
        return made

    def _written(self, target: Target) -> Spec:
        spec = {key: deepcopy(target.spec[key]) for key in TARGET_KEYS if target.spec.get(key)}
        spec["columns"] = {
            column: self._plain(how) for column, how in target.columns.items() if how and column in TABLES[target.table]
        }
        return spec

    def _plain(self, how: Spec) -> Any:
        made = {key: self.first_day if value == FIRST_DAY else value for key, value in how.items()}
        made = {key: value for key, value in made.items() if value not in ("", {}, None)}
        return made["column"] if set(made) == {"column"} else made


def draft_of(text: str) -> Draft:
    """The draft of a mapping file that is well formed, so that a saved or shipped mapping can be worked on."""
    given = tomllib.loads(text)
    draft = Draft(name=str(given.pop("name", "")), about=str(given.pop("about", "")))
    draft.sessions_from_scores = (given.pop("derive", None) or {}).get("sessions") == "from_scores"
    draft.instruments = list(given.pop("instrument", []))
    draft.unused = list(given.pop("unused", []))
    tables = given.pop("table", [])
    draft.rest = given
    for one in tables:
        one["columns"] = {c: _spec(how) for c, how in one["columns"].items()}
        one["file"] = one["file"].lower()
        draft.add(one)
    days = [str(spec["days_from"]) for _, _, spec in draft.specs() if _is_day(str(spec.get("days_from", "")))]
    if days:
        draft.first_day = days[0]
        for _, _, spec in draft.specs():
            if str(spec.get("days_from")) == draft.first_day:
                spec["days_from"] = FIRST_DAY
            if str(spec.get("constant")) == draft.first_day:
                spec["constant"] = FIRST_DAY
    return draft


def _spec(how: Any) -> Spec:
    """A column as a table of texts, whatever kinds the file's author wrote: 1 for "1", a day for its text."""
    if isinstance(how, str):
        return {"column": how}
    made: Spec = {key: str(value) if isinstance(value, date) else value for key, value in how.items()}
    if "values" in made:
        made["values"] = {word: _text(one) for word, one in made["values"].items()}
    return {key: _text(value) if key in ("constant", "other") else value for key, value in made.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_day(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-"


def unpivoted(name: str) -> bool:
    """Whether a source column is one of the two that unpivoting makes."""
    return name in (UNPIVOT_NAME, UNPIVOT_VALUE)
