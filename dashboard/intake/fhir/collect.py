"""Valid resources to plain rows: people, episodes of care, appointments and encounters. No name of a client is ever read."""

from __future__ import annotations

from typing import Any

from dashboard.intake.fhir.codes import CodeBook
from dashboard.intake.fhir.references import OR, PLAIN, References
from dashboard.intake.fhir.rows import EPISODES, PATIENTS, PRACTITIONERS, ROLES, UNITS, VALUES, VISITS, Rows
from dashboard.intake.fhir.values import observed, responded

SNOMED = "http://snomed.info/sct"
VIDEO = frozenset({"VR", f"{SNOMED}|448337001"})  # v3-ActCode virtual; SNOMED CT telemedicine consultation
PHONE = frozenset({f"{SNOMED}|185317003"})  # SNOMED CT telephone encounter
PRIMARY = "PPRF"  # v3-ParticipationType: primary performer


class Collected:
    """The rows of every file of a call, and what explains their references and codes."""

    def __init__(self, book: CodeBook) -> None:
        """Starts empty."""
        self.book = book
        self.references = References()
        self.patients = Rows(PATIENTS)
        self.practitioners = Rows(PRACTITIONERS)
        self.roles = Rows(ROLES)
        self.episodes = Rows(EPISODES)
        self.appointments = Rows(VISITS)
        self.encounters = Rows(VISITS)
        self.units = Rows(UNITS)
        self.values = Rows(VALUES)
        self.unit = 0

    def take(self, resource: dict[str, Any], file: str, line: int, full_url: str | None) -> None:
        """Keeps what is read of one valid resource."""
        own = self.references.learn(resource, full_url)
        meta = resource.get("meta") or {}
        version = meta.get("versionId")
        number = int(version) if isinstance(version, str) and version.isdecimal() and len(version) < 19 else None
        who = (own, number, _said(meta.get("lastUpdated")), file, line)
        match resource["resourceType"]:
            case "Observation":
                self._scores(who, resource, observed)
            case "QuestionnaireResponse":
                self._scores(who, resource, responded)
            case "Patient":
                self._patient(who, resource)
            case "Practitioner":
                self.practitioners.add((*who, _name(resource.get("name"))))
            case "PractitionerRole":
                self.roles.add((*who, self._ref(resource, resource.get("practitioner"), "Practitioner")))
            case "EpisodeOfCare":
                self._episode(who, resource)
            case "Appointment":
                self._appointment(who, resource)
            case "Encounter":
                self._encounter(who, resource)
            case _:
                self.book.learn(resource)

    def _ref(self, resource: dict[str, Any], reference: Any, expected: str) -> str | None:
        return self.references.text(reference, resource.get("contained"), expected)

    def _patient(self, who: tuple[Any, ...], resource: dict[str, Any]) -> None:
        practitioner = self._candidates(resource, resource.get("generalPractitioner") or [])
        replaced = [one.get("other") for one in resource.get("link") or [] if one.get("type") == "replaced-by"]
        merged = self._ref(resource, replaced[0], "Patient") if replaced else None
        birth = _said(resource.get("birthDate"))
        self.patients.add((*who, birth[:4] if birth else None, resource.get("gender"), practitioner, merged))

    def _episode(self, who: tuple[Any, ...], resource: dict[str, Any]) -> None:
        manager = resource.get("careManager")
        period = resource.get("period") or {}
        end = period.get("end") or _ended(resource.get("statusHistory"))
        self.episodes.add(
            (
                *who,
                self._ref(resource, resource.get("patient"), "Patient"),
                self._ref(resource, manager, "Practitioner"),
                _display(manager),
                resource.get("status"),
                _said(period.get("start")),
                _said(end),
            )
        )

    def _candidates(self, resource: dict[str, Any], references: list[Any], expected: str = "") -> str | None:
        """Every reference as kept text: only when all files are read is it known which of them is a practitioner."""
        kept = []
        for one in references:
            kind = one.get("type") if isinstance(one, dict) else None
            if text := self._ref(resource, one, expected or (kind if isinstance(kind, str) else "")):
                kept.append(text)
        return OR.join(kept) or None

    def _people(self, resource: dict[str, Any], actor: str) -> tuple[str | None, str | None, str | None]:
        """(candidates, the practitioner's shown name, who declined): primary performers first."""
        given = [one for one in resource.get("participant") or [] if one.get(actor)]
        given.sort(key=lambda one: not _primary(one))
        shown = next((_display(one[actor]) for one in given if _is(one[actor], "Practitioner")), None)
        declined = [one[actor] for one in given if one.get("status") == "declined"]
        who = "pat" if any(_is(one, "Patient") for one in declined) else None
        who = who or ("prov" if any(_is(one, "Practitioner") for one in declined) else None)
        return self._candidates(resource, [one[actor] for one in given]), shown, who

    def _appointment(self, who: tuple[Any, ...], resource: dict[str, Any]) -> None:
        people, shown, declined = self._people(resource, "actor")
        reason = _codes(resource.get("cancelationReason")) or declined
        kinds = [resource.get("appointmentType"), *_listed(resource.get("serviceType"))]
        self.appointments.add(
            (
                *who,
                people,
                people,
                shown,
                resource.get("status"),
                reason,
                _said(resource.get("start")),
                _said(resource.get("created")),
                _mode(kinds, None),
                None,
                None,
                None,
                None,
            )
        )

    def _encounter(self, who: tuple[Any, ...], resource: dict[str, Any]) -> None:
        people, shown, _ = self._people(resource, "individual")
        klass = (resource.get("class") or {}).get("code")
        appointment = (_listed(resource.get("appointment")) or [None])[0]
        episode = (resource.get("episodeOfCare") or [None])[0]
        self.encounters.add(
            (
                *who,
                self._ref(resource, resource.get("subject"), "Patient"),
                people,
                shown,
                resource.get("status"),
                None,
                _said((resource.get("period") or {}).get("start")),
                None,
                _mode(resource.get("type") or [], klass),
                klass,
                self._ref(resource, appointment, "Appointment"),
                self._ref(resource, episode, "EpisodeOfCare"),
                self._ref(resource, resource.get("partOf"), "Encounter"),
            )
        )

    def _scores(self, who: tuple[Any, ...], resource: dict[str, Any], read: Any) -> None:
        self.unit += 1
        context = resource.get("encounter") or resource.get("context")
        people = [one for one in resource.get("performer") or [resource.get("author")] if one]
        practitioner = self._candidates(resource, people)
        shown = next((_display(one) for one in people if _is(one, "Practitioner")), None)
        period = resource.get("effectivePeriod") or {}
        taken = (
            resource.get("authored")
            or resource.get("effectiveDateTime")
            or resource.get("effectiveInstant")
            or period.get("end")
            or period.get("start")
        )
        self.units.add(
            (
                *who,
                self.unit,
                self._ref(resource, resource.get("subject"), "Patient"),
                practitioner,
                shown,
                resource.get("status"),
                self._ref(resource, context, "Encounter"),
                _said(taken),
                _said(resource.get("issued")),
                self._candidates(resource, [resource.get("source")]),
            )
        )
        for row in read(resource):
            self.values.add((self.unit, *row))


