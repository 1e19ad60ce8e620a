"""Two small practices in one database, in which everybody owns one of each thing, marked with whose it is.

Whose: each owner is a clinician named by what they are to the supervisor of the first practice (``now``: supervised today,
``ended``, ``future``: supervised no longer or not yet) or by their own role. ``other`` belongs to the second practice, and
``nobody`` owns ids that were made up. ``several`` owns a meeting and a snapshot about ``now`` and ``ended`` together.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine, select

from dashboard import evaluation
from dashboard.access import Role, Viewer, operator_scope
from dashboard.entering import occasions_of
from dashboard.settings import Settings
from queries import entries, meetings, people, snapshots
from queries.engine import reading
from queries.frames import read_frame
from queries.meeting_tables import AgreedAction
from queries.tables import Client, Clinician, Import, SupervisionLink, User, UserSession

SETTINGS = Settings(timezone="UTC")
OURS = ("clinician", "supervisor", "now", "ended", "future", "colleague", "director", "admin")
OWNERS = (*OURS, "other")
SUPERVISED = ("now", "ended", "future")  # by the supervisor, at one time or another
MADE_UP = "nobody"
PASSWORD = "correct horse battery"
# user name: role, clinician record (null: none), practice
PEOPLE: dict[str, tuple[Role, str | None, int]] = {
    "clinician": (Role.CLINICIAN, "clinician", 1),
    "supervisor": (Role.SUPERVISOR, "supervisor", 1),
    "director": (Role.DIRECTOR, "director", 1),
    "admin": (Role.ADMIN, None, 1),
    "admin.with.record": (Role.ADMIN, "admin", 1),
    "clinician.without.record": (Role.CLINICIAN, None, 1),
    "supervisor.without.record": (Role.SUPERVISOR, None, 1),
    "supervisee": (Role.CLINICIAN, "now", 1),
    "disabled": (Role.DIRECTOR, "colleague", 1),
    "must.change": (Role.DIRECTOR, None, 1),
    "other.director": (Role.DIRECTOR, None, 2),
    "other.clinician": (Role.CLINICIAN, "other", 2),
    "other.admin": (Role.ADMIN, None, 2),
}


def mark(owner: str) -> str:
    """What stands in every code and text about a client of that owner, and nowhere else."""
    return f"zq{OWNERS.index(owner)}{owner[:3]}"


def private(owner: str) -> str:
    """What stands in an owner's growth goal, which they have not shared."""
    return f"zg{OWNERS.index(owner)}{owner[:3]}"


COVERS = {"supervisee": "future"}  # user name to whose leave of today they cover
MADE_BY = "a browser of this world"  # what the browser of each sign-in in it says of itself
ALONE = "zd0alone"  # in what the director prepared for themselves
SET_ASIDE = {1: "zv1aside", 2: "zv2aside"}  # in a row of a practice's file that was set aside
SAVED = {1: "zm1saved", 2: "zm2saved"}  # in a practice's saved mapping


@dataclass
class Own:
    """One owner's things: ids as they stand in an address or a form."""

    clinician_id: int
    clinician: str  # opaque id
    source_id: str
    username: str = ""
    episode: str = ""  # from a file, with standing signals
    by_hand: str = ""  # open, with one session and one that was deleted
    ended: str = ""  # by hand, closed
    client_id: int = 0
    client: str = ""  # the practice's own id
    ref: str = ""
    seen: str = ""
    seen_import: dict[str, int | None] = field(default_factory=dict)
    meeting: str = ""
    closed: str = ""
    version: int = 0
    item: int = 0
    left_out: int = 0
    action: int = 0
    snapshot: str = ""
    link: int = 0
    token: str = ""  # the first half of every token with which something was entered about them
    sign_in: str = ""  # one of theirs, where they sign in
    blank: str = ""  # a meeting ahead in which nothing is written


@dataclass(eq=False)
class World:
    """The database with what is in it."""

    engine: Engine
    now: datetime
    own: dict[str, Own]
    imports: dict[int, int]
    by_hand: dict[int, int]  # practice to a clinician entered by hand

    def viewer(self, username: str) -> Viewer | None:
        """Somebody as the database knows them now; null where they may not come in."""
        with reading(self.engine) as connection:
            return people.viewer(connection, username, self.now.date())

    def known(self, username: str) -> Viewer:
        """The same, of whom it is known that they may."""
        found = self.viewer(username)
        assert found is not None
        return found


@contextmanager
def without_evaluating() -> Iterator[None]:
    """What was written is not evaluated: who may write was asked before, and signals are no part of the question."""
    real = {evaluation.evaluate, evaluation.reevaluate, evaluation.ensure_current}
    changed: list[tuple[Any, str, Any]] = []

    def nothing(*_: Any, **__: Any) -> SimpleNamespace:
        return SimpleNamespace(line="", evaluation_id=None, models=None)

    for name, module in list(sys.modules.items()):
        if name.startswith("dashboard.") and module is not evaluation:
            for attribute, value in list(vars(module).items()):
                if callable(value) and getattr(value, "__hash__", None) and value in real:
                    changed.append((module, attribute, value))
                    setattr(module, attribute, nothing)
    try:
        yield
    finally:
        for module, attribute, value in changed:
            setattr(module, attribute, value)


