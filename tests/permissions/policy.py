"""Who may do what to whose things: the policy as a table, written by hand and on its own, never read from the code.

Cells name owners (see ``world``), ``own`` (the person's own), ``ours`` (everybody's of the first practice), ``-`` (nobody's).
Each act is tried with everybody's things; what the cell does not name has to be refused, and to leave nothing behind. An act is
named as the code names it; words in brackets tell two rows of the same act apart. The other people have no column: whoever has
no clinician record, or is of the other practice, may do nothing here but what a row with ``*`` opens by role alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.permissions.world import OURS

COLUMNS = ("clinician", "supervisor", "director", "admin")
ACTS = """
# -- what happened in an episode
entering.occasions_of                    own    own,now  ours   -
entering.room_of                         own    own      ours   -
entering.enter_session                   own    own      ours   -
entering.enter_session (their token)     own,other,nobody  own,other,nobody  own,other,nobody  -
entering.delete_occasion                 own    own      ours   -
entering.bring_back                      own    own      ours   -
entering_episodes.open_episode           own    own      ours   -
entering_episodes.open_episode (client)  own    own,now  ours   -
entering_episodes.open_episode (their token)  own,other,nobody  own,now,other,nobody  ours,other,nobody  -
entering_episodes.end_episode            own    own      ours   -
entering_episodes.reopen_episode         own    own      ours   -
entering_episodes.change_episode         own    own      ours   -
entering_episodes.hand_over              -      -        ours   -
entering_episodes.code_of                own    own,now  ours   -
entering_episodes.clinicians_for         own    own      ours   -
entering_episodes.clients_for            own    own,now  ours   -
ui.entry_reading.read_episode            own    own,now  ours   -
ui.entry_reading.read_choices            own    own      ours   -
# -- what a signal says, and what became of it
replies.reply                            own    own      own    -
supervising.mark                         own    own      own    -
safety.record_check                      own    own,now  ours   -
# -- meetings: whom they are about and who leads them write; only who leads arranges
ui.meeting_loading.sitting               own    own,now  ours,several,alone  -
meeting_packet.meeting_draft             own    own,now  ours,several,alone  -
ui.meeting_patterns.pattern_part         own    own,now  ours   -
supervising.prepare                      -      now      ours   -
supervising.scope_of                     own    own,now  ours   -
supervising.Room.hide_names              own    own,now  led    -
supervising.Room.put_on                  own    own,now  led    -
supervising.Room.add_case                own    own,now  led    -
supervising.Room.add_case (their case)   own    now      own    -
supervising.Room.write                   own    own,now  led    -
supervising.Room.write (their item)      own    now      own    -
supervising.Room.propose_again           -      now      led    -
supervising.Room.put_off                 -      now      led    -
supervising.Room.move                    -      now      led    -
supervising.Room.move (their item)       -      now      own    -
supervising.Room.take_off                -      now      led    -
supervising.Room.set_minutes             -      now      led    -
supervising.Room.discard                 -      now      led    -
supervising.Room.close                   -      now      led    -
supervising.Room.sign                    own    own,now  signs  -
supervising.Room.add_after               own    own,now  signs  -
named_meetings.listed                    own    own,now  ours,several,alone  -
named_meetings.people                    own    own,now  ours,several,alone  -
named_meetings.agenda                    own    own,now  ours,several,alone  -
supervising.set_action                   own    own,now  ours,several   -
# -- snapshots
packets.caseload_draft                   own    own,now  ours   -
packets.episode_draft                    own    own,now  ours   -
packets.practice_draft                   own    own,now  ours   -
outcome_packet.outcomes_draft            own    own,now  ours   -
snapshots.make                           own    own,now  ours   -
snapshots.stored_file                    own    own,now  ours,several  -
snapshots.delete                         -      -        ours,several  -
# -- a clinician's own
growth_goals.set_goal                    self   self     self   -
growth_goals.close_goal                  self   self     self   -
growth_goals.share_goal                  self   self     self   -
own_reading.own_reading                  own    own,now  ours   -
queries.store_patterns.choose_monitoring own    own      own    -
signin.own.end_one                       own    own      own    own
# -- people and the practice
staffing.add_clinician                   -      -        *      *
staffing.change_clinician                -      -        ours   ours
staffing.add_leave                       -      -        ours   ours
staffing.add_leave (cover)               -      -        ours   ours
staffing.add_link                        -      -        ours   ours
staffing.add_link (above)                -      -        ours   ours
staffing.end_link                        -      -        now,ended,future   now,ended,future
keeping.erasing.erase_client             -      -        ours   -
undoing.undo                             -      -        ours   ours
assist.trying.known_instruments          -      -        *      *
assist.trying.try_out                    -      -        *      *
assist.trying.load_tables                -      -        *      *
saved_mappings.Shelf.names               -      -        ours   ours
saved_mappings.Shelf.text                -      -        ours   ours
saved_mappings.Shelf.save                -      -        *      *
saved_mappings.Shelf.rename              -      -        ours   ours
saved_mappings.Shelf.delete              -      -        ours   ours
# -- where the practice asks for a reason before a director opens somebody else's caseload
opened_caseloads.open_with_reason        -      -        clinician,supervisor,now,ended,future,colleague,admin  -
what_if.save_rule                        -      -        -      *
"""
COVERED = ("safety.record_check",)  # the one act that covering a leave allows (``world.COVERS``)
# The director leads the meetings about those whom the supervisor never supervised; those about ``now`` only who leads it changes.
LED = ("clinician", "supervisor", "colleague", "director", "admin")

NOT_ACTS = {
    "access.": "the rules themselves: each is asked by an act, and mutated by the mutation run",
    "reach.": "rules, as access",
    "estimate_view.": "a rule, as access",
    "looking.": "rules, as access: whose rows a page shows, and whether a purpose comes first (tried by download)",
    "seeing.": "what others see of the viewer's own rows, asked of the statements themselves (page matrix)",
    "viewing.": "who somebody is, and whether that still holds; every try here begins with it",
    "ui.page_snapshots.": "buttons over the drafts, which are acts",
    "ui.assistant": "the import assistant's screens over Shelf, try_out and load_tables, which are acts",
    "ui.snapshot_button.snapshot_button": "a button over snapshots.make",
    "ui.episode_forms.": "forms over entering_episodes",
    "ui.staff_forms.": "forms over staffing; the page is for directors and administrators",
    "ui.undo_block.undo_block": "a form over undoing.undo",
    "ui.upload_form.upload_form": "a form; whoever posts it is asked again (page matrix)",
    "ui.keeping_blocks.keeping_blocks": "a form over erase_client",
    "ui.safety_form.checking": "a form over record_check",
    "ui.frame.remember": "hands the viewer of a rerun to the page",
    "ui.opened.note_": "writes down a look; the page has read what it shows in scope before",
    "ui.purpose.": "the question what one looks for; the answer is kept with one's own session",
    "ui.closed_caseload.": "blocks and a form over open_with_reason; what they name is tried by page",
    "entering.Room.": "reads what room_of has let in",
    "entering.evaluated": "evaluates what an act has stored",
    "entering_episodes.suggested_code": "draws a code that nobody has",
    "supervising.Room.now": "a clock",
    "digest.next_meeting": "reads visible_meetings; tried by command",
    "downloads.": "tried by download",
    "signin.": "before anybody is known, or one's own and names nobody (but own.end_one); tried by session and by URL",
    "digest.digest": "tried by command",
    "exporting.export_table": "tried by command",
    "snapshot_command.write_snapshot": "tried by command",
    "demo.": "makes an invented practice; whoever holds the database",
    "evaluation.": "computes; reads and writes no text of a client's for anybody",
    "importing.": "whoever holds the database; from a page after check_can_import (page matrix)",
    "keeping.copies.": "whoever holds the database",
    "keeping.protecting.": "whoever holds the database",
    "rotating.": "whoever holds the database",
    "keeping.erasing.apply_retention": "whoever holds the database",
    "people.": "whoever holds the database; from a page after check_can_manage_people (page matrix)",
}


@dataclass(frozen=True)
class Row:
    """One act and the owners whose things each role may do it to."""

    act: str
    allowed: dict[str, frozenset[str]]

    def allows(self, role: str, owner: str, own: str | None) -> bool:
        """Whether somebody of a role, whose own things are those of ``own``, may do it to an owner's."""
        cell = self.allowed[role]
        return owner in cell or ("own" in cell and owner == own)

    @property
    def function(self) -> str:
        """The function as the code names it."""
        return self.act.partition(" (")[0]


