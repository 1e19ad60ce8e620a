"""What would change if a rule had another number: which signals would be raised or gone today, before anyone saves it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection, Engine

from dashboard.access import FirstLook, Scope, Viewer, operator_scope
from dashboard.analytics.features import JUDGED, features
from dashboard.analytics.scoring import risk_answers
from dashboard.errors import UnusableInput
from dashboard.evaluation import evaluate
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.replay import as_known
from dashboard.replay.known import History
from dashboard.settings import Rules, Settings
from dashboard.signals import Context
from dashboard.signals import evaluate as raise_signals
from queries import caseload, load
from queries import rules as practice_rules
from queries.engine import reading, writing
from queries.frames import read_frame

SAFE_RANGE = {
    "dropout_days": (7, 365),
    "no_contact_days": (7, 365),
    "stale_measure_days": (7, 365),
    "response_session": (3, 30),
    "missed_of_recent": (1, 10),
    "recent_appointments": (2, 20),
    "booking_grace_days": (1, 90),
    "ceiling_sessions": (2, 20),
    "dropout_raised": (1.1, 20.0),
}  # project defaults: beyond these a rule means nothing any more


@dataclass(frozen=True)
class Flips:
    """``rows``: client_code, public_id, signal, newly (true: raised, false: gone) of open episodes in scope, today."""

    rows: pl.DataFrame
    as_of: date

    @property
    def counts(self) -> tuple[int, int, int]:
        """Newly raised, gone, and episodes concerned."""
        newly = int(self.rows["newly"].sum()) if self.rows.height else 0
        return newly, self.rows.height - newly, self.rows["public_id"].n_unique()


def changed(rules: Rules, name: str, value: float) -> Rules:
    """The rules with another number. Raises UnusableInput for an unknown name or a number that makes no sense."""
    if name not in SAFE_RANGE:
        raise UnusableInput("Choose one of the numbers listed.")
    low, high = SAFE_RANGE[name]
    if not low <= value <= high:
        raise UnusableInput(f"Choose a number from {low:g} to {high:g}.")
    kind = next(type(getattr(rules, field.name)) for field in fields(Rules) if field.name == name)
    return replace(rules, **{name: kind(value)})


def what_if(
    connection: Connection, scope: Scope, rules: Rules, other: Rules, first: FirstLook | None = None
) -> Flips | None:
    """Signals of open episodes in scope under both sets of rules, on the day of the current evaluation; null without one.

    What the models say is taken as it stands: they do not depend on these numbers, save on the dropout limit, whose effect on
    what is learned shows only at the next evaluation. With ``first`` what clinicians are to see first is left out.
    """
    now = read_frame(connection, caseload.evaluation(scope)).to_dicts()
    if not now:
        return None
    as_of = now[0]["as_of"]
    states = read_frame(connection, caseload.states(scope))
    history = load.history(connection, scope, as_of, states["episode_id"].to_list())
    instruments = registry(load.own_instruments(connection, scope))
    before = _raised(history, states, as_of, instruments, rules, judged=True)
    after = _raised(history, states, as_of, instruments, other, judged=True)
    rows = pl.concat(
        [
            after.join(before, on=["episode_id", "signal"], how="anti").with_columns(newly=pl.lit(True)),
            before.join(after, on=["episode_id", "signal"], how="anti").with_columns(newly=pl.lit(False)),
        ]
    )
    if first is not None:
        standing = read_frame(connection, caseload.flags(scope)).select("episode_id", "signal", "raised_on", "state")
        earlier = _raised(history, states, first.since, instruments, other, judged=False)
        rows = _shown(rows, states, standing, earlier, first, as_of)
    rows = rows.select("episode_id", "signal", "newly").join(
        states.select("episode_id", "client_code", "public_id"), on="episode_id"
    )
    return Flips(rows.drop("episode_id").sort(["signal", "newly", "client_code"]), as_of)


def _raised(
    history: History, states: pl.DataFrame, day: date, instruments: dict[str, Instrument], rules: Rules, *, judged: bool
) -> pl.DataFrame:
    """episode_id, signal, family of what these rules raise on a day; ``judged``: by the models too, whose word is today's."""
    frames = as_known(history, states.select("episode_id", unit="episode_id").with_columns(as_of=pl.lit(day)))
    found = features(frames, instruments, rules)
    if judged:
        said = [name for name in JUDGED if name in states.columns]
        found = found.drop(said).join(states.select("episode_id", *said), on="episode_id", how="left")
        found = found.with_columns(off_track_since="latest_on")
    context = Context(found, risk_answers(frames.scores, instruments), frames.safety_checks, instruments, rules)
    raised = raise_signals(context).filter(pl.col("family") != "safety")
    return raised.select("episode_id", "signal", "family").unique()


def _shown(
    rows: pl.DataFrame,
    states: pl.DataFrame,
    standing: pl.DataFrame,
    earlier: pl.DataFrame,
    first: FirstLook,
    as_of: date,
) -> pl.DataFrame:
    """The flips that somebody may see who has to wait for the clinician.

    One that would be raised counts as known since ``first.since`` where the same rules raised it then (``earlier``), else, and
    always where it takes a model's word, since today.
    """
    then = earlier.select("episode_id", "signal", newly=True, held_then=True)
    known = (
        rows.join(states.select("episode_id", "clinician_id"), on="episode_id")
        .join(standing.with_columns(newly=pl.lit(False)), on=["episode_id", "signal", "newly"], how="left")
        .join(then, on=["episode_id", "signal", "newly"], how="left")
        .with_columns(
            raised_on=pl.coalesce("raised_on", pl.when("held_then").then(pl.lit(first.since)), pl.lit(as_of)),
            state=pl.col("state").fill_null("open"),
        )
    )
    columns = {name: pl.col(name) for name in ("family", "raised_on", "state", "clinician_id")}
    return known.filter(first.shows(**columns))


def save_rule(engine: Engine, settings: Settings, viewer: Viewer, name: str, value: float, now: datetime) -> str:
    """Saves another number as this practice's own and evaluates it; returns the evaluation in words.

    Raises UnusableInput as ``changed`` does, NotAllowed for anyone but an administrator.
    """
    with writing(engine) as connection:
        before = practice_rules.in_force(connection, viewer.practice_id, settings.rules)
        practice_rules.save(connection, viewer, changed(before, name, value), before, now)
    return evaluate(engine, settings, viewer.practice_id, as_of=now.date(), now=now).line


def rules_in_force(engine: Engine, settings: Settings, practice_id: int) -> Rules:
    """The numbers the signals of a practice use now."""
    with reading(engine) as connection:
        return practice_rules.in_force(connection, practice_id, settings.rules)


def whole_practice(practice_id: int) -> Scope:
    """For counts that hold no client row."""
    return operator_scope(practice_id)
