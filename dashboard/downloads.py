"""Files that leave through our own checked route: a signed, short-lived link for one person and one kind of file."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from dashboard import runtime
from dashboard.access import Viewer, check_can_export, check_can_import, counting_scope, narrowed, scope_for
from dashboard.errors import NotAllowed
from dashboard.exports import to_csv
from dashboard.reach import sees_no_values, staff_scope
from dashboard.saved_mappings import mapping_text
from dashboard.snapshot.files import MEDIA
from dashboard.snapshots import Changed, stored_file
from queries import audit, exports, visibility
from queries.acting import acting, within
from queries.engine import writing
from queries.frames import read_frame

MINUTES = 15  # project default: how long a link on an open page works
STALE = "This link is no longer valid. Reload the page and use it again."


@dataclass(frozen=True)
class File:
    """What is sent: file name, media type, bytes."""

    name: str
    media_type: str
    data: bytes


def _signature(viewer: Viewer, content: bytes) -> bytes:
    # from the practice's secret and from one that replicas share, so that another process can check it
    key = hashlib.sha256(b"download links" + viewer.link_secret.encode() + runtime.link_secret().encode()).digest()
    return hmac.new(key, content, hashlib.sha256).digest()


def link(viewer: Viewer, kind: str, now: datetime) -> str:
    """The address of a file for this viewer, good for a quarter of an hour. ``kind`` may name one file of it, after a colon."""
    if kind.partition(":")[0] not in KINDS:
        raise KeyError(kind)
    content = json.dumps([viewer.username, kind, (now + timedelta(minutes=MINUTES)).isoformat()]).encode()
    token = base64.urlsafe_b64encode(_signature(viewer, content) + content).decode().rstrip("=")
    return f"/download/{token}"


def _read(viewer: Viewer, token: str) -> tuple[str, str, datetime]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        signature, content = raw[:32], raw[32:]
        if not hmac.compare_digest(signature, _signature(viewer, content)):
            raise NotAllowed(STALE)
        username, kind, until = json.loads(content)
        return str(username), str(kind), datetime.fromisoformat(until)
    except ValueError:
        raise NotAllowed(STALE) from None


def snapshot_kind(public_id: str, form: str) -> str:
    """The kind of link that leads to one file of a stored snapshot."""
    return f"snapshot:{public_id}:{form}"


def _set_aside(connection: Connection, viewer: Viewer, _which: str, now: datetime) -> File:
    check_can_import(viewer.role)
    everyone = counting_scope(viewer)  # set-aside rows belong to no caseload
    statement = exports.set_aside(everyone, masked=sees_no_values(viewer))
    with within(connection, everyone):
        frame = exports.finished("set_aside", read_frame(connection, statement))
    audit.record(
        connection, at=now, practice_id=viewer.practice_id, username=viewer.username,
        purpose=viewer.purpose, action="export set_aside",
        detail="set_aside.csv",
    )  # fmt: skip
    return File("set_aside.csv", "text/csv; charset=utf-8", to_csv(frame))


def _snapshot(connection: Connection, viewer: Viewer, which: str, now: datetime) -> File:
    public_id, _, form = which.partition(":")
    found = stored_file(connection, viewer, public_id, form, now)
    assert found.data is not None  # noqa: S101 - an intact file has bytes
    return File(found.name, MEDIA[form], found.data)


def _mapping(connection: Connection, viewer: Viewer, which: str, now: datetime) -> File:
    check_can_import(viewer.role)
    text = mapping_text(connection, counting_scope(viewer), which)
    audit.record(
        connection, at=now, practice_id=viewer.practice_id, username=viewer.username, purpose=viewer.purpose,
        action="export mapping", detail=which[:500],
    )  # fmt: skip
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", which).strip("-") or "mapping"
    return File(f"{name}.toml", "application/toml; charset=utf-8", text.encode())


def _looks(connection: Connection, viewer: Viewer, _which: str, now: datetime) -> File:
    """Who opened, exported or changed what of the viewer's own; their own acts too."""
    if viewer.clinician_id is None:
        raise NotAllowed("You have no caseload of your own here, so there is no list of who looked at it.")
    scope = narrowed(scope_for(viewer), viewer.clinician_id)
    with within(connection, staff_scope(scope)):  # colleagues are named
        frame = read_frame(connection, visibility.looks(scope))
    audit.record(
        connection, at=now, practice_id=viewer.practice_id, username=viewer.username, purpose=viewer.purpose,
        action="export my visibility", clinician_id=viewer.clinician_id, detail=f"{frame.height} rows, csv",
    )  # fmt: skip
    return File("my-visibility.csv", "text/csv; charset=utf-8", to_csv(frame.select(LOOKS)))


LOOKS = ("at", "username", "name", "role", "kind", "action", "client_code", "purpose", "detail")
KINDS = {"set_aside": _set_aside, "snapshot": _snapshot, "mapping": _mapping, "looks": _looks}


def open_link(engine: Engine, viewer: Viewer, token: str, now: datetime) -> File:
    """The file of a link, with its audit rows.

    Raises NotAllowed for a wrong, old or foreign link, or where the role may not have it; Changed where it was tampered with.
    """
    username, kind, until = _read(viewer, token)
    if username != viewer.username or now > until:
        raise NotAllowed(STALE)
    name, _, which = kind.partition(":")
    check_can_export(viewer.role, name)
    with acting(scope_for(viewer), viewer.username):
        try:
            with writing(engine) as connection:
                return KINDS[name](connection, viewer, which, now)
        except Changed:
            with writing(engine) as connection:
                audit.record(
                    connection, at=now, practice_id=viewer.practice_id, username=viewer.username,
                    purpose=viewer.purpose,
                    action=f"refuse export {name}", detail="the bytes do not match the hash",
                )  # fmt: skip
            raise
