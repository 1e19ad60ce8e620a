"""The words of the product, each in one plain sentence: reading notes, tooltips and the last page of a snapshot use these."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "client": "A person in therapy; screens show a code, never a name.",
    "episode": "One client with one clinician from the first day to an ending.",
    "appointment": "A booked slot: attended, cancelled, not attended, or still ahead.",
    "session": "An attended appointment; session numbers count only these.",
    "ending": "How an episode closed: planned, mutual, unilateral, transferred, moved, other or unknown.",
    "dropout": "The client stopped coming without an agreed ending.",
    "retention": "Whether an episode goes on, with planned endings counted apart.",
    "outcome measure": "A questionnaire on distress or functioning, answered by the client.",
    "alliance measure": "A questionnaire on the working relationship, answered by the client.",
    "baseline": "The first score of the episode.",
    "latest": "The most recent score of the episode.",
    "reliable change": "A change larger than measurement error alone would give (Jacobson-Truax, or a published threshold).",
    "clinical cut-off": "The score that parts the clinical from the community range.",
    "recovered": "Reliable improvement that also crossed the clinical cut-off.",
    "alliance reference": "This client's own usual rating: the mean of earlier ratings outside a rupture, newer ones count more.",
    "possible rupture": "A marked fall of the alliance rating below this client's own level.",
    "repair": "The rating came back at least half of the way it fell, to within one usual spread of the earlier level.",
    "ceiling": "Ratings at the best possible value time after time: they can no longer tell anything apart.",
    "signal": "A rule that suggests a conversation; it names what was seen, since when, and a question to ask.",
    "fit question": "Something to explore about how client, clinician and approach work together; never a match score.",
    "safety": "A risk item answered above zero; it stands outside every score and order until a check is recorded.",
    "coverage": "The share of open episodes with a score in the last 30 days.",
    "set aside": "A row of an import that broke a rule: kept with its reason, not used.",
    "as of": "The day for which the signals were computed, from what was known by then.",
}


def meaning(*terms: str) -> str:
    """The sentences of some terms, one after another. Raises KeyError for a word the glossary lacks."""
    return " ".join(f"{term[0].upper()}{term[1:]}: {GLOSSARY[term]}" for term in terms)
