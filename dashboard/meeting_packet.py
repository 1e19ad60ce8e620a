"""What is gathered for the snapshot of a meeting: agenda, decisions, what changed, and each case that was on it.

Every open episode worth discussing is named, also those left out for time. Where names are hidden in the meeting they are
hidden on paper: clinicians by initials, user names left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from dashboard.access import NO_MEETING, Role, Viewer, check_can_make_snapshot, narrowed
from dashboard.errors import NotAllowed
from dashboard.estimate_view import estimate_view, on_paper
from dashboard.meetings.plans import KINDS
from dashboard.meetings.words import TITLES
from dashboard.packets import Reader, about_of, name_of, rows_of, waiting
from dashboard.snapshot.compose import Draft, Part, compose, listing
from dashboard.snapshot.content import Kind, Listed
from dashboard.ui.discussed_words import EARLIER
from dashboard.ui.meeting_blocks import (
    ACTION_COLUMNS,
    action_rows,
    coverage_facts,
    initials,
    item_words,
    left_out_blocks,
    since_blocks,
)
from dashboard.ui.meeting_close import closing_blocks, decided_rows
from dashboard.ui.meeting_hold import last_decision
from dashboard.ui.meeting_loading import Sitting, sitting
from dashboard.ui.meeting_patterns import KINDS as KINDS_OF_PATTERN
from dashboard.ui.meeting_patterns import pattern_part
from dashboard.ui.view import Block, Cell, Fold, Heading, Lead, Para, Split, Table, View
from dashboard.ui.words import day, plural
from pages import caseload, episode

SOMEBODY = "the clinician"
NOT_PROPOSED = "not on the agenda"


def meeting_draft(reader: Reader, viewer: Viewer, public_id: str, dropout_days: int) -> Draft:
    """The meeting as it stands. Raises NotAllowed where the viewer may not see it, or not everyone's episodes in it."""
    sat = sitting(reader.connection, viewer, public_id, reader.first)
    if sat is None:
        raise NotAllowed(NO_MEETING)
    check_can_make_snapshot(reader.scope, sat.clinicians)
    people = reader.people(sat.clinicians)
    shown = [row for row in sat.agenda if row["public_id"] is not None]
    parts = [Part(_front(sat)), *(Part(_case(reader, sat, row), notes=_has_room(sat, row)) for row in shown)]
    parts += [
        Part(_pattern(reader, viewer, sat, row, dropout_days)) for row in sat.agenda if row["kind"] in KINDS_OF_PATTERN
    ]
    about = about_of(
        reader, Kind.MEETING, _title(sat), people, sat.now, meeting_on=sat.row["held_on"],
        filters=(KINDS[sat.row["kind"]].lower(), f"{sat.row['minutes']} minutes", *waiting(reader)),
        coverage="; ".join(f"{what}: {value}" for what, value in coverage_facts(sat.read, sat.row["held_on"]).items),
    )  # fmt: skip
    if sat.people.hidden:
        about = replace(about, people=tuple(initials(name) for name in about.people))
    codes = sorted(str(row["source_id"]) for row in people)
    whose = codes[0] if len(codes) == 1 else f"{len(codes)}-supervisees"
    return Draft(compose(about, _summary(sat), parts, _listed(reader, sat, people, shown)), sat.clinicians, whose)


def _title(sat: Sitting) -> str:
    return "Meeting about the practice" if sat.row["kind"] == "director" else f"Meeting with {sat.people.all}"


def _summary(sat: Sitting) -> str:
    agreed = len(decided_rows(sat))
    cases = sum(1 for row in sat.agenda if row["episode_id"] is not None)
    state = "closed" if sat.is_closed else "being prepared"
    return f"{plural(len(sat.agenda), 'item')} on the agenda, {plural(cases, 'case')}; something written in {agreed}; {state}."


