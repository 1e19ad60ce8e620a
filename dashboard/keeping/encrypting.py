"""Encrypting the embedded database, taking that back, and changing its key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dashboard.errors import UnusableInput
from dashboard.keeping.automatic import copies_in, folder_of
from dashboard.keeping.key import key_of, source_of
from dashboard.settings import Settings
from queries.engine import normalised
from queries.recipher import is_encrypted, rewrite

NO_KEY = (
    "No key is named. Make one with `supervision key new --out FILE`, then set SUPERVISION_KEY_FILE=FILE and keep a second "
    "copy of it somewhere else: without it the data is gone."
)


def _path(settings: Settings) -> Path:
    url = normalised(settings.db_url)
    if url.drivername != "sqlite" or not url.database:
        raise UnusableInput(
            "Only the embedded database (sqlite:///FILE) is encrypted here; PostgreSQL's disk is its host's."
        )
    return Path(url.database)


def _key(settings: Settings) -> str:
    key = key_of(settings)
    if key is None:
        raise UnusableInput(NO_KEY)
    return key


def _older(settings: Settings, words: str) -> list[str]:
    copies = copies_in(folder_of(settings))
    return [f"{len(copies)} older copies in {folder_of(settings)} {words}"] if copies else []


def encrypt(settings: Settings) -> list[str]:
    """Encrypts the database with the key of the settings; the app has to stand still meanwhile."""
    path, key = _path(settings), _key(settings)
    if is_encrypted(path):
        raise UnusableInput(f"{path} is encrypted already. `supervision rekey` gives it another key.")
    rows = rewrite(path, None, key)
    return [
        f"{path} is encrypted: {rows:,} rows, compared one by one. The file that was there is overwritten and gone.",
        f"The key comes from {source_of(settings)}. Keep a second copy of it elsewhere: without it the data is gone.",
        *_older(settings, "are not encrypted; so may be those you made yourself. Delete them once you have a new one."),
    ]


def decrypt(settings: Settings) -> list[str]:
    """Takes the encryption back."""
    path, key = _path(settings), _key(settings)
    if not is_encrypted(path):
        raise UnusableInput(f"{path} is not encrypted.")
    rows = rewrite(path, key, None)
    return [
        f"{path} is no longer encrypted: {rows:,} rows, compared one by one. Take the key away from the settings.",
        *_older(settings, "still need the key."),
    ]


def rekey(settings: Settings, new_key_file: Path) -> list[str]:
    """Gives the database another key, read from a private file."""
    path, old = _path(settings), _key(settings)
    new = _key(replace(settings, key="", key_file=str(new_key_file), key_keyring=""))
    if not is_encrypted(path):
        raise UnusableInput(f"{path} is not encrypted. `supervision encrypt` does that.")
    if new == old:
        raise UnusableInput(f"{new_key_file} holds the key that is in use. Make another with `supervision key new`.")
    rows = rewrite(path, old, new)
    return [
        f"{path} has the key of {new_key_file}: {rows:,} rows, compared one by one.",
        f"From now on set SUPERVISION_KEY_FILE={new_key_file}. Until that is done nothing opens the database.",
        *_older(settings, "still need the old key: keep it as long as they are there."),
    ]
