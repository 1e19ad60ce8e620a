"""A survey with its items as columns: which columns are items, which only check attention, which instrument it may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dashboard.assist.names import tokens
from dashboard.assist.profile import Source
from dashboard.assist.words import ordered_labels, plain
from dashboard.instruments.instrument import Instrument

LEAST_ITEMS = 3  # fewer like columns are no questionnaire
MOST_LABELS = 12  # a response scale with more steps is rare
EVERYWHERE = frozenset(
    [
        "measure",
        "scale",
        "questionnaire",
        "inventory",
        "relationship",
        "alliance",
        "therapeutic",
        "index",
        "session",
        "short",
    ]
)
HIGHEST_STEP = 10  # of numbers as answers


@dataclass(frozen=True)
class Survey:
    """``items`` in file order; ``checks``: column -> the answer that its title asks for; ``labels``: answer -> how often.

    ``texts``: answers are words, so that each needs a number.
    """

    items: tuple[str, ...]
    checks: dict[str, str]
    labels: dict[str, int]
    texts: bool


@dataclass(frozen=True)
class LabelIdea:
    """Numbers proposed for answers, and why; ``sure`` False where a person has to set the order themselves."""

    numbers: dict[str, str] = field(default_factory=dict)
    why: str = ""
    sure: bool = False


def _answers(source: Source, column: str) -> dict[str, int]:
    return dict(source.profile(column).words)


def _label_groups(source: Source, columns: list[str]) -> list[list[str]]:
    """Columns that share a small vocabulary, largest group first."""
    groups: list[tuple[set[str], list[str]]] = []
    for column in columns:
        words = set(_answers(source, column))
        for vocabulary, members in groups:
            if (
                len(words & vocabulary) * 2 >= min(len(words), len(vocabulary))
                and len(words | vocabulary) <= MOST_LABELS
            ):
                vocabulary |= words
                members.append(column)
                break
        else:
            groups.append((set(words), [column]))
    return sorted((members for _, members in groups), key=len, reverse=True)


def _numbered(name: str) -> tuple[str, int] | None:
    found = re.match(r"^(.*?)[\s_.\-]*(\d{1,3})$", name.strip())
    return (found[1].casefold(), int(found[2])) if found else None


def survey_of(source: Source) -> Survey | None:
    """The questionnaire that the file's columns make; null where there are fewer than three like columns."""
    words, numbers = [], []
    for column in source.names:
        profile = source.profile(column)
        if not profile.filled or profile.written.any:
            continue
        if (
            profile.whole
            and not profile.leading_zero
            and (profile.low or 0) >= 0
            and (profile.high or 0) <= HIGHEST_STEP
        ):
            numbers.append(column)
        elif not profile.number and profile.distinct <= MOST_LABELS and profile.distinct * 2 <= max(4, profile.filled):
            words.append(column)
    stems: dict[str, list[str]] = {}
    for column in numbers:
        if found := _numbered(column):
            stems.setdefault(found[0], []).append(column)
    by_name = sorted(stems.values(), key=len, reverse=True)
    by_label = _label_groups(source, words)
    texts = bool(by_label) and len(by_label[0]) >= LEAST_ITEMS
    members = by_label[0] if texts else (by_name[0] if by_name else [])
    if len(members) < LEAST_ITEMS:
        return None
    labels = _counted(source, members)
    checks = attention_checks(members, list(labels)) if texts else {}
    items = tuple(column for column in members if column not in checks)
    return Survey(items, checks, _counted(source, list(items)), texts)


def _counted(source: Source, columns: list[str]) -> dict[str, int]:
    labels: dict[str, int] = {}
    for column in columns:
        for word, count in _answers(source, column).items():
            labels[word] = labels.get(word, 0) + count
    return labels


def counted_labels(source: Source, columns: list[str]) -> dict[str, int]:
    """Every distinct answer of these columns with its count, most frequent first."""
    counted = _counted(source, [column for column in columns if column in source.names])
    return dict(sorted(counted.items(), key=lambda one: (-one[1], one[0])))


def attention_checks(columns: list[str], labels: list[str]) -> dict[str, str]:
    """Columns whose title names one of the answers, as a check of attention does: column -> the answer it asks for."""
    found = {}
    for column in columns:
        title = f" {plain(column)} "
        named = [label for label in labels if plain(label) and _says(title, plain(label))]
        if named:
            found[column] = max(named, key=len)
    return found


def _says(title: str, label: str) -> bool:
    whole_words = label.isascii()
    return f" {label} " in title if whole_words else label in title


def label_numbers(labels: Mapping[str, int] | list[str], instrument: Instrument | None) -> LabelIdea:
    """Numbers for answers, from the order of known words and the instrument's own steps."""
    given = list(labels)
    if given and all(re.fullmatch(r"[+-]?\d+([.,]\d+)?", one) for one in given):
        return LabelIdea({one: one.replace(",", ".") for one in given}, "numbers already", True)
    led = {one: found.group(1) for one in given if (found := re.match(r"^\s*\(?(\d+)\)?\s*[-=:.)]", one))}
    if given and len(led) == len(given) and len(set(led.values())) == len(given):
        return LabelIdea(led, "each answer begins with its number", True)
    ordered = ordered_labels(given)
    if ordered is None:
        return LabelIdea({}, "these words are not known here: set the numbers", False)
    family, order = ordered
    low = instrument.item_minimum if instrument else None
    high = instrument.item_maximum if instrument else None
    first = int(low) if low is not None else 0
    numbers = {label: str(first + place) for place, label in enumerate(order)}
    if low is None or high is None:
        return LabelIdea(numbers, f"words of {family} in their order; the first number is for you to say", False)
    if len(order) != int(high - low) + 1:
        steps = int(high - low) + 1
        return LabelIdea(
            numbers, f"words of {family}; {len(order)} answers for {steps} steps: check the numbers", False
        )
    return LabelIdea(numbers, f"words of {family} in their order, {int(low)} to {int(high)}", True)


def likely_instruments(survey: Survey, source: Source, instruments: Mapping[str, Instrument]) -> list[tuple[str, str]]:
    """Instruments with as many items and steps as the survey, likeliest first: (key, why)."""
    words = set(tokens(source.stem))
    found = []
    for key, one in instruments.items():
        if one.items != len(survey.items) or not one.usable:
            continue
        why, points = f"{one.items} items", 0.0
        if one.item_minimum is not None and one.item_maximum is not None:
            steps = int(one.item_maximum - one.item_minimum) + 1
            if len(survey.labels) == steps:
                why, points = f"{one.items} items of {steps} answers", points + 2
            elif len(survey.labels) > steps:
                continue
        if (set(tokens(key)) | set(tokens(one.name)) - EVERYWHERE) & words:
            why, points = f"{why}; the file's name", points + 2
        if one.kind == "alliance" and words & {"alliance", "relationship", "therapeutic", "beziehung"}:
            points += 1
        points += 0.5 if one.rater == "client" else 0
        found.append((points, key, why))
    return [(key, why) for _, key, why in sorted(found, key=lambda one: (-one[0], one[1]))]
