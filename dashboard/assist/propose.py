"""A whole mapping proposed from the files alone: every part of it is a suggestion with its why, for a person to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.assist.columns import Idea, ideas
from dashboard.assist.details import detailed
from dashboard.assist.draft import FIRST_DAY, Draft, Target
from dashboard.assist.links import Reach, Sources, joins_for, reachable
from dashboard.assist.profile import Source
from dashboard.assist.scores import score_columns, survey_columns
from dashboard.assist.survey import survey_of
from dashboard.assist.tables import table_ideas
from dashboard.instruments.instrument import Instrument
from dashboard.intake.batch import KEYS, TABLES
from dashboard.intake.check import REQUIRED

SURE_ENOUGH = 0.65  # project default: an optional column under this is left for a person to add
# what a file rarely says and a wrong guess would harm
NEVER_PROPOSED = frozenset({"recorded_on", "ending_recorded_on", "appointment_id of scores"})
ONE_CLINICIAN = ("practice", "The practice")
Instruments = Mapping[str, Instrument]


@dataclass(frozen=True)
class Ground:
    """What proposals stand on: the files read, the instruments known."""

    sources: Sources
    instruments: Instruments

    def reach(self, stem: str) -> dict[str, Reach]:
        """Every column that a row of this file can be given."""
        return reachable(self.sources[stem], self.sources)


def propose(ground: Ground) -> Draft:
    """Tables for every file, columns for every table, and what is still lacking made from what is there."""
    draft = Draft()
    best = {stem: table_ideas(source, ground.sources, ground.instruments) for stem, source in ground.sources.items()}
    chosen = {stem: found[0].table for stem, found in best.items() if found}
    for table in TABLES:
        for stem in sorted(stem for stem, one in chosen.items() if one == table):
            add_target(draft, table, stem, ground)
    complete(draft, ground)
    draft.unused = unused(draft, ground)
    return draft


def unused(draft: Draft, ground: Ground) -> list[str]:
    """The files that no part of the mapping reads."""
    read = {one.file for one in draft.targets} | {j["file"] for one in draft.targets for j in one.spec.get("join", [])}
    return sorted(set(ground.sources) - read)


def add_target(draft: Draft, table: str, stem: str, ground: Ground) -> Target:
    """Feeds a table from a file, with the columns that its names and cells suggest."""
    source, reach, known = ground.sources[stem], ground.reach(stem), draft.known()
    target = draft.add({"table": table, "file": stem, "columns": {}})
    survey = survey_of(source) if table == "scores" else None
    taken: set[str] = set()
    if survey is not None:
        taken |= {*survey.items, *survey.checks}
    for column in _in_order(table):
        if column in ("instrument", "scale", "value") and table == "scores":
            continue
        found = ideas(table, column, reach, ground.sources, known, ground.instruments)
        if idea := _pick(table, column, found, taken, reach):
            _take(target, column, idea, reach, ground)
            name = str(idea.spec["column"])
            if not column.endswith("_id") or table == "supervision":
                taken.add(name)
    if table == "scores":
        if survey is not None:
            survey_columns(target, survey, source, ground.instruments)
        else:
            score_columns(target, reach, ground.sources, known, ground.instruments, taken)
    _own_keys(target, source)
    settle(target, draft, ground)
    return target


def _in_order(table: str) -> list[str]:
    required = [column for column in TABLES[table] if column in REQUIRED[table]]
    return required + [column for column in TABLES[table] if column not in required]


def _pick(table: str, column: str, found: list[Idea], taken: set[str], reach: dict[str, Reach]) -> Idea | None:
    if column in NEVER_PROPOSED or (table, column) == ("scores", "appointment_id"):
        return None
    required = column in REQUIRED[table]
    for idea in found:
        name = str(idea.spec["column"])
        if name in taken:
            continue
        if not required and (idea.sure < SURE_ENOUGH or reach[name].steps):
            continue
        return idea
    return None


def _take(target: Target, column: str, idea: Idea, reach: dict[str, Reach], ground: Ground) -> None:
    one = reach[str(idea.spec["column"])]
    profile = ground.sources[one.source].profile(one.column)
    target.columns[column] = detailed(target.table, column, profile, idea.spec, ground.instruments)
    target.why[column] = idea.why


def _own_keys(target: Target, source: Source) -> None:
    """Keys that the file does not name: an episode for each client, an appointment for each client and time."""
    columns = target.columns
    client = columns.get("client_id", {}).get("column")
    if target.table == "episodes" and "episode_id" not in columns and client:
        start = columns.get("opened_on", {}).get("column")
        if source.profile(client).unique or not start or start not in source.names:
            columns["episode_id"] = {"column": client}
            target.why["episode_id"] = "one episode for each client"
        else:
            columns["episode_id"] = {"template": f"{{{client}}}-{{{start}}}"}
            target.why["episode_id"] = "no own id: client and first day"
    if target.table == "appointments" and "appointment_id" not in columns:
        who = columns.get("episode_id", {}).get("column") or _client_column(source)
        when = columns.get("starts_at", {}).get("column")
        if who and when:
            columns["appointment_id"] = {"template": f"{{{who}}}-{{{when}}}"}
            target.why["appointment_id"] = "no own id: who and when"


def _client_column(source: Source) -> str | None:
    found = ideas("clients", "client_id", _own_reach(source), {source.stem: source}, {}, {})
    return str(found[0].spec["column"]) if found else None


def settle(target: Target, draft: Draft, ground: Ground) -> None:
    """Joins for the columns in use, and the first row of each id where a table's own id comes again in the file."""
    reach = ground.reach(target.file) if target.file in ground.sources else {}
    named = names_read(target)
    joins = joins_for(named, reach, target.spec.get("join", []))
    target.spec["join"] = joins
    key = target.columns.get(KEYS[target.table][0], {})
    source = ground.sources.get(target.file)
    if target.table in ("clinicians", "clients", "episodes") and source is not None:
        column = key.get("column")
        if column and column in source.names:
            target.spec["once_by"] = None if source.profile(column).distinct == source.rows.height else column
        elif key.get("constant") is not None:
            target.spec["once_by"] = "_all"
    draft.unused = unused(draft, ground)


