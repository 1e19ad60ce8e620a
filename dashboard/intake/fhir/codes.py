"""Which code is which scale, and what an answer is worth: LOINC as published, and what the practice maps itself.

LOINC codes: HL7 US Core STU7, US Behavioral Health and Personal Health Record guides (science section 1). No code of a total
could be confirmed for PCL-5, WHO-5, K10, WSAS, CORE, OQ, ORS or WAI: those need a mapping. 70221-7 is the PCL-C, which is
not the PCL-5, and 55758-7 the PHQ-2, which is not the PHQ-9: both stay unmapped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from dashboard.intake.mapping import Code

LOINC = "http://loinc.org"
PHQ9 = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")
GAD7 = ("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7")
TOTALS = {"44261-6": "phq9", "70274-6": "gad7"}
PANELS = {"44249-1": "44261-6", "69737-5": "70274-6"}
# the answers of the PHQ family: not at all, several days, more than half the days, nearly every day
ANSWERS = {"LA6568-5": "0", "LA6569-3": "1", "LA6570-1": "2", "LA6571-9": "3"}
LOINC_CODE = re.compile(r"^\d{1,5}-\d$")
ORDINALS = frozenset(
    f"http://hl7.org/fhir/StructureDefinition/{name}"
    for name in ("iso21090-CO-value", "ordinalValue", "questionnaire-ordinalValue", "itemWeight")
)


@dataclass(frozen=True)
class Scale:
    """Where a number belongs. ``times`` turns a raw total into the published scale (only by a mapping)."""

    instrument: str
    scale: str
    respondent: str | None = None
    times: float = 1.0


def _published() -> dict[str, Scale]:
    found = {f"{LOINC}|{code}": Scale(key, "total") for code, key in TOTALS.items()}
    for key, codes in (("phq9", PHQ9), ("gad7", GAD7)):
        found |= {f"{LOINC}|{code}": Scale(key, f"item_{number}") for number, code in enumerate(codes, start=1)}
    return found


def plain_url(canonical: str) -> str:
    """A canonical address without its version."""
    return canonical.split("|", 1)[0]


@dataclass
class CodeBook:
    """Codes, link ids and answers to scales and numbers. A mapping of the practice wins over what is published."""

    scales: dict[str, Scale] = field(default_factory=_published)
    links: dict[tuple[str, str], Scale] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=lambda: {f"{LOINC}|{code}": n for code, n in ANSWERS.items()})
    own_answers: dict[tuple[str, str], str] = field(default_factory=dict)
    # of Questionnaires in the call: (address, link id) to codings, (address, answer) to number
    asked: dict[tuple[str, str], str] = field(default_factory=dict)
    worth: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, codes: tuple[Code, ...]) -> CodeBook:
        """The published codes with the practice's own."""
        book = cls()
        for one in codes:
            book._take(one)
        return book

    def _take(self, one: Code) -> None:
        def scale(name: str) -> Scale:
            return Scale(one.instrument or "", name, one.respondent, one.times or 1.0)

        where = plain_url(one.questionnaire) if one.questionnaire else ""
        if one.code:
            self.scales[f"{one.system}|{one.code}"] = scale(one.scale)
        if one.link_id:
            self.links[where, one.link_id] = scale(one.scale)
        for number, link in enumerate(one.items, start=1):
            self.links[where, link] = Scale(one.instrument or "", f"item_{number}", one.respondent)
        within = where or (f"{one.system}|{one.code}" if one.code else "")
        for answer, worth in one.answers.items():
            self.own_answers[within, answer] = worth

    def learn(self, questionnaire: dict[str, Any]) -> None:
        """What a Questionnaire of the call says of its items: their codes, and the ordinal values of their answers."""
        names = {f"Questionnaire/{questionnaire.get('id')}"}
        url, version = questionnaire.get("url"), questionnaire.get("version")
        if isinstance(url, str):
            names |= {plain_url(url), f"{url}|{version}"}
        open_items = [questionnaire.get("item")]
        while open_items:
            for item in open_items.pop() or []:
                open_items.append(item.get("item"))
                codings = coding_text(item.get("code"))
                for name in names:
                    if codings:
                        self.asked[name, item.get("linkId")] = codings
                for option in item.get("answerOption") or item.get("option") or []:
                    coding = option.get("valueCoding")
                    number = ordinal(coding) or ordinal(option)
                    if coding and number is not None:
                        for name in names:
                            self.worth[name, f"{coding.get('system', '')}|{coding.get('code')}"] = number

    def scale_of(self, codes: str) -> tuple[Scale | None, str | None]:
        """The scale of codings (system|code, by line feeds), or null with why where the code is one of a whole panel."""
        each = codes.split("\n")
        for code in each:
            if code in self.scales:
                return self.scales[code], None
        for code in each:
            total = PANELS.get(code.removeprefix(f"{LOINC}|"))
            if total and code.startswith(f"{LOINC}|"):
                return None, f"{code} is the code of the whole panel, not of its total ({total}); it is no score"
        return None, None

    def scale_of_link(self, questionnaire: str, link: str, codes: str) -> tuple[Scale | None, str | None]:
        """The scale of an answer: by the practice's mapping, else the Questionnaire's code, else its own (``codes``)."""
        url = plain_url(questionnaire)
        for where in (url, ""):
            if (where, link) in self.links:
                return self.links[where, link], None
        for name in (questionnaire, url):
            if (name, link) in self.asked:
                return self.scale_of(self.asked[name, link])
        return self.scale_of(codes)

    def number_of(self, answer: str, questionnaire: str, codes: str) -> str | None:
        """What an answer's codings (system|code, by line feeds) are worth; null where nothing says so."""
        url = plain_url(questionnaire)
        for one in answer.split("\n"):
            bare = one.split("|", 1)[1] if "|" in one else one
            for where in (url, *codes.split("\n"), ""):
                for given in (one, bare):
                    if (where, given) in self.own_answers:
                        return self.own_answers[where, given]
            for name in (questionnaire, url):
                if (name, one) in self.worth:
                    return self.worth[name, one]
            for given in (one, f"{LOINC}{one}" if one.startswith("|") else one):
                if given in self.answers:
                    return self.answers[given]
        return None


def coding_text(codings: Any) -> str:
    """Codings as system|code, by line feeds; '' where there is none."""
    found = [
        f"{one.get('system') or ''}|{one['code']}"
        for one in codings or []
        if isinstance(one, dict) and isinstance(one.get("code"), str)
    ]
    return "\n".join(found)


def number_text(value: Any) -> str | None:
    """A JSON number as a plain decimal; null for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def ordinal(element: Any) -> str | None:
    """The number that an ordinal extension on a coding or an answer gives; null where there is none."""
    if not isinstance(element, dict):
        return None
    for one in element.get("extension") or []:
        if isinstance(one, dict) and one.get("url") in ORDINALS:
            for name in ("valueDecimal", "valueInteger"):
                if (number := number_text(one.get(name))) is not None:
                    return number
    return None
