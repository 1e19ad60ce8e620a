"""About the signals: what does each signal mean, where does it come from, and how well has it done here?"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from dashboard import runtime
from dashboard.access import Viewer, can_change_rules, counting_scope, first_look, scope_for
from dashboard.charts.calibration import calibration_by_tenth
from dashboard.glossary import GLOSSARY
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules
from dashboard.signals import BY_KEY, SIGNALS
from dashboard.signals.wording import short_name
from dashboard.ui.frame import current_viewer
from dashboard.ui.opened import note_page
from dashboard.ui.reading import Standing, standing
from dashboard.ui.record_parts import record
from dashboard.ui.show import show, theme
from dashboard.ui.view import Block, Cell, Facts, Fold, Heading, Para, Slot, Table, Term, View
from dashboard.ui.what_if_form import what_if_form
from dashboard.ui.words import MISSING, day, plural, score
from dashboard.validating import Validation, validate
from dashboard.what_if import SAFE_RANGE, Flips, changed, rules_in_force, save_rule, what_if, whole_practice
from pages import BY_NAME
from queries import caseload as reads
from queries import load as loads
from queries.acting import widening, within
from queries.engine import reading
from queries.frames import read_frame

PAGE = BY_NAME["about_signals"]
COUNTED_DAYS = 90  # design: how often it was raised in the last 90 days
FIRST_SEEN = " Signals that their clinicians are to see first are not counted."
FAMILY = {
    "safety": "Safety: stands above everything, outside every order",
    "outcome": "Outcome",
    "alliance": "Alliance",
    "retention": "Retention",
    "fit": "Fit: questions to explore together, never a score",
    "data": "Data: says what cannot be seen",
}


def _threshold(one: Instrument) -> str:
    if one.reliable_threshold is None:
        return MISSING
    return f"{score(one.reliable_threshold)} points{'' if one.rc_inclusive else ' (more than)'}"


def build(
    now: Standing,
    raised: dict[str, int],
    instruments: dict[str, Instrument],
    rules: Rules,
    said: Validation | None,
    *,
    sees_counts: bool,
    chart_theme: str,
) -> View:
    """Generated from the registries, so that it cannot differ from what runs; ``said``: how it did in the whole practice."""
    blocks: list[Block] = [
        Para(
            "A signal is a rule that suggests a conversation. None of them is an instruction, a diagnosis or a judgement of "
            "anyone's work, and a quiet list does not prove that all is well."
        )
    ]
    for family, words in FAMILY.items():
        members = [signal for signal in SIGNALS if signal.family == family]
        if not members:
            continue
        blocks.append(Heading(words))
        for signal in members:
            count = f"raised {plural(raised.get(signal.key, 0), 'time')} in {COUNTED_DAYS} days" if sees_counts else ""
            facts = [
                ("Needs", signal.minimum_data),
                ("Question it asks", signal.prompt),
                ("Known limits", signal.limits),
            ]
            blocks += [
                Term(signal.title, signal.rule_words(rules)),
                Fold(
                    "Source and limits" + (f" · {count}" if count else ""),
                    [
                        Facts(facts),
                        Para(
                            f"Source: {signal.source} Reviewed on {signal.reviewed_on}, version {signal.version}.",
                            quiet=True,
                        ),
                    ],
                ),
            ]
    numbers = [
        [name.replace("_", " "), str(value) if value != "" else MISSING] for name, value in rules.as_json().items()
    ]
    rows: list[list[str | Cell]] = [
        [
            Cell(short_name(one), sub=one.name),
            one.kind,
            f"{score(one.minimum)} to {score(one.maximum)}" if one.usable else "format not published",
            one.better,
            Cell(score(one.cutoff), sub=one.cutoff_note),
            Cell(_threshold(one), sub=one.reliable_change_note),
            one.licence,
            Cell(one.reviewed_on or MISSING, sub=one.source),
        ]
        for one in sorted(instruments.values(), key=lambda one: (one.kind != "outcome", one.key))
    ]
    columns = ("Questionnaire", "Kind", "Range", "Better", "Cut-off", "Reliable change", "Licence", "Reviewed, source")
    panel = None
    if said is not None and (tenths := said.dropout.tenths) is not None:
        panel = calibration_by_tenth(tenths, since=said.dropout.since, as_of=said.as_of, theme=chart_theme)
    blocks += record(said, panel)
    blocks += [
        Heading("This practice's numbers", "Project defaults unless this practice has set its own."),
        Fold("Show the numbers", [Table("The numbers the rules use", ("Setting", "Value"), numbers)]),
        Slot("what_if"),
        Heading(
            "Questionnaires",
            f"{plural(len(rows), 'questionnaire')}. A practice needs its own licence where one is required; no item wording is "
            "shipped.",
        ),
        Fold("Show the questionnaires", [Table("Questionnaires, their scales and sources", columns, rows)]),
        Heading("Words"),
        Fold(
            "Show the glossary",
            [Table("Glossary", ("Word", "Meaning"), [[word, sentence] for word, sentence in GLOSSARY.items()])],
        ),
    ]
    return View(PAGE.title, PAGE.question, now.line if sees_counts else "", now.as_of, blocks)


def render() -> None:
    """Reads how often each signal was raised in the viewer's scope and how all did in the practice; shows the registries."""
    viewer = current_viewer()
    settings = runtime.settings()
    rules = rules_in_force(runtime.engine(), settings, viewer.practice_id)
    scope = scope_for(viewer)
    since: date = settings.today() - timedelta(days=COUNTED_DAYS)
    with reading(runtime.engine()) as connection:
        now = standing(connection, scope)
        head_start = first_look(viewer, settings.clinician_first_days, settings.today())
        counts: pl.DataFrame = read_frame(connection, reads.raised_lately(scope, since, head_start))
        instruments = registry(loads.own_instruments(connection, scope))
        everyone = counting_scope(viewer)
        said = None
        with within(
            connection, everyone
        ):  # counts of the whole practice, for every role; no row of it leaves ``validate``
            current = read_frame(connection, reads.evaluation(everyone)).to_dicts()
            if current:
                said = validate(connection, everyone, rules, current[0]["id"], current[0]["as_of"])
    raised = {row["signal"]: row["raised"] for row in counts.to_dicts()}
    show(
        build(now, raised, instruments, rules, said, sees_counts=not scope.is_empty, chart_theme=theme()),
        {"what_if": lambda: _what_if(viewer, rules)},
    )