def _is(reference: Any, kind: str) -> bool:
    """Whether a reference says itself that it is to such a resource (or its role)."""
    target = reference.get("reference") if isinstance(reference, dict) else None
    found = PLAIN.match(target) if isinstance(target, str) else None
    named = found[1] if found else reference.get("type") if isinstance(reference, dict) else None
    return named in (kind, f"{kind}Role")


def _primary(participant: dict[str, Any]) -> bool:
    kinds = participant.get("type") or []
    return any(coding.get("code") == PRIMARY for kind in kinds for coding in kind.get("coding") or [])


def _said(time: Any) -> str | None:
    """A date or time as text: the library takes numbers for it too, which no JSON of FHIR has, and the checks then refuse."""
    return None if time is None else time if isinstance(time, str) else str(time)


def _listed(one: Any) -> list[Any]:
    return one if isinstance(one, list) else [] if one is None else [one]


def _display(reference: Any) -> str | None:
    shown = reference.get("display") if isinstance(reference, dict) else None
    return shown if isinstance(shown, str) else None


def _ended(history: Any) -> str | None:
    """The day an episode of care became finished, where its period has no end."""
    found = [
        _said((one.get("period") or {}).get("start"))
        for one in history or []
        if one.get("status") in ("finished", "cancelled")
    ]
    return max((one for one in found if one), default=None)


def _name(names: Any) -> str | None:
    """A practitioner's name as shown: the official one, else the first."""
    given = _listed(names)
    best = next((one for one in given if one.get("use") == "official"), given[0] if given else None)
    if best is None:
        return None
    parts = [one for one in (*(best.get("prefix") or []), *(best.get("given") or []), best.get("family")) if one]
    return " ".join(parts) or best.get("text")


def _codes(concept: Any) -> str:
    codings = (concept or {}).get("coding") or []
    return " ".join(one["code"] for one in codings if one.get("code"))


def _mode(concepts: list[Any], klass: str | None) -> str | None:
    """video or phone where a code says so; null otherwise: the class AMB is what most systems write for everything."""
    found = {klass} | {
        name
        for concept in concepts
        for one in (concept or {}).get("coding") or []
        for name in (one.get("code"), f"{one.get('system')}|{one.get('code')}")
    }
    return "phone" if found & PHONE else "video" if found & VIDEO else None