def _cell(text: str) -> frozenset[str]:
    found: set[str] = set()
    for word in text.split(","):
        match word:
            case "-":
                pass
            case "ours":
                found.update(OURS)
            case "led":
                found.update(LED, ("alone",))
            case "signs":
                found.update(LED)
            case "own" | "self":  # ``self``: the act names nobody, it is always done to one's own
                found.add("own")
            case "*":
                found.update((*OURS, "other", "nobody"))  # whose is not part of the question
            case _:
                found.add(word)
    return frozenset(found)


def rows(table: str) -> Iterator[Row]:
    """The rows of a table."""
    for line in table.strip().splitlines():
        if line.startswith("#"):
            continue
        *act, first, second, third, fourth = line.split()
        cells = dict(zip(COLUMNS, (first, second, third, fourth), strict=True))
        yield Row(" ".join(act), {role: _cell(cell) for role, cell in cells.items()})


PAGES = """
caseload       yes  yes  yes  -
episode        yes  yes  yes  -
enter          yes  yes  yes  -
meeting        yes  yes  yes  -
alliance       yes  yes  yes  -
retention      yes  yes  yes  -
outcomes       yes  yes  yes  -
snapshots      yes  yes  yes  -
data_quality   yes  yes  yes  yes
about_signals  yes  yes  yes  yes
my_visibility  yes  yes  yes  yes
people         -    -    yes  yes
account        yes  yes  yes  yes
"""
SEEN = {  # whose clients may be named on a page, and in a file
    "clinician": ("own",),
    "supervisor": ("own", "now"),
    "director": OURS,
    "admin": (),
}
# What an address may name, and whose thing it then is: page, parameter, what of an owner's; a parameter not here fails a test.
ADDRESSES = (
    ("episode", {"episode": "episode"}),
    ("episode", {"episode": "ended"}),
    ("enter", {"episode": "by_hand"}),
    ("enter", {"episode": "by_hand", "entry": "ref"}),
    ("meeting", {"meeting": "meeting"}),
    ("meeting", {"meeting": "meeting", "item": "item"}),
    ("meeting", {"meeting": "closed", "step": "=close"}),
    ("caseload", {"clinician": "clinician"}),
    ("alliance", {"clinician": "clinician"}),
    ("retention", {"clinician": "clinician"}),
    ("outcomes", {"clinician": "clinician"}),
)
NAME_NOTHING = {
    "new": "opens the form for a new episode",
    "definition": "a definition of ending early",
    "part": "a part of a page",
    "step": "a step of a page",
    "measure": "a measure of the page Outcomes",
}


def pages() -> dict[str, dict[str, bool]]:
    """Page to role to whether that role may open it."""
    listed = (line.split() for line in PAGES.strip().splitlines())
    return {name: {role: cell == "yes" for role, cell in zip(COLUMNS, cells, strict=True)} for name, *cells in listed}


def seen_by(role: str, own: str | None) -> frozenset[str]:
    """Whose clients somebody may see."""
    found = {own if one == "own" else one for one in SEEN[role]}
    return frozenset(one for one in found if one is not None)
