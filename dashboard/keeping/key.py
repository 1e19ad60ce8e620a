"""Where the key of an encrypted database comes from: a file, the environment, or the operating system's keyring."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from dashboard.errors import SupervisionError, UnusableInput
from dashboard.settings import APP, Settings

LEAST_PASSPHRASE = 12  # project default: characters of a passphrase; `key new` makes 256 random bits
YES = ("1", "true", "yes")
NO = ("", "0", "false", "no")


def private_text(path: Path, what: str, advice: str) -> str:
    """What a private file holds, without blanks around it; ``what`` and ``advice`` are for the words of a refusal.

    Raises UnusableInput for a file that cannot be read, is open to others, or is empty.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(
            f"The {what} {path} could not be read ({getattr(error, 'strerror', None) or 'it is not text'})."
        ) from None
    if os.name == "posix" and mode & 0o077:
        raise UnusableInput(f"The {what} {path} can be read by others (mode {mode:o}). Run: chmod 600 {path}")
    if not text:
        raise UnusableInput(f"The {what} {path} is empty. {advice}")
    return text


def _from_keyring(name: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    entry = "database" if name.lower() in YES else name
    try:
        found = keyring.get_password(APP, entry)
    except KeyringError as error:
        raise UnusableInput(f"The keyring of this machine did not answer ({error}). Use a key file instead.") from None
    if not found:
        raise UnusableInput(
            f"The keyring holds no key for '{APP}', '{entry}'. Put it there (keyring set {APP} {entry}), or use a key file."
        )
    return found.strip()


def key_of(settings: Settings) -> str | None:
    """The key of the embedded database; null where none is named, the file is then not encrypted.

    SUPERVISION_KEY stands before SUPERVISION_KEY_FILE, and that before the keyring. Raises UnusableInput for a key file that
    cannot be read or is open to others, a keyring without the key, or a passphrase that is too short.
    """
    key = settings.key.strip()
    if not key and settings.key_file:
        key = private_text(Path(settings.key_file), "key file", "`supervision key new --out FILE` makes a key.")
    if not key and settings.key_keyring.lower() not in NO:
        key = _from_keyring(settings.key_keyring)
    if not key:
        return None
    if len(key) < LEAST_PASSPHRASE or not key.isprintable():
        raise UnusableInput(
            f"The database key is shorter than {LEAST_PASSPHRASE} characters or holds signs that cannot be typed. "
            "`supervision key new --out FILE` makes a good one."
        )
    return key


def source_of(settings: Settings) -> str:
    """In words, for ``doctor``: where the key comes from."""
    if settings.key.strip():
        return "the environment (SUPERVISION_KEY)"
    if settings.key_file:
        return f"the file {settings.key_file}"
    return "the keyring" if settings.key_keyring.lower() not in NO else ""


def new_key(out: Path) -> None:
    """Writes a new random key (256 bits, as hexadecimal digits) into a private file that must not be there yet."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise UnusableInput(f"{out} is there already; a key is never written over. Choose another name.") from None
    except OSError as error:
        raise SupervisionError(f"{out} could not be written: {error.strerror}. Choose another file.") from None