def _front(sat: Sitting) -> View:
    rows: list[list[str | Cell]] = [
        [str(row["position"]), Cell(item_words(row), sub=row["stratum"] or ""), f"{row['minutes']} min"] for row in sat.agenda
    ]  # fmt: skip
    blocks: list[Block] = [Table("Agenda", ("", "What", "Minutes"), rows), *left_out_blocks(sat.items, sat.people)]
    blocks += [Heading("Agreed in this meeting"), *closing_blocks(sat)]
    earlier = sat.read.actions.filter(pl.col("meeting_id") != sat.row["meeting_id"]).reverse()
    if earlier.height:
        table = Table("Agreed earlier", ACTION_COLUMNS, action_rows(earlier, sat.points, sat.people))
        blocks += [Heading("What was agreed earlier"), table]
    blocks += since_blocks(sat.read, sat.met)
    signed = [
        f"{row['part']}{'' if sat.people.hidden else ' ' + row['username']}, {day(row['signed_at'].date())}"
        for row in sat.signed.to_dicts()
    ]
    blocks.append(Para(f"Signed by: {'; '.join(signed)}." if signed else "Not signed yet."))
    for row in sat.additions.to_dicts():
        who = "" if sat.people.hidden else f"{row['username']}, "
        blocks.append(Para(f"Added afterwards ({who}{day(row['added_at'].date())}): {row['text']}"))
    return View("The meeting", "", "", None, blocks)


def _case(reader: Reader, sat: Sitting, row: Mapping[str, Any]) -> View:
    """The episode as its page shows it, with what was decided about it here and last time."""
    _, data = reader.episode_view(str(row["public_id"]))
    if sat.people.hidden:
        replies = data.replies.with_columns(username=pl.lit(SOMEBODY))
        data = replace(data, replies=replies, clinician=initials(data.clinician))
    view = episode.build(data, today=reader.today, chart_theme="light")
    own = decided_rows(sat, only=row["item_id"])
    decided: list[Block] = []
    if own:
        table = Table("Agreed about this episode", ("About", "What", "Who", "Look again on"), own)
        decided = [Heading("Agreed in this meeting"), table]
    title = f"{row['client_code']}: {TITLES[row['kind']].lower()}"
    lead = [block for block in view.blocks if isinstance(block, Lead)]
    rest = [_unfolded(block) for block in _without_earlier(view.blocks) if not isinstance(block, Lead | Fold)]
    return replace(view, title=title, blocks=[*lead, *decided, *last_decision(sat, row["episode_id"]), *rest])


def _pattern(reader: Reader, viewer: Viewer, sat: Sitting, row: Mapping[str, Any], dropout_days: int) -> View:
    """A pattern part as the meeting shows it, without what only those close by may see: others may read the paper."""
    look = on_paper(estimate_view(viewer))
    blocks = pattern_part(reader.connection, viewer, look, sat, row, dropout_days=dropout_days, theme="light")
    return View(TITLES[row["kind"]], "", "", None, blocks)


def _has_room(sat: Sitting, row: Mapping[str, Any]) -> bool:
    """Lines to write on, where the meeting is still ahead and nothing stands there yet."""
    return not sat.is_closed and not decided_rows(sat, only=row["item_id"])


def _unfolded(block: Block) -> Block:
    """What the page folds away, such as signals no longer raised, is left to the page."""
    if not isinstance(block, Split):
        return block
    left, right = ([one for one in side if not isinstance(one, Fold)] for side in (block.left, block.right))
    return Split(left, right)


def _without_earlier(blocks: Sequence[Block]) -> list[Block]:
    """What was decided before stands at the top of the sheet, not once more below."""
    at = next((n for n, one in enumerate(blocks) if isinstance(one, Heading) and one.text == EARLIER), None)
    return list(blocks) if at is None else [*blocks[:at], *blocks[at + 2 :]]


def _listed(
    reader: Reader, sat: Sitting, people: Sequence[dict[str, Any]], shown: Sequence[Mapping[str, Any]]
) -> list[Listed]:
    """Every open episode of these caseloads that is worth discussing: in detail below, or why not."""
    why = {row["client_code"]: row["left_out"] for row in sat.items if row["left_out"]}
    nobody = Viewer("", Role.SUPERVISOR, reader.scope.practice_id)  # the list always names whose caseload it is
    found: list[Listed] = []
    for person in people:
        data = reader.caseload_data(narrowed(reader.scope, person["clinician_id"]))
        view = caseload.build(nobody, data, chosen=name_of(person), today=reader.today)
        rows = listing(rows_of(view), sat.people.of(person["clinician_id"]), {str(row["public_id"]) for row in shown})
        found += [one if one.shown else replace(one, why=why.get(one.code, NOT_PROPOSED)) for one in rows]
    return found
