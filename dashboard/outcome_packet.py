"""What is gathered for a snapshot of outcomes: what the page says, or counts that may leave the practice.

A snapshot may be read later by whoever may read every caseload in it. It therefore holds no estimate on fewer episodes than
that whole circle may see: those on 10 to 29 stay on the screen of the clinician and their supervisor.
"""

from __future__ import annotations

from dataclasses import replace

from dashboard.access import Viewer, check_can_make_snapshot, narrowed
from dashboard.estimate_view import EstimateView, estimate_view, on_paper
from dashboard.packets import Reader, about_of
from dashboard.pattern_reading import patterns
from dashboard.snapshot.compose import Draft, Part, compose
from dashboard.snapshot.content import Audience, Kind
from dashboard.snapshot.patterns import SENTENCE, YEARS, outcomes_summary
from dashboard.ui.view import Lead
from dashboard.ui.words import plural
from pages import outcomes
from pages.outcomes import EVERY_MEASURE, PARTS, Choice


def outcomes_draft(reader: Reader, viewer: Viewer, choice: Choice, dropout_days: int) -> Draft:
    """What the page shows, with every measure, for supervision. Raises NotAllowed where somebody in it is out of scope."""
    own = int(choice.person["clinician_id"]) if choice.person else None
    scope = reader.scope if own is None else narrowed(reader.scope, own)
    people = reader.people(scope.clinician_ids)
    wanted = frozenset(int(row["clinician_id"]) for row in people)
    check_can_make_snapshot(reader.scope, wanted)
    look = on_paper(estimate_view(viewer))
    choice = replace(choice, measure=EVERY_MEASURE)
    data = outcomes.load(reader.connection, scope, viewer, look, choice, dropout_days, reader.evaluation_id)
    view = outcomes.build(viewer, look, data, choice, today=reader.today, chart_theme="light")
    whose = outcomes.whose_of(viewer, choice)
    named = people if choice.person else []
    title = (
        f"Outcomes of {outcomes.name_of(choice.person)}" if choice.person else f"Outcomes: {PARTS[choice.part].lower()}"
    )
    about = about_of(
        reader, Kind.PATTERNS, title, named, data.found.now,
        filters=(whose, f"{plural(data.found.ended.height, 'ended episode')}"),
    )  # fmt: skip
    sentence = next((block.sentence for block in view.blocks if isinstance(block, Lead)), f"{view.question}")
    codes = sorted(str(row["source_id"]) for row in people)
    content = compose(about, sentence, [Part(view, leave_out=frozenset({Lead}))])
    return Draft(content, wanted, codes[0] if own is not None else "outcomes")


def outcomes_counts_draft(reader: Reader) -> Draft:
    """Counts of what became of ended episodes, small ones withheld; nobody named. For a partner outside."""
    people = reader.people()
    wanted = frozenset(int(row["clinician_id"]) for row in people)
    check_can_make_snapshot(reader.scope, wanted)
    found = patterns(reader.connection, reader.scope, EstimateView(frozenset(), False), reader.evaluation_id)
    whole = reader.scope.clinician_ids is None
    about = about_of(
        reader, Kind.PRACTICE, "Outcomes in counts", [], found.now, audience=Audience.PRACTICE,
        filters=(("whole practice",) if whole else (f"{plural(len(wanted), 'caseload')}",)),
    )  # fmt: skip
    view = outcomes_summary(found.ended, about.as_of)
    return Draft(compose(about, SENTENCE.format(YEARS), [Part(view)]), wanted, "outcomes-counts")
