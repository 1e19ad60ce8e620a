# ruff: noqa: S608 - the rules are put together from the words of this file only
"""Row security on PostgreSQL: which rows of which table show, whatever a statement asks for.

A second net under the statements, each of which starts from its viewer's scope: one that forgets it returns nothing of other
people's. What it reads is what ``queries.acting`` says at the beginning of each transaction; said nothing, no row shows.

**Every table has to stand in RULES or in OPEN, with its reason; a test compares both with the schema and with the database.** A
migration that adds a table calls ``protect(op.get_bind(), "its_name")`` once it is made.

What this protects against: a statement without its scope, or with a wrong one, in anything that acts for somebody. The rows of
a table are held back even from the table's owner (FORCE). What it does not protect against: a login that is a superuser or has
BYPASSRLS (so the setting ``db_role`` takes another role), and somebody who can run statements of their own choice under the
application's login: they can say another scope. Against those stand the login's password, and parameters in every statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

# each asked once for a statement: a scalar subquery without a table is no work for every row
EVERYTHING = "(SELECT supervision_everything())"
PRACTICE = "(SELECT supervision_practice())"
WHOLE = "(SELECT supervision_whole_practice())"
CLINICIANS = "(SELECT supervision_clinicians())::bigint[]"  # cast: ANY takes a bare subquery for rows
STAFF = "(SELECT supervision_staff())::bigint[]"
WHOLE_STAFF = "(SELECT supervision_whole_staff())"
DOOR = "(SELECT supervision_at_the_door())"
ME = "(SELECT supervision_username())"


def _over_everything(head: str, body: str) -> str:
    """A function that looks at all rows and then goes on as before; an error in between ends the transaction with what it said.

    Not by a SET clause of the function: only a superuser may write one for a setting that the server does not know.
    """
    kind = head.rpartition(" ")[2]
    return f"""CREATE OR REPLACE FUNCTION {head} LANGUAGE plpgsql STABLE AS
$$DECLARE
  before text = coalesce(current_setting('supervision.practice', true), '');
  found {kind};
BEGIN
  PERFORM set_config('supervision.practice', '*', true);
  {body};
  PERFORM set_config('supervision.practice', before, true);
  RETURN found;
