"""What the dropout model may look at, and what is believed about each before any local data: the published priors.

Every number is a change in the log odds that a session was the last without an agreed ending. Protected and social
attributes (LEFT_OUT) are no terms at all: they would decide who gets attention, and behaviour and alliance carry the
signal. A practice that wants one would add a ``Term`` here and a column in ``hazard_rows``, with the audit of science 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass

LEFT_OUT = (
    "sex",
    "ethnicity",
    "religion",
    "sexuality",
    "age",
    "employment",
    "education",
    "social support",
    "therapist-client disagreement about the alliance",  # science 4.6: never a risk term
)


@dataclass(frozen=True)
class Term:
    """One covariate with its prior N(``mean``, ``sd``).

    ``usual``: its mean in an average practice, from which it is counted. ``reason``: its code in REASONS, if any.
    ``basis`` says where the prior comes from; "project default" marks a size nobody has published.
    """

    key: str
    words: str
    mean: float
    sd: float
    basis: str
    usual: float = 0.0
    reason: str = ""


# How far below a client's own level the alliance is while a rupture stands open, in the units of alliance_now: what the rupture
# rule finds in series drawn from the filter's own constants (1.3 where every session is rated, 1.1 where three in ten are not;
# tests.unit.test_hazard_rows). The published effect of a rupture is that of the whole event, the low alliance in it included:
# alliance_now counts from there, or the same fall would raise the chance twice.
NOW_IN_RUPTURE = 1.2
IN_RUPTURE = 0.1  # share of sessions in an average practice

# The order is that of the design matrix. Mean and sd: science 5.3 unless the basis says otherwise.
PRIOR = (
    Term(
        "intercept",
        "any session",
        -3.10,
        0.50,
        "22 % over 12 sessions, two sd span 9 to 49 %; 19.7 % published (Swift & Greenberg 2012)",
    ),
    Term(
        "log_session",
        "logarithm of the session's number",
        -0.50,
        0.25,
        "most dropout early (Fernandez 2015); size: project default",
    ),
    Term(
        "sessions_2_to_4",
        "second to fourth session",
        0.0,
        0.30,
        "project default: none until the practice's own data say so",
    ),
    Term(
        "log_beyond_12",
        "logarithm of the session's number beyond the twelfth",
        0.25,
        0.30,
        "project default: published rates cover twelve sessions; halfway between falling on as before and staying as it is then",
    ),
    Term(
        "alliance_level",
        "client's own level of alliance, per SD of ratings",
        -0.55,
        0.20,
        "d = .55, 11 studies, N = 1301 (Sharf 2010)",
        0.0,
        "alliance_low",
    ),
    Term(
        "alliance_now",
        "alliance now against the client's own level, per SD within clients",
        -0.30,
        0.20,
        "direction as Huppert 2014; size: project default; in a rupture beyond what the rupture says",
        NOW_IN_RUPTURE * IN_RUPTURE,
        "alliance_fell",
    ),
    Term(
        "alliance_shortfall",
        "alliance now below the practice's mean, per SD of ratings",
        0.0,
        0.10,
        "project default: lets a low alliance weigh more, or less, than a straight line says",
        0.0,
        "alliance_low",
    ),
    Term(
        "alliance_falls",
        "recent falls of the alliance, per SD of ratings",
        0.0,
        0.25,
        "project default: none until the practice's own data say so",
        0.1,
        "alliance_fell",
    ),
    Term(
        "alliance_missing",
        "alliance not rated at this session",
        0.20,
        0.30,
        "project default (science 5.3)",
        0.3,
        "alliance_not_rated",
    ),
    Term(
        "alliance_ceiling",
        "three or more alliance ratings in a row at the best possible",
        0.0,
        0.30,
        "such ratings say nothing (science 4.5): the alliance gets weight 0",
        0.0,
        "alliance_ceiling",
    ),
    Term(
        "rupture_open",
        "a fall in the alliance not mended",
        0.40,
        0.30,
        "d = .61 to .74, observer-coded, halved (Eubanks 2018)",
        IN_RUPTURE,
        "rupture_open",
    ),
    Term(
        "no_show",
        "missed an appointment since the session before",
        0.70,
        0.40,
        "direction Yang 2020, Xiao 2017; size: project default",
        0.08,
        "missed_last",
    ),
    Term(
        "late_cancelled",
        "cancelled late since the session before",
        0.30,
        0.30,
        "direction Yang 2020; size: project default",
        0.05,
        "late_cancelled",
    ),
    Term(
        "worse_now",
        "reliably worse than at the start",
        0.30,
        0.30,
        "direction only: project default, evidence mixed",
        0.05,
        "worse_now",
    ),
    Term(
        "severity",
        "distress at the start, per SD",
        0.05,
        0.15,
        "conflicting: Zimmermann 2017, PMHC 2023",
        0.0,
        "severity",
    ),
    Term(
        "preference_unmet",
        "recorded preference not met",
        0.58,
        0.20,
        "odds ratio 1.79, 53 studies (Swift 2018)",
        0.1,
        "preference_unmet",
    ),
    # no reason code: a prompt about a client names no shortcoming of the clinician
    Term("trainee", "clinician in training", 0.20, 0.20, "Swift & Greenberg 2012; size: project default", 0.2),
    Term(
        "telehealth",
        "session by video or telephone",
        0.03,
        0.08,
        "attrition ratio 1.006 and 1.07 (Lin 2022, Shaker 2023)",
        0.3,
        "telehealth",
    ),
)
KEYS = tuple(term.key for term in PRIOR)
TIME = ("intercept", "log_session", "sessions_2_to_4", "log_beyond_12")

RAISED, HIGH = 1.5, 3.0  # science 5.4: bands of the hazard against what is usual at that session
CLINICIAN_SD = 0.50  # 0.446 is 5.7 % of variance (Zimmermann 2017), 0.689 is 12.6 % (Saxon 2017)
CLINICIAN_SD_WEIGHT = 10  # project default: clinicians' worth of belief in it

REASONS = {
    "alliance_low": "alliance below what is usual here",
    "alliance_fell": "alliance below this client's own level",
    "alliance_not_rated": "alliance not rated at the last session",
    "alliance_ceiling": "always the best possible alliance rating, which says little",
    "rupture_open": "a fall in the alliance that has not mended",
    "missed_last": "missed the last appointment",
    "late_cancelled": "cancelled late before the last session",
    "worse_now": "reliably worse than at the start",
    "severity": "more distressed than most at the start",
    "preference_unmet": "a recorded preference is not met",
    "telehealth": "seen by video or telephone",
}
