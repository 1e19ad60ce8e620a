"""A practice's saved mappings: who may save, rename and delete them, and finding one by its name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from dashboard.access import Scope, Viewer, check_can_import, counting_scope, operator_scope
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.intake.mapping import Mapping, built_in, parse_mapping, read_mapping
from queries import mappings, store_mappings
from queries.engine import reading, writing

LONGEST_NAME = 60
LONGEST_MAPPING = 400_000  # characters, project default: a survey of hundreds of questions has a tenth


@dataclass(frozen=True)
class Saved:
    """A saved mapping in a list."""

    name: str
    username: str
    saved_at: datetime


def checked_name(name: str) -> str:
    """The name as it is kept. Raises UnusableInput where it is empty, too long, unprintable, or that of a shipped mapping."""
    kept = " ".join(name[: 2 * LONGEST_NAME].split())
    if not kept or len(kept) > LONGEST_NAME or not kept.isprintable():
        raise UnusableInput(f"Give the mapping a name of 1 to {LONGEST_NAME} letters that can be printed.")
    if kept in built_in():
        raise UnusableInput(f"'{kept}' is a mapping of the program itself. Choose another name.")
    return kept


def list_saved(connection: Connection, scope: Scope) -> list[Saved]:
    """The practice's saved mappings by name."""
    return [Saved(row.name, row.username, row.saved_at) for row in connection.execute(mappings.saved(scope))]


def saved_text(connection: Connection, scope: Scope, name: str) -> str | None:
    """The TOML of a saved mapping; null where there is none of that name."""
    return connection.execute(mappings.content(scope, name)).scalar_one_or_none()


def find_mapping(connection: Connection, scope: Scope | None, name_or_file: str) -> Mapping:
    """A mapping by name or file: shipped ones first, then a file, then the practice's saved ones.

    Raises UnusableInput where there is none, or it is not well formed. ``scope`` null: a practice that is not there yet.
    """
    if scope is None or name_or_file in built_in() or os.path.isfile(name_or_file):
        return read_mapping(name_or_file)
    found = saved_text(connection, scope, name_or_file)
    if found is not None:
        return parse_mapping(found, name_or_file)
    return read_mapping(name_or_file, dict.fromkeys((one.name for one in list_saved(connection, scope)), ""))


def mapping_text(connection: Connection, scope: Scope, name: str) -> str:
    """The TOML of a shipped or saved mapping. Raises UnusableInput where there is none of that name."""
    found = built_in().get(name) or saved_text(connection, scope, name)
    if found is None:
        raise UnusableInput(f"There is no mapping '{name}'. `supervision mapping list` names those there are.")
    return found


class Shelf:
    """The saved mappings of one practice, for whoever may import there: a viewer, or the operator (null)."""

    def __init__(self, engine: Engine, practice_id: int, viewer: Viewer | None, now: datetime) -> None:
        """Raises NotAllowed for a viewer who may not import, or of another practice."""
        if viewer is not None:
            check_can_import(viewer.role)
            if viewer.practice_id != practice_id:
                raise NotAllowed("This practice is not yours.")
        self._engine, self._practice_id, self._now = engine, practice_id, now
        self._username = viewer.username if viewer is not None else None
        self._purpose = viewer.purpose if viewer is not None else None
        self._scope = counting_scope(viewer) if viewer is not None else operator_scope(practice_id)

    def names(self) -> list[Saved]:
        """What is saved."""
        with reading(self._engine) as connection:
            return list_saved(connection, self._scope)

    def text(self, name: str) -> str:
        """The TOML of a shipped or saved mapping. Raises UnusableInput where there is none of that name."""
        with reading(self._engine) as connection:
            return mapping_text(connection, self._scope, name)

    def save(self, name: str, content: str, *, replace: bool) -> str:
        """Saves a well-formed mapping; returns its name.

        Raises UnusableInput where the name or content cannot be used, or another mapping has the name and ``replace`` is not set.
        """
        kept = checked_name(name)
        if len(content) > LONGEST_MAPPING:
            raise UnusableInput(f"A mapping has up to {LONGEST_MAPPING:,} characters.")
        parse_mapping(content, kept)
        with writing(self._engine) as connection:
            if not replace and store_mappings.exists(connection, self._practice_id, kept):
                raise UnusableInput(
                    f"There is a mapping called '{kept}' already. Say that it is replaced, or choose another name."
                )
            store_mappings.save(
                connection,
                self._practice_id,
                kept,
                content,
                username=self._username,
                now=self._now,
                purpose=self._purpose,
            )
        return kept

    def rename(self, name: str, new: str) -> str:
        """Gives a saved mapping another name. Raises UnusableInput where there is none, or the new name is taken."""
        kept = checked_name(new)
        with writing(self._engine) as connection:
            if store_mappings.exists(connection, self._practice_id, kept):
                raise UnusableInput(f"There is a mapping called '{kept}' already. Choose another name.")
            if not store_mappings.rename(
                connection, self._practice_id, name, kept, username=self._username, now=self._now, purpose=self._purpose
            ):
                raise UnusableInput(f"There is no saved mapping '{name}'.")
        return kept

    def delete(self, name: str) -> None:
        """Deletes a saved mapping. Raises UnusableInput where there is none of that name."""
        with writing(self._engine) as connection:
            if not store_mappings.remove(
                connection, self._practice_id, name, username=self._username, now=self._now, purpose=self._purpose
            ):
                raise UnusableInput(f"There is no saved mapping '{name}'.")
