"""What the parts of a meeting are called on screen and on paper."""

from __future__ import annotations

from dashboard.meetings.agenda import (
    ACTIONS,
    ASKING,
    CASE,
    COVERAGE,
    GAPS,
    GROWTH,
    LONGEST,
    OWN,
    PATTERN,
    PRACTICE,
    SAFETY,
    THEME,
    WELL,
)

TITLES = {
    ACTIONS: "What was agreed earlier",
    SAFETY: "Safety: risk answers to check",
    GAPS: "No score or no booking",
    CASE: "Case",
    WELL: "Went unexpectedly well",
    LONGEST: "Longest not discussed",
    THEME: "Shared theme: early endings",
    ASKING: "Whom to ask",
    COVERAGE: "Who has been talked about",
    OWN: "Case added",
    PATTERN: "Pattern across the caseload",
    GROWTH: "Growth goal, and what to watch",
    PRACTICE: "The practice as a whole",
}
# the four domains are those of clinical support tools (science 8); the wording is the project's own
OBSTACLES = {
    "alliance": "How the two of you work together",
    "motivation": "What the client wants from it just now",
    "support": "The people around the client",
    "life_events": "Something that happened in the client's life",
}
OBSTACLE_QUESTIONS = {
    "alliance": "Has the way of working together been talked about, and what did the client say?",
    "motivation": "What would the client say is worth the effort at the moment?",
    "support": "Who else knows about it, and who could help between sessions?",
    "life_events": "What has changed outside therapy since the scores were better?",
}
MARKS = {"bring": "Bring to supervision", "went_well": "Went well"}
MOST_WORDS = 15  # product: a decision in fifteen words