def leader_of(owner: str) -> str:
    """Who leads the meetings about that owner: the supervisor those of all they ever supervised, else the director."""
    if owner == "other":
        return "other.director"
    return "supervisor" if owner in (*SUPERVISED, "several") else "director"


def mapping_text(said: str) -> str:
    """A mapping of that name."""
    table = '[[table]]\ntable = "clinicians"\nfile = "a"\n[table.columns]\nclinician_id = "id"\n'
    return f'name = "{said}"\nabout = "{said} in words"\n\n{table}'


# ------------------------------------------------------------------ finding it again


def read(engine: Engine, now: datetime | None = None) -> World:
    """What is in the database, by owner."""
    found: dict[str, Own] = {}
    by_hand: dict[int, int] = {}
    with reading(engine) as connection:
        for row in connection.execute(select(Clinician.id, Clinician.public_id, Clinician.source_id)):
            if row.source_id.startswith("H-"):
                by_hand[int(row.source_id[2:])] = row.id
                continue
            owner = row.source_id.removeprefix("T-")
            found[owner] = Own(row.id, row.public_id, row.source_id, token=f"{OWNERS.index(owner):08x}")
        for username, clinician in connection.execute(select(User.username, User.clinician_id)):
            for one in found.values():
                if one.clinician_id == clinician:
                    one.username = username
        began = select(UserSession.sign_in_id, User.username).join(User, User.id == UserSession.user_id)
        for sign_in, username in connection.execute(began.where(UserSession.agent == MADE_BY)):
            for one in found.values():
                if one.username == username:
                    one.sign_in = sign_in
        for number in (1, 2):
            _read_practice(connection, number, found)
        imports = {
            number: connection.execute(
                select(Import.id).where(Import.practice_id == number, Import.source == "files")
            ).scalar_one()
            for number in (1, 2)
        }
    found[MADE_UP] = Own(
        999_999, "0" * 16, "T-nobody", "no.such.person", *("0" * 16,) * 3, 999_999, "K-nobody", "0" * 16, "0" * 16,
        {}, "0" * 16, "0" * 16, 1, 999_999, 999_999, 999_999, "0" * 16, 999_999, "0" * 8, "0" * 16,
    )  # fmt: skip
    found[MADE_UP].token, found[MADE_UP].sign_in = "ffffffff", "0" * 16
    return World(engine, now or SETTINGS.now().replace(microsecond=0), found, imports, by_hand)


def _read_practice(connection: Any, number: int, found: dict[str, Own]) -> None:
    scope = operator_scope(number)
    director = Viewer("", Role.DIRECTOR, number)
    by_id = {one.clinician_id: one for owner, one in found.items() if owner != "several"}
    for row in read_frame(connection, entries.episodes(scope)).to_dicts():
        own = by_id[row["clinician_id"]]
        if row["source"] == "files" and row["closed_on"] is not None:
            continue
        name = "episode" if row["source"] == "files" else "by_hand" if row["closed_on"] is None else "ended"
        setattr(own, name, row["public_id"])
        own.seen_import[row["public_id"]] = row["import_id"]
        if name == "episode":
            own.client_id, own.client = connection.execute(
                select(Client.id, Client.source_id).where(Client.client_code == row["client_code"])
            ).one()
        if name == "by_hand":
            for one in occasions_of(connection, director, row["public_id"]):
                own.ref, own.seen = one.ref, one.fingerprint
    about = read_frame(connection, meetings.supervisees(director)).group_by("meeting_id").agg("clinician_id")
    whose = {row["meeting_id"]: frozenset(row["clinician_id"]) for row in about.to_dicts()}
    for row in read_frame(connection, meetings.meetings(director)).to_dicts():
        ids = whose[row["meeting_id"]]
        if row["kind"] == "director":
            own = found.setdefault("alone", Own(0, "", ""))
        elif len(ids) > 1:
            own = found.setdefault("several", Own(0, "", ""))
        else:
            own = by_id[next(iter(ids))]
        items = read_frame(connection, meetings.items(director, row["meeting_id"])).to_dicts()
        if row["held_on"] > row["created_at"].date():
            own.blank = row["public_id"]
        elif row["closed_at"] is None:
            own.meeting, own.version = row["public_id"], row["version"]
            own.item = next(one["item_id"] for one in items if one["kind"] != "safety" and one["position"] is not None)
            own.left_out = next((one["item_id"] for one in items if one["position"] is None), 0)
        else:
            own.closed = row["public_id"]
            who = next(iter(ids)) if len(ids) == 1 else found["ended"].clinician_id
            own.action = connection.execute(
                select(AgreedAction.id)
                .where(AgreedAction.meeting_id == row["meeting_id"], AgreedAction.clinician_id == who)
                .limit(1)
            ).scalar_one()
    for row in read_frame(connection, snapshots.listed(scope, limit=99)).to_dicts():
        found.setdefault(row["about"], Own(0, "", "")).snapshot = row["public_id"]
    for link, below in connection.execute(select(SupervisionLink.id, SupervisionLink.supervisee_id)):
        by_id[below].link = link