END$$"""


FUNCTIONS = (
    """CREATE OR REPLACE FUNCTION supervision_everything() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT coalesce(current_setting('supervision.practice', true), '') = '*'$$""",
    """CREATE OR REPLACE FUNCTION supervision_practice() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT substring(current_setting('supervision.practice', true) FROM '^[0-9]+$')::bigint$$""",
    """CREATE OR REPLACE FUNCTION supervision_whole_practice() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT coalesce(current_setting('supervision.clinicians', true), '') = '*'$$""",
    """CREATE OR REPLACE FUNCTION supervision_clinicians() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT string_to_array(substring(current_setting('supervision.clinicians', true) FROM '^[0-9,]+$'), ',')::bigint[]$$""",
    """CREATE OR REPLACE FUNCTION supervision_whole_staff() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT coalesce(current_setting('supervision.staff', true), '') = '*'$$""",
    """CREATE OR REPLACE FUNCTION supervision_staff() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT string_to_array(substring(current_setting('supervision.staff', true) FROM '^[0-9,]+$'), ',')::bigint[]$$""",
    """CREATE OR REPLACE FUNCTION supervision_at_the_door() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT coalesce(current_setting('supervision.door', true), '') = 'sign_in'$$""",
    """CREATE OR REPLACE FUNCTION supervision_username() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT nullif(current_setting('supervision.username', true), '')$$""",
    # those below look at all rows, whoever asks, and answer with one number or with yes or no
    _over_everything(
        "supervision_next_key(of_table text, of_column text) RETURNS bigint",
        "EXECUTE format('SELECT coalesce(max(%I), 0) + 1 FROM %I', of_column, of_table) INTO found",
    ),
    _over_everything(
        "supervision_meets(meeting_ bigint, practice_ bigint, clinicians_ bigint[]) RETURNS boolean",
        "SELECT EXISTS (SELECT 1 FROM meeting m JOIN meeting_supervisee s ON s.meeting_id = m.id WHERE m.id = meeting_"
        " AND m.practice_id = practice_ AND s.clinician_id = ANY (clinicians_)) INTO found",
    ),
    _over_everything(
        "supervision_met_about(meeting_ bigint, practice_ bigint, clinicians_ bigint[]) RETURNS boolean",
        "SELECT EXISTS (SELECT 1 FROM agenda_item a JOIN episode e ON e.id = a.episode_id WHERE a.meeting_id = meeting_"
        " AND e.practice_id = practice_ AND e.clinician_id = ANY (clinicians_)) INTO found",
    ),
    _over_everything(
        "supervision_all_of_snapshot(snapshot_ bigint, clinicians_ bigint[]) RETURNS boolean",
        "SELECT coalesce(bool_and(c.clinician_id = ANY (clinicians_)), false) FROM snapshot_clinician c"
        " WHERE c.snapshot_id = snapshot_ INTO found",
    ),
)
FUNCTION_NAMES = (
    "supervision_everything()",
    "supervision_practice()",
    "supervision_whole_practice()",
    "supervision_clinicians()",
    "supervision_whole_staff()",
    "supervision_staff()",
    "supervision_at_the_door()",
    "supervision_username()",
    "supervision_next_key(text, text)",
    "supervision_meets(bigint, bigint, bigint[])",
    "supervision_met_about(bigint, bigint, bigint[])",
    "supervision_all_of_snapshot(bigint, bigint[])",
)


@dataclass(frozen=True)
class Rule:
    """``shows``: which rows are seen and may be changed; ``takes``: which may be put there (empty: those that show).

    ``kept``: what is there can be changed and removed only in the name of the whole practice.
    """

    shows: str
    takes: str = ""
    kept: bool = False


def _of_practice(column: str = "practice_id", *, also: str = "") -> Rule:
    """Everybody of the practice: it holds no client."""
    return Rule(f"{column} = {PRACTICE}" + (f" OR {also}" if also else ""))


def _whole(column: str = "practice_id") -> Rule:
    """Only in the name of the whole practice: its rows belong to no caseload."""
    return Rule(f"{column} = {PRACTICE} AND {WHOLE}")


def _caseload(table: str, column: str = "clinician_id") -> Rule:
    """Rows of a clinician in scope."""
    return Rule(f"{table}.practice_id = {PRACTICE} AND ({WHOLE} OR {table}.{column} = ANY ({CLINICIANS}))")


def _in_scope(episode: str) -> str:
    return f"EXISTS (SELECT 1 FROM episode mine WHERE mine.id = {episode})"


def _episode(table: str, column: str = "episode_id") -> Rule:
    """Rows of an episode in scope: the episode's own rule decides, by who sees the client now."""
    return Rule(f"{table}.practice_id = {PRACTICE} AND ({WHOLE} OR {_in_scope(f'{table}.{column}')})")


def _staff(table: str, *columns: str) -> Rule:
    """Who works here: those in scope, those of the practice where it was asked for, and at the door."""
    named = " OR ".join(f"{table}.{column} = ANY ({STAFF})" for column in columns)
    return Rule(f"{table}.practice_id = {PRACTICE} AND ({WHOLE_STAFF} OR {named}) OR {DOOR}")


def _part_of(table: str, whole: str, column: str) -> Rule:
    """Rows of something that shows."""
    return Rule(f"EXISTS (SELECT 1 FROM {whole} it WHERE it.id = {table}.{column})")


_MEETS = "supervision_meets({0}, " + PRACTICE + ", " + CLINICIANS + ")"
_MET_ABOUT = "supervision_met_about({0}, " + PRACTICE + ", " + CLINICIANS + ")"
_NAMED_IN_SCOPE = "EXISTS (SELECT 1 FROM clinician one WHERE one.id = {0}.clinician_id)"

