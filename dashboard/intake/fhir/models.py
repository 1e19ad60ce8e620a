"""Is a resource valid FHIR? Judged by the model library, R4 first and then STU3 (or whichever served last).

A full judgement costs the library 0.1 to 0.4 ms a resource. The same parts come again and again (codes, answers, references), and
what the library asks of a whole depends only on which elements are there; so a resource whose elements are a combination
that it has accepted before is accepted when each of its parts is. Everything else is judged whole: nothing is refused,
and no message made, in any other way.

R4 is judged with the library's R4B models: the resources read here are the same in both releases.
"""

from __future__ import annotations

import marshal
import re
import types
import typing
from functools import cache
from importlib import import_module
from typing import Annotated, Any

from fhir_core.types import FhirBase, FhirElementOrResourceBase
from pydantic import TypeAdapter, ValidationError

RELEASES = {"R4": "fhir.resources.R4B", "STU3": "fhir.resources.STU3"}
# what this program reads of a resource; a fault elsewhere does not keep it out
READ: dict[str, frozenset[str]] = {
    "Patient": frozenset({"birthDate", "gender", "generalPractitioner", "link", "identifier"}),
    "Practitioner": frozenset({"name", "identifier"}),
    "PractitionerRole": frozenset({"practitioner"}),
    "EpisodeOfCare": frozenset({"status", "statusHistory", "patient", "period", "careManager"}),
    "Encounter": frozenset(
        {"status", "class", "type", "subject", "episodeOfCare", "participant", "appointment", "period", "partOf"}
    ),
    "Appointment": frozenset(
        {"status", "cancelationReason", "serviceType", "appointmentType", "start", "created", "participant"}
    ),
    "QuestionnaireResponse": frozenset(
        {"questionnaire", "status", "subject", "encounter", "context", "authored", "author", "source", "item"}
    ),
    "Observation": frozenset(
        {
            "status", "code", "subject", "encounter", "context", "effectiveDateTime", "effectivePeriod", "effectiveInstant",
            "effectiveTiming", "issued", "performer", "valueQuantity", "valueInteger", "valueDecimal", "valueCodeableConcept",
            "valueString", "component",
        }
    ),
    "Questionnaire": frozenset({"url", "version", "status", "item"}),
}  # fmt: skip
ALWAYS = frozenset({"resourceType", "id", "meta", "modifierExtension", "implicitRules", "contained"})
WITHOUT_OFFSET = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(\.\d+)?$")
LOOSE_ID = re.compile(r"^[A-Za-z0-9\-._]{1,128}$")
SMALL, MANY_PARTS, MANY_SHAPES = 600, 50_000, 2_000
SAID = 160


def _bare(annotation: Any) -> Any:
    """The type inside Optional."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [one for one in typing.get_args(annotation) if one is not type(None)]
        if len(inner) == 1:
            return inner[0]
    return annotation


@cache
def _adapter(library: Any, name: str) -> TypeAdapter[Any]:
    """Costs milliseconds to build, so it is kept for the life of the process."""
    field = library.model_fields[name]
    kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return TypeAdapter(kind)


class _Part:
    """One element of a model: a model of its own, a list of them, or plain values that the library's type judges."""

    def __init__(self, library: Any, name: str, known: dict[Any, _Model]) -> None:
        inner = _bare(library.model_fields[name].annotation)
        self.many = typing.get_origin(inner) is list
        one = _bare(typing.get_args(inner)[0]) if self.many else inner
        self.model: _Model | None = None
        if isinstance(one, type) and issubclass(one, FhirBase) and not issubclass(one, FhirElementOrResourceBase):
            self.model = _model(one.get_model_klass(), known)
            return
        self.adapter = _adapter(library, name)

    def accepts(self, value: Any) -> bool:
        """True where the library accepts the element; false where it does not, or where only the whole can tell."""
        if value is None:
            return False
        if self.model is None:
            try:
                self.adapter.validate_python(value)
            except (ValueError, TypeError, KeyError, AttributeError):
                return False
            return True
        if self.many:
            return type(value) is list and all(type(one) is dict and self.model.accepts_part(one) for one in value)
        return type(value) is dict and self.model.accepts_part(value)