def _numbers(rules: Rules) -> dict[str, tuple[str, float, float, float]]:
    return {
        name: (name.replace("_", " "), float(getattr(rules, name)), float(low), float(high))
        for name, (low, high) in SAFE_RANGE.items()
    }


def _what_if(viewer: Viewer, rules: Rules) -> None:
    scope = scope_for(viewer)
    first = first_look(viewer, runtime.settings().clinician_first_days, runtime.settings().today())

    def attempt(name: str, value: float) -> list[Block]:
        asked = whole_practice(viewer.practice_id) if scope.is_empty else scope
        with widening(asked), reading(runtime.engine()) as connection:
            found = what_if(connection, asked, rules, changed(rules, name, value), first)
        if found is not None and not scope.is_empty:
            note_page("what another number would change", None)
        return _flips(found, shows_rows=not scope.is_empty, waits=first is not None)

    def save(name: str, value: float) -> str:
        settings = runtime.settings()
        return save_rule(runtime.engine(), settings, viewer, name, value, settings.now())

    what_if_form(_numbers(rules), attempt, save if can_change_rules(viewer.role) else None)


def _flips(found: Flips | None, *, shows_rows: bool, waits: bool = False) -> list[Block]:
    """What would change, in counts; with the episodes for those who may see them. ``waits``: clinicians see signals first."""
    if found is None:
        return [Para("Nothing has been evaluated yet.")]
    newly, gone, episodes = found.counts
    if not newly and not gone:
        return [Para(f"Nothing would change on {day(found.as_of)}.{FIRST_SEEN if waits else ''}")]
    said = Para(
        f"On {day(found.as_of)} {plural(newly, 'signal')} would be raised and {gone} would be gone, in "
        f"{plural(episodes, 'open episode')}.{FIRST_SEEN if waits else ''}"
    )
    if not shows_rows:
        return [said]
    rows: list[list[str | Cell]] = [
        [
            Cell(row["client_code"], href=f"episode?episode={row['public_id']}"),
            BY_KEY[row["signal"]].title,
            "would be raised" if row["newly"] else "would be gone",
        ]
        for row in found.rows.to_dicts()
    ]
    return [said, Table("What would change, by signal", ("Episode", "Signal", "Change"), rows)]


if __name__ == "__main__":
    render()