RULES: dict[str, Rule] = {
    # the practice and who works there
    "practice": _of_practice("id", also=DOOR),
    "app_user": _of_practice(also=DOOR),
    **{
        table: Rule(f"{DOOR} OR EXISTS (SELECT 1 FROM app_user person WHERE person.id = {table}.user_id)")
        for table in ("user_session", "user_device", "second_factor", "recovery_code")
    },
    "clinician": _staff("clinician", "id"),
    "clinician_version": _staff("clinician_version", "id"),
    "leave": _staff("leave", "clinician_id", "cover_id"),
    "leave_version": Rule(f"leave_version.practice_id = {PRACTICE} AND ({WHOLE} OR {WHOLE_STAFF})"),
    "supervision_link": _staff("supervision_link", "supervisor_id", "supervisee_id"),
    "supervision_link_version": Rule(
        f"supervision_link_version.practice_id = {PRACTICE} AND ({WHOLE} OR {WHOLE_STAFF})"
    ),
    # clients and their episodes
    "episode": _caseload("episode"),
    "episode_version": _episode("episode_version", "id"),
    "client": Rule(
        f"client.practice_id = {PRACTICE} AND"
        f" ({WHOLE} OR EXISTS (SELECT 1 FROM episode mine WHERE mine.client_id = client.id))"
    ),
    "client_version": Rule(
        f"client_version.practice_id = {PRACTICE} AND"
        f" ({WHOLE} OR EXISTS (SELECT 1 FROM client mine WHERE mine.id = client_version.id))"
    ),
    **{
        table: _episode(table)
        for table in (
            "appointment",
            "appointment_version",
            "score",
            "score_version",
            "episode_state",
            "session_state",
            "flag",
            "safety_check",
            "flag_reply",
            "episode_mark",
            "episode_expectation",
        )
    },
    # what belongs to one clinician
    "clinician_estimate": _caseload("clinician_estimate"),
    "monitoring_choice": _caseload("monitoring_choice"),
    "growth_goal": _caseload("growth_goal"),
    # meetings: shown where one of those they are about is in scope, or an episode that was talked about now is
    "meeting": Rule(
        f"meeting.practice_id = {PRACTICE} AND"
        f" ({WHOLE} OR {_MEETS.format('meeting.id')} OR {_MET_ABOUT.format('meeting.id')})",
        takes=f"meeting.practice_id = {PRACTICE}",
    ),
    "meeting_supervisee": Rule(
        _part_of("meeting_supervisee", "meeting", "meeting_id").shows,
        takes=_NAMED_IN_SCOPE.format("meeting_supervisee"),
    ),
    "agenda_item": Rule(
        f"agenda_item.practice_id = {PRACTICE} AND ({WHOLE} OR {_in_scope('agenda_item.episode_id')}"
        f" OR {_part_of('agenda_item', 'meeting', 'meeting_id').shows})"
    ),
    "meeting_field": Rule(
        "EXISTS (SELECT 1 FROM agenda_item item WHERE item.id = meeting_field.item_id AND"
        f" ({WHOLE} OR {_MEETS.format('item.meeting_id')} OR item.episode_id IS NOT NULL)"
        f" AND (item.episode_id IS NULL OR {WHOLE} OR {_in_scope('item.episode_id')}))"
    ),
    "agreed_action": Rule(
        f"agreed_action.practice_id = {PRACTICE} AND ({WHOLE} OR {_in_scope('agreed_action.episode_id')}"
        f" OR agreed_action.episode_id IS NULL AND (agreed_action.clinician_id = ANY ({CLINICIANS})"
        f" OR agreed_action.clinician_id IS NULL AND {_MEETS.format('agreed_action.meeting_id')}))"
    ),
    "sign_off": Rule(
        f"EXISTS (SELECT 1 FROM meeting it WHERE it.id = sign_off.meeting_id AND ({WHOLE} OR {_MEETS.format('it.id')}))"
    ),
    "meeting_addition": Rule(
        f"meeting_addition.practice_id = {PRACTICE} AND ({WHOLE} OR {_MEETS.format('meeting_addition.meeting_id')})"
    ),
    # snapshots: shown where every clinician in them is in scope
    "snapshot": Rule(
        f"snapshot.practice_id = {PRACTICE} AND ({WHOLE} OR supervision_all_of_snapshot(snapshot.id, {CLINICIANS}))",
        takes=f"snapshot.practice_id = {PRACTICE}",
    ),
    "snapshot_clinician": Rule(
        _part_of("snapshot_clinician", "snapshot", "snapshot_id").shows,
        takes=_NAMED_IN_SCOPE.format("snapshot_clinician"),
    ),
    "snapshot_file": _part_of("snapshot_file", "snapshot", "snapshot_id"),
    # what is the practice's as a whole, and holds no client
    **{
        table: _of_practice()
        for table in (
            "practice_instrument",
            "import",
            "evaluation",
            "fitted_model",
            "practice_rules",
            "practice_estimate",
            "saved_mapping",
            "sync_mark",
        )
    },
    # what belongs to no caseload, and does hold clients
    "set_aside": _whole(),
    "pending_row": _whole(),
    "erased_key": _whole(),
    "import_content": Rule(f'{WHOLE} AND EXISTS (SELECT 1 FROM "import" it WHERE it.id = import_content.import_id)'),
    # a director's reasons: for those whose caseload it was, and for whoever gave them
    "opened_caseload": Rule(
        f"opened_caseload.practice_id = {PRACTICE} AND ({WHOLE} OR opened_caseload.username = {ME}"
        f" OR opened_caseload.clinician_id = ANY ({CLINICIANS})) OR {DOOR}",
        takes=f"opened_caseload.practice_id = {PRACTICE} AND opened_caseload.username = {ME}",
        kept=True,
    ),
    # who looked at what: of those in scope, what one did oneself, and what was done about nobody in particular
    "audit": Rule(
        f"audit.practice_id = {PRACTICE} AND ({WHOLE} OR audit.clinician_id = ANY ({CLINICIANS})"
        f" OR audit.username = {ME} OR {_in_scope('audit.episode_id')}"
        f" OR audit.clinician_id IS NULL AND audit.episode_id IS NULL)"
        f" OR audit.practice_id IS NULL AND {WHOLE}",
        takes=f"audit.practice_id = {PRACTICE} OR {DOOR}",
        kept=True,
    ),
}
OPEN = {
    "alembic_version": "the number of the schema; nobody is in it",
    "sign_in_counter": "keyed digests and counts, charged before anybody is known and emptied at a reset",
    "provider_answer": "digests of answers that are spent, asked before anybody is known",
    "deployment_secret": "random words that every process needs before anybody is known",
}
POLICIES = {"SELECT": "see", "INSERT": "add", "UPDATE": "change", "DELETE": "remove"}