class _Model:
    """One of the library's models, with the combinations of elements and the small parts that it has accepted."""

    def __init__(self, library: Any, known: dict[Any, _Model]) -> None:
        self.library, self.known = library, known
        self.fields = {field.alias or name: name for name, field in library.model_fields.items()}
        self.parts: dict[str, _Part] = {}
        self.shapes: set[tuple[str, ...]] = set()
        self.accepted: set[bytes] = set()

    def accepts_part(self, value: dict[str, Any]) -> bool:
        mark = marshal.dumps(value, 2)
        if mark in self.accepted:
            return True
        if not self.accepts(value):
            return False
        if len(mark) <= SMALL and len(self.accepted) < MANY_PARTS:
            self.accepted.add(mark)
        return True

    def accepts(self, value: dict[str, Any]) -> bool:
        shape = tuple(value)
        if shape not in self.shapes:
            if self.fault(value) is not None:
                return False
            plain = all(name in self.fields and not name.startswith("_") for name in shape if name != "resourceType")
            if plain and None not in value.values() and len(self.shapes) < MANY_SHAPES:
                self.shapes.add(shape)
            return True
        for name, one in value.items():
            if name == "resourceType":
                if one != self.library.__resource_type__:
                    return False
                continue
            part = self.parts.get(name)
            if part is None:
                part = self.parts[name] = _Part(self.library, self.fields[name], self.known)
            if not part.accepts(one):
                return False
        return True

    def fault(self, value: dict[str, Any]) -> str | None:
        """The library's first objection to the whole in one line; null where it has none."""
        try:
            self.library.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_context=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            return " ".join(f"{where}: {first['msg']}".split())[:SAID]
        except RecursionError:
            return "nested too deeply"
        except Exception as error:  # on hostile input the library's own code raises what it does not declare
            return f"the library cannot judge it ({type(error).__name__})"
        return None


def _model(library: Any, known: dict[Any, _Model]) -> _Model:
    if library not in known:
        known[library] = _Model(library, known)
    return known[library]


def _tolerable(resource: dict[str, Any]) -> dict[str, Any]:
    """What this program reads of it: ids with an underscore and practice times without an offset made valid."""
    wanted = READ[resource["resourceType"]] | ALWAYS
    kept: dict[str, Any] = {}
    for name, one in resource.items():
        if name in wanted and one not in ("", None, [], {}):
            found = WITHOUT_OFFSET.match(one) if isinstance(one, str) else None
            kept[name] = f"{found[1]}{found[2] or ':00'}{found[3] or ''}Z" if found else one
    if isinstance(kept.get("id"), str) and LOOSE_ID.match(kept["id"]):
        kept["id"] = "x"
    return kept


class Judge:
    """Keeps what the library said for the length of one call."""

    def __init__(self) -> None:
        """Starts knowing nothing; a release's models are loaded when first needed."""
        self.known: dict[Any, _Model] = {}
        self.release = "R4"

    def _of(self, release: str, kind: str) -> _Model:
        module = import_module(f"{RELEASES[release]}.{kind.lower()}")
        return _model(getattr(module, kind), self.known)

    def objection(self, resource: dict[str, Any]) -> tuple[str | None, str | None]:
        """(why it is not valid, null) or (null, what is not valid in a part that is not read) or (null, null)."""
        kind = resource["resourceType"]
        order = [self.release, *(one for one in RELEASES if one != self.release)]
        try:
            for release in order:
                if self._of(release, kind).accepts(resource):
                    self.release = release
                    return None, None
            faults = {release: self._of(release, kind).fault(resource) for release in order}
            smaller = _tolerable(resource)
            for release in order:
                if self._of(release, kind).fault(smaller) is None:
                    return None, faults[release]
        except RecursionError:
            return "nested too deeply", None
        return f"not valid FHIR {self.release}: {faults[self.release]}", None
