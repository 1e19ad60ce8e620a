"""The secrets of a running program, in one private file that is made at the first run and shared by all replicas.

| secret | signs | what ends when it is rotated |
| --- | --- | --- |
| ``cookie`` | Streamlit's own cookies (forms of uploads, single sign-on) | uploads of pages that are open; a sign-in under way |
| ``links`` | the links of downloads, together with the practice's own secret | links on pages that are open |

Passwords and session ids are not here: the database holds their hashes. The practice's own secret is in the database too and
is never rotated: ids in addresses and what is kept of erased rows are keyed by it, so bookmarks stay good and who was erased
stays erased. The key of an encrypted database has its own command (``supervision rekey``).

The file is ``secrets_file`` of the settings, else beside the embedded database, else in the user's data folder; several machines
on one PostgreSQL database share one file or copies of it.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path

from dashboard.errors import SupervisionError, UnusableInput
from dashboard.settings import Settings, data_folder
from queries.engine import normalised

NAMES = ("cookie", "links")
CANNOT_SAVE = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)
OLD_DAYS = 365  # project default: from when on ``doctor`` says how old a secret is in a word of warning


@dataclass(frozen=True)
class Secrets:
    """The secrets, 256 random bits each, and the day on which each was made. Never shown, not even by repr."""

    cookie: str = field(repr=False)
    links: str = field(repr=False)
    made: dict[str, str]

    @property
    def mark(self) -> str:
        """Eight signs by which two machines can be seen to have the same secrets; tells nothing of them."""
        return sha256(f"mark {self.cookie} {self.links}".encode()).hexdigest()[:8]


class _NothingSaved(Exception):
    """The disk takes nothing at this moment."""


_of_this_process: dict[Path, Secrets] = {}


def fresh(today: date, before: Secrets | None = None, names: Iterable[str] = NAMES) -> Secrets:
    """New random secrets for ``names``; the others as ``before``."""
    day = today.isoformat()
    given = {name: secrets.token_hex(32) for name in names}
    kept = {} if before is None else {"cookie": before.cookie, "links": before.links}
    made = ({} if before is None else before.made) | dict.fromkeys(given, day)
    values = kept | given
    return Secrets(values["cookie"], values["links"], made)


def path_of(settings: Settings) -> Path:
    """The file of these settings."""
    if settings.secrets_file:
        return Path(settings.secrets_file)
    url = normalised(settings.db_url)
    if url.drivername == "sqlite" and url.database not in (None, "", ":memory:"):
        return Path(str(url.database)).with_suffix(".secrets.json")
    name = "memory" if url.drivername == "sqlite" else Path(str(url.database or "practice")).name
    return data_folder() / f"{name}.secrets.json"


def _check_private(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise UnusableInput(
            f"The secrets file {path} can be read by others (mode {mode:o}). Run: chmod 600 {path}\n"
            "If others have been on this machine meanwhile, run `supervision secrets rotate` afterwards."
        )


def read(settings: Settings) -> Secrets | None:
    """The secrets; null where the file is not there yet. Raises UnusableInput where it is open to others or no such file."""
    path = path_of(settings)
    try:
        _check_private(path)
        found = json.loads(path.read_text("utf-8"))
        values = [str(found[name]) for name in NAMES]
        if any(len(bytes.fromhex(one)) < 32 for one in values):
            raise ValueError
        return Secrets(values[0], values[1], {name: str(found["made"][name]) for name in NAMES})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableInput(f"The secrets file {path} could not be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise UnusableInput(
            f"{path} is no secrets file of this program. Move it away and new secrets are made at the next start."
        ) from None


def _write(path: Path, content: Secrets, *, replace: bool) -> None:
    text = json.dumps({"cookie": content.cookie, "links": content.links, "made": content.made})
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                part.replace(path)
            else:
                os.link(part, path)  # never over one that another replica made in this very moment
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno in CANNOT_SAVE:
            raise _NothingSaved from None
        raise SupervisionError(
            f"The secrets file {path} could not be written: {error.strerror}. Name another in SUPERVISION_SECRETS_FILE."
        ) from None


def read_or_make(settings: Settings) -> Secrets:
    """The secrets, made where they are not there yet. Raises as ``read``, and SupervisionError where none can be written.

    On a full or read-only disk, where pages can still be read, they are this process's own and end with it.
    """
    found, path = read(settings), path_of(settings)
    if found is None:
        try:
            _write(path, fresh(settings.today()), replace=False)
        except _NothingSaved:
            return _of_this_process.setdefault(path, fresh(settings.today()))
        found = read(settings)
    assert found is not None  # noqa: S101 - it has just been written
    return found


def cookie_secret(settings: Settings) -> str:
    """What Streamlit signs its cookies with. Raises as ``read_or_make``."""
    return read_or_make(settings).cookie


def link_secret(settings: Settings) -> str:
    """What signs the links of downloads; read each time, so that a rotation counts at once. Raises as ``read_or_make``."""
    return read_or_make(settings).links


def put_new(settings: Settings, names: Iterable[str]) -> None:
    """Puts new secrets in the place of ``names``. Raises as ``read_or_make``; SupervisionError on a disk that takes nothing."""
    try:
        _write(path_of(settings), fresh(settings.today(), read_or_make(settings), names), replace=True)
    except _NothingSaved:
        raise SupervisionError(
            "The disk is full or read-only: no new secrets were made, and the old ones hold."
        ) from None