def names_read(target: Target) -> list[str]:
    """The source columns that a target's columns, conditions and joins name."""
    names = []
    for spec in target.columns.values():
        if spec.get("column"):
            names.append(str(spec["column"]))
        if spec.get("template"):
            names += [part.split("}")[0] for part in str(spec["template"]).split("{")[1:]]
    names += [one["column"] for key in ("where", "check") for one in target.spec.get(key, [])]
    return [*names, *target.spec.get("unpivot", {})]


def complete(draft: Draft, ground: Ground) -> None:
    """Adds the tables that the others hang on, from the files that are there: nobody has to split a file by hand."""
    _whose(draft, ground)
    if not draft.of_table("clients"):
        for target in draft.of_table("episodes")[:1]:
            client = target.columns.get("client_id")
            if client and "column" in client and "." not in client["column"]:
                made = draft.add({"table": "clients", "file": target.file, "columns": {"client_id": dict(client)}})
                made.why["client_id"] = "the client of each episode"
                settle(made, draft, ground)
    if not draft.of_table("clinicians"):
        for target in draft.of_table("episodes")[:1]:
            _clinician(draft, target, ground)
    scores, appointments = draft.of_table("scores"), draft.of_table("appointments")
    draft.sessions_from_scores = bool(scores) and not appointments


def _whose(draft: Draft, ground: Ground) -> None:
    """Clients and episodes from the scores or appointments file itself, where no file tells of episodes."""
    bases = draft.of_table("scores") + draft.of_table("appointments")
    if draft.of_table("episodes") or not bases:
        return
    clients = draft.of_table("clients")
    base = bases[0]
    source = ground.sources[base.file]
    client = _client_column(source)
    if client is None:
        return
    if not clients:
        made = draft.add({"table": "clients", "file": base.file, "columns": {"client_id": {"column": client}}})
        made.why["client_id"] = "whoever stands in this file"
        _person(made, source, ground)
        settle(made, draft, ground)
    episode = draft.add({"table": "episodes", "file": base.file, "columns": {}})
    episode.columns["episode_id"] = {"column": client}
    episode.columns["client_id"] = {"column": client}
    episode.why |= {"episode_id": "one episode for each client", "client_id": "whoever stands in this file"}
    clinician = ideas("episodes", "clinician_id", _own_reach(source), ground.sources, draft.known(), ground.instruments)
    if clinician:
        episode.columns["clinician_id"] = dict(clinician[0].spec)
        episode.why["clinician_id"] = clinician[0].why
    when = dict(base.columns.get("taken_on") or base.columns.get("starts_at") or {})
    if when.get("days_from") == FIRST_DAY:
        episode.columns["opened_on"] = {"constant": FIRST_DAY}
        episode.why["opened_on"] = "the day from which the others are counted"
    elif when.get("column") in source.names:
        profile = source.profile(str(when["column"]))
        episode.columns["opened_on"] = detailed(
            "episodes", "opened_on", profile, {"column": profile.name}, ground.instruments
        )
        episode.why["opened_on"] = "the day in the client's first row"
    for target in bases:
        own = _client_column(ground.sources[target.file])
        if (own and "episode_id" not in target.columns) or target.file == base.file:
            target.columns["episode_id"] = {"column": own or client}
            target.why["episode_id"] = "one episode for each client"
            _own_keys(target, ground.sources[target.file])
        settle(target, draft, ground)
    settle(episode, draft, ground)


def _own_reach(source: Source) -> dict[str, Reach]:
    """The file's own columns but the items of a survey, which say nothing of who and when."""
    survey = survey_of(source)
    items = {*survey.items, *survey.checks} if survey else set()
    return {name: Reach(name, source.stem, name) for name in source.names if name not in items}


def _person(target: Target, source: Source, ground: Ground) -> None:
    for column in ("gender", "birth_year", "ethnicity"):
        found = ideas("clients", column, _own_reach(source), ground.sources, {}, ground.instruments)
        if found and found[0].sure >= SURE_ENOUGH:
            _take(target, column, found[0], _own_reach(source), ground)


def _clinician(draft: Draft, episode: Target, ground: Ground) -> None:
    """Clinicians from the column that names them, or one for all."""
    spec = episode.columns.get("clinician_id", {})
    if name := spec.get("column"):
        reach = ground.reach(episode.file).get(name)
        if reach is not None:
            made = draft.add(
                {"table": "clinicians", "file": reach.source, "columns": {"clinician_id": {"column": reach.column}}}
            )
            made.why["clinician_id"] = "whoever the episodes name"
            settle(made, draft, ground)
        return
    key, shown = ONE_CLINICIAN
    why = "no column names a clinician: one for all"
    episode.columns["clinician_id"] = {"constant": key}
    episode.why["clinician_id"] = why
    made = draft.add({"table": "clinicians", "file": episode.file, "columns": {}})
    made.columns["clinician_id"] = {"constant": key}
    made.columns["display_name"] = {"constant": shown}
    made.why |= {"clinician_id": why, "display_name": "how screens call them"}
    settle(made, draft, ground)
