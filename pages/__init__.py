"""The pages: order, title, question and who may open each. The one place to read who can open what."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.access import Role
from dashboard.errors import NotAllowed

CLINICAL = frozenset({Role.CLINICIAN, Role.SUPERVISOR, Role.DIRECTOR})
EVERYONE = frozenset(Role)


@dataclass(frozen=True)
class Page:
    """A page's file name, address, title, the one question it answers, its roles, and whether the menu shows it."""

    name: str
    url: str
    title: str
    question: str
    roles: frozenset[Role]
    in_menu: bool = True


PAGES = (
    Page("caseload", "caseload", "My caseload", "Which episodes would I like to bring to supervision?", CLINICAL),
    Page(
        "episode", "episode", "Episode", "What has happened in this episode, and since when?", CLINICAL, in_menu=False
    ),
    Page("enter", "enter", "Add a session", "Whose session was it, and what happened?", CLINICAL, in_menu=False),
    Page("meeting", "meeting", "Meetings", "What shall we talk about, and what became of last time?", CLINICAL),
    Page(
        "alliance",
        "alliance",
        "Alliance and fit",
        "Where might the working relationship need attention, and is it being repaired?",
        CLINICAL,
    ),
    Page("retention", "retention", "Retention", "When do episodes end early, and what came before?", CLINICAL),
    Page("outcomes", "outcomes", "Outcomes", "How are closed episodes doing, and how sure can we be?", CLINICAL),
    Page("snapshots", "snapshots", "Snapshots", "What was put on paper, of whom, and is it still the same?", CLINICAL),
    Page("data_quality", "data-quality", "Data quality", "How far can I trust what I see?", EVERYONE),
    Page(
        "about_signals",
        "about-signals",
        "About the signals",
        "What does each signal mean, where does it come from, and how well has it done here?",
        EVERYONE,
    ),
    Page(
        "my_visibility",
        "my-visibility",
        "My visibility",
        "Who has looked at my caseload, and what do they see?",
        EVERYONE,
    ),
    Page(
        "people",
        "people",
        "People",
        "Who works here, who may sign in, and what are this practice's rules?",
        frozenset({Role.DIRECTOR, Role.ADMIN}),
    ),
    Page(
        "account", "account", "Your sign-in", "How do I sign in, and where am I signed in now?", EVERYONE, in_menu=False
    ),
)
BY_NAME = {page.name: page for page in PAGES}


def can_open(role: Role, page: Page) -> bool:
    """Whether that role may open the page."""
    return role in page.roles


def check_can_open(role: Role, page: Page) -> None:
    """Raises NotAllowed where ``can_open`` is false."""
    if not can_open(role, page):
        raise NotAllowed("This page is not part of your role. If that looks wrong, ask your administrator.")


def home(role: Role) -> Page:
    """The page at / for that role: the first one that it may open."""
    return next(page for page in PAGES if can_open(role, page))