def _policies(table: str, rule: Rule) -> Iterable[str]:
    shows = f"{EVERYTHING} OR {rule.shows}"
    takes = f"{EVERYTHING} OR {rule.takes or rule.shows}"
    changes = f"{EVERYTHING} OR practice_id = {PRACTICE} AND {WHOLE}" if rule.kept else shows
    says = {
        "SELECT": f"USING ({shows})",
        "INSERT": f"WITH CHECK ({takes})",
        "UPDATE": f"USING ({changes}) WITH CHECK ({takes})",
        "DELETE": f"USING ({changes})",
    }
    for command, name in POLICIES.items():
        yield f'DROP POLICY IF EXISTS supervision_{name} ON "{table}"'
        yield f'CREATE POLICY supervision_{name} ON "{table}" FOR {command} {says[command]}'


def protect(connection: Connection, *tables: str) -> None:
    """Puts the rules of these tables in force, for their owner too; on SQLite there is nothing to do."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        for statement in _policies(table, RULES[table]):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        connection.exec_driver_sql(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')


def unprotect(connection: Connection, *tables: str) -> None:
    """Takes the rules of these tables back."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        for name in POLICIES.values():
            connection.exec_driver_sql(f'DROP POLICY IF EXISTS supervision_{name} ON "{table}"')
        connection.exec_driver_sql(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        connection.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')


def make_functions(connection: Connection) -> None:
    """The functions that the rules ask; on SQLite there is nothing to do."""
    if connection.dialect.name == "postgresql":
        for statement in FUNCTIONS:
            connection.execute(text(statement.replace(":", r"\:")))


def drop_functions(connection: Connection) -> None:
    """Takes the functions back; the rules have to be gone before."""
    if connection.dialect.name == "postgresql":
        for name in FUNCTION_NAMES:
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}")
