"""What one person has uploaded and chosen in the import assistant: kept in their session only, gone with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from dashboard import runtime
from dashboard.access import Role, Viewer, check_can_import
from dashboard.assist.draft import Draft, Target
from dashboard.assist.instruments import instrument_of
from dashboard.assist.links import Reach, reachable
from dashboard.assist.profile import Source
from dashboard.assist.propose import Ground, propose, unused
from dashboard.assist.questions import Topic, topics
from dashboard.assist.reading import Table, plain_name, tables_of
from dashboard.assist.toml_text import toml_text
from dashboard.assist.trying import Trial, known_instruments
from dashboard.assist.words import common
from dashboard.errors import SupervisionError
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.instruments.own import OwnInstrument
from dashboard.intake.layout import Source as Layout
from dashboard.intake.mapping import Mapping
from dashboard.intake.read import Limits
from dashboard.intake.sources import stacked

KEY = "_assistant"
MASK = "•••"
MEGABYTE = 1024 * 1024


@dataclass
class Work:
    """The files of one person's session and the draft they work on; ``touched`` once they changed a proposal."""

    username: str
    practice_id: int
    masked: bool
    instruments: dict[str, Instrument]
    uploads: dict[str, bytes] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    refused: dict[str, bytes] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    draft: Draft = field(default_factory=Draft)
    opened: str = ""
    reads: Mapping | None = None
    touched: bool = False
    round: int = 0
    source_name: str = "files"
    looks_at: dict[str, Any] = field(default_factory=dict)
    said: str = ""
    trial: tuple[str, Trial | str] | None = None
    done: list[str] = field(default_factory=list)
    _reaches: dict[str, dict[str, Reach]] = field(default_factory=dict)

    @property
    def defined(self) -> dict[str, Instrument]:
        """Every instrument that scores may name: built in, the practice's own, and those of this mapping."""
        own = []
        for row in self.draft.instruments:
            try:
                own.append(OwnInstrument.model_validate(row).stored())
            except ValueError:
                continue
        keys = {one["key"] for one in own}
        return self.instruments | {key: one for key, one in registry(own).items() if key in keys}

    @property
    def ground(self) -> Ground:
        """What proposals stand on."""
        return Ground(self.sources, self.defined)

    def reach(self, target: Target) -> dict[str, Reach]:
        """Every column that a target can read; nothing where its file was not uploaded."""
        if target.file not in self.sources:
            return {}
        if target.file not in self._reaches:
            self._reaches[target.file] = reachable(self.sources[target.file], self.sources)
        reach = self._reaches[target.file]
        spelled = {join["file"].lower(): join["file"] for join in target.spec.get("join") or []}
        other = {stem: name for stem, name in spelled.items() if name != stem}
        if not other:
            return reach
        # a mapping file may write the names of files in capitals; its columns are called as it calls them
        called = (
            replace(one, name=f"{other[one.source]}.{one.column}") if one.source in other else one
            for one in reach.values()
        )
        return {one.name: one for one in called}

    def topics(self) -> list[Topic]:
        """What to look at in "Words and dates"."""
        reaches = {target.uid: self.reach(target) for target in self.draft.targets}
        return topics(self.draft, reaches, self.sources, self.defined)

    def text(self) -> str:
        """The draft as the TOML of a mapping file."""
        return toml_text(self.draft.mapping())

    def layouts(self) -> dict[str, Layout]:
        """How the draft says its sources are laid out, by name."""
        return {one["file"].lower(): Layout.model_validate(one) for one in self.draft.rest.get("source", [])}

    def take(self, name: str, data: bytes, limits: Limits) -> None:
        """Reads an uploaded file; what cannot be read is kept as a sentence, and the others stay."""
        name = plain_name(name)
        self.drop(name)
        self.uploads[name] = data
        try:
            if sum(map(len, self.uploads.values())) > limits.unpacked_mb * MEGABYTE:
                raise SupervisionError(f"{name}: these files are larger than {limits.unpacked_mb} MB together.")
            for table in tables_of(name, data, limits, self.reads, self.layouts()):
                if table.stem in self.tables and self.reads is not None and self.reads.layout(table.stem).named:
                    table = self._below(table)
                elif table.stem in self.tables:
                    raise SupervisionError(
                        f"{name} and {self.tables[table.stem].upload} are both called '{table.stem}'. Rename one."
                    )
                self.tables[table.stem] = table
                self.sources[table.stem] = table.source
        except SupervisionError as error:
            self.drop(name)
            self.refused[name] = data
            self.troubles[name] = str(error).replace(" Nothing was imported.", "")
        self.reread()

    def _below(self, table: Table) -> Table:
        """A further file of one pattern: its rows stand below those of the others."""
        first = self.tables[table.stem]
        return table._replace(shown=f"{first.shown}, {table.shown}", read=stacked([first.read, table.read]))

    def drop(self, name: str) -> None:
        """Forgets a file."""
        self.uploads.pop(name, None)
        self.troubles.pop(name, None)
        self.refused.pop(name, None)
        for stem in [stem for stem, table in self.tables.items() if table.upload == name]:
            del self.tables[stem], self.sources[stem]
        self.reread()

    def reread(self) -> None:
        """After files came or went: what was looked at is looked at again, and an untouched proposal is made anew."""
        self._reaches.clear()
        self.trial = None
        self.done = []

    def propose(self) -> None:
        """A fresh proposal for the files, unless somebody has changed one or opened a mapping."""
        if not self.touched and not self.opened:
            self.draft = propose(Ground(self.sources, self.instruments))
        else:
            self.draft.unused = unused(self.draft, self.ground)

    def changed(self) -> None:
        """Notes that a person chose something."""
        self.touched = True
        self.said = ""
        self.done = []

    def shown(self, cell: str | None) -> str:
        """A cell for a screen: an administrator sees that there is one, not what it says."""
        if cell is None or cell == "":
            return ""
        return MASK if self.masked else cell

    def shown_word(self, word: str) -> str:
        """A word of a closed list: an administrator reads only what this program knows for a word, never a name or a code."""
        return MASK if self.masked and not (common(word) or instrument_of(word, self.instruments)) else word


def work_of(viewer: Viewer) -> Work:
    """This viewer's work in this session. Raises NotAllowed for who may not import; another person's work is dropped."""
    check_can_import(viewer.role)
    found = st.session_state.get(KEY)
    if isinstance(found, Work) and (found.username, found.practice_id) == (viewer.username, viewer.practice_id):
        found.masked = viewer.role is Role.ADMIN
        return found
    fresh = Work(
        viewer.username, viewer.practice_id, viewer.role is Role.ADMIN, known_instruments(runtime.engine(), viewer)
    )
    st.session_state[KEY] = fresh
    return fresh


def forget() -> None:
    """Lets go of every file and choice."""
    for key in [key for key in st.session_state if str(key).startswith(("as-", KEY))]:
        del st.session_state[key]


def limits() -> Limits:
    """How large files may be."""
    return Limits(unpacked_mb=runtime.settings().max_unpacked_mb)


def state(key: str) -> Any:
    """What a control holds at this moment."""
    return st.session_state[key]
