"""Numbers of an Observation or a QuestionnaireResponse, each with the codes that say what it is. No text of an item is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dashboard.intake.fhir.codes import LOINC, LOINC_CODE, coding_text, number_text, ordinal

Value = tuple[str, str | None, str | None, str | None, str | None, str | None]
DEFINED = re.compile(r"[/#](\d{1,5}-\d)$")


def _worth(element: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """(number, answer codings, fault) of an element with a value[x]; all null where it has none.

    An ordinal extension wins over what the coding means: widespread exports code every answer alike.
    """
    for name in ("valueInteger", "valueDecimal"):
        if element.get(name) is not None:
            number = number_text(element[name])
            return number, None, None if number is not None else "the value is not a number"
    if (quantity := element.get("valueQuantity")) is not None:
        if quantity.get("comparator"):
            return None, None, "the value is only a bound, not a number"
        number = number_text(quantity.get("value"))
        return number, None, None if number is not None else "the quantity has no value"
    codings = None
    if element.get("valueCoding") is not None:
        codings = [element["valueCoding"]]
    elif element.get("valueCodeableConcept") is not None:
        codings = element["valueCodeableConcept"].get("coding") or []
    if codings is not None:
        for one in (*codings, element, element.get("valueCodeableConcept")):
            if (number := ordinal(one)) is not None:
                return number, None, None
        text = coding_text(codings)
        return None, text or None, None if text else "the answer has no code"
    if any(name.startswith("value") for name in element):
        return None, None, "the value is not a number"
    return None, None, None


def _codes(concept: Any) -> str:
    return coding_text((concept or {}).get("coding"))


def observed(resource: dict[str, Any]) -> Iterator[Value]:
    """The value of an Observation and those of its components: codes, null, null, number, answer, fault."""
    components = resource.get("component") or []
    number, answer, fault = _worth(resource)
    if (number, answer, fault) != (None, None, None) or not components:
        yield _codes(resource.get("code")), None, None, number, answer, fault
    for one in components:
        number, answer, fault = _worth(one)
        if (number, answer, fault) != (None, None, None):
            yield _codes(one.get("code")), None, None, number, answer, fault


def responded(resource: dict[str, Any]) -> Iterator[Value]:
    """The answers of a QuestionnaireResponse: codes of the definition, questionnaire, link id, number, answer, fault."""
    asked = resource.get("questionnaire")
    if isinstance(asked, dict):  # STU3 has a Reference there
        asked = asked.get("reference")
    questionnaire = asked if isinstance(asked, str) else ""
    waiting = list(reversed(resource.get("item") or []))
    while waiting:
        item = waiting.pop()
        answers = item.get("answer") or []
        inner = [*(item.get("item") or []), *(one for answer in answers for one in answer.get("item") or [])]
        waiting.extend(reversed(inner))
        given = [_worth(one) for one in answers]
        given = [one for one in given if one != (None, None, None)]
        if not given:
            continue
        number, answer, fault = given[0]
        if len(given) > 1:
            number, answer, fault = None, None, "several answers to one question"
        link = item.get("linkId") or ""
        yield _definition(item.get("definition"), link), questionnaire, link, number, answer, fault


def _definition(definition: Any, link: str) -> str:
    """The LOINC code that an item's definition ends in, else the one its link id ends in, as system|code."""
    if isinstance(definition, str) and "loinc" in definition.lower() and (found := DEFINED.search(definition)):
        return f"{LOINC}|{found[1]}"
    last = link.rstrip("/").rsplit("/", 1)[-1]
    return f"{LOINC}|{last}" if LOINC_CODE.match(last) else ""
