"""The dropout model against the worked examples of the science notes, an outside library, and its own promises."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from dashboard.analytics.alliance_norms import measured_norms
from dashboard.analytics.hazard import HazardModel, day_one, fit
from dashboard.analytics.hazard_risk import CHANCES, RISK, chances, predict
from dashboard.analytics.hazard_rows import HAZARD_SESSIONS, HazardRows, hazard_rows
from dashboard.analytics.hazard_terms import CLINICIAN_SD, KEYS, LEFT_OUT, PRIOR, REASONS, TIME, Term
from dashboard.analytics.newton import chance, most_probable
from tests.simulators import WORLDS, Simulated, simulate

INTERCEPT_ONLY = np.ones((200, 1), dtype=np.float32)


@pytest.fixture(scope="module")
def practice() -> Simulated:
    return simulate(WORLDS["wandering bond"], 600, 8, seed=1)


@pytest.fixture(scope="module")
def model(practice: Simulated) -> HazardModel:
    return fit(hazard_rows(practice.rows, measured_norms(practice.rows)), practice.dropout)


def alpha(hazard: float, sessions: int) -> float:
    """The intercept at which alpha - 0.5 ln t adds up to this share after so many sessions."""
    low, high = -8.0, 2.0
    for _ in range(80):
        middle = (low + high) / 2
        stay = np.prod(1 - chance(middle - 0.5 * np.log(np.arange(1, sessions + 1))))
        low, high = (middle, high) if 1 - stay < hazard else (low, middle)
    return low


def session(number: int, **terms: float) -> HazardRows:
    """One session of an average practice but for the terms named."""
    x = np.zeros((1, len(KEYS)), dtype=np.float32)
    x[0, :2] = 1, np.log(number)
    for key, value in terms.items():
        x[0, KEYS.index(key)] = value
    one = np.ones(1, dtype=np.int64)
    return HazardRows(
        x, one, one, one * number, np.full(1, 3, dtype=np.int32), np.zeros((1, 3), np.float32), one - 1, day_one().norms
    )


def with_intercept(mean: float) -> tuple[Term, ...]:
    return (replace(PRIOR[0], mean=mean), *PRIOR[1:])


# ---- worked examples -----------------------------------------------------------------------------------------------------


def test_published_dropout_rates_as_hazards() -> None:
    """Worked example 20: 19.7 % (Swift & Greenberg 2012) and 22 % over twelve sessions with a slope of -0.5 ln t."""
    constant = 1 - (1 - 0.197) ** (1 / 10)
    assert constant == pytest.approx(0.021701, abs=1e-6)
    found = alpha(0.197, 12)
    assert found == pytest.approx(-3.23082, abs=1e-4)
    hazards = chance(found - 0.5 * np.log(np.array([1, 6, 12])))
    assert hazards == pytest.approx([0.0380, 0.0159, 0.0113], abs=1e-4)
    assert alpha(0.22, 12) == pytest.approx(-3.10500, abs=1e-4)
    assert PRIOR[0].mean == pytest.approx(alpha(0.22, 12), abs=0.01)


def test_a_low_alliance_and_a_missed_session_against_the_reference() -> None:
    """Worked example 21: alpha -3.23082, t = 3, alliance -1 SD, one no-show: .07377, four sessions .2274."""
    model = day_one(with_intercept(-3.23082))
    raised = predict(model, session(3, alliance_level=-1, no_show=1))
    usual = predict(model, session(3))
    assert raised["next_session"].item() == pytest.approx(0.07377, abs=1e-5)
    assert usual["next_session"].item() == pytest.approx(0.02231, abs=1e-5)
    assert raised["next_4"].item() == pytest.approx(0.2274, abs=1e-4)
    assert usual["next_4"].item() == pytest.approx(0.0729, abs=1e-4)
    assert raised["usual_4"].item() == pytest.approx(usual["next_4"].item())
    assert raised["relative"].item() == pytest.approx(0.07377 / 0.02231, rel=1e-3)
    assert raised["reasons"].item() == "missed_last;alliance_low"
    assert usual["relative"].item() == pytest.approx(1)
    assert usual["reasons"].item() == ""


@pytest.mark.parametrize(
    ("events", "rows", "mean", "sd"), [(12, 200, -3.05345, 0.2816), (0, 20, -3.89927, None), (0, 0, -3.8, 0.5)]
)
def test_an_intercept_between_its_prior_and_its_data(events: int, rows: int, mean: float, sd: float | None) -> None:
    """Worked example 23: prior N(-3.8, .5); 12 events in 200 rows, none in 20, no rows."""
    y = (np.arange(rows) < events).astype(float)
    found = most_probable(
        INTERCEPT_ONLY[:rows],
        y,
        np.zeros(rows, dtype=np.int64),
        np.array([-3.8]),
        np.array([0.5]),
        effect_sd=1e-9,
        effect_sd_weight=np.inf,
        groups=1,
    )
    assert found.coefficients.item() == pytest.approx(mean, abs=1e-5)
    if sd:
        assert np.sqrt(found.covariance.item()) == pytest.approx(sd, abs=1e-4)
    if events:
        assert chance(found.coefficients).item() == pytest.approx(0.04507, abs=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 1.0])
def test_a_practice_far_from_the_prior_is_found_too(share: float) -> None:
    """Newton's full step from a hazard of .02 to one of .3 never comes back."""
    rows = 20_000
    y = (np.arange(rows) < share * rows).astype(float)
    found = most_probable(
        np.ones((rows, 1), dtype=np.float32),
        y,
        np.arange(rows) % 7,
        np.array([-3.8]),
        np.array([0.5]),
        effect_sd=0.5,
        effect_sd_weight=10,
        groups=7,
    )
    p = chance(found.coefficients + found.effects[np.arange(rows) % 7])
    assert (y - p).sum() == pytest.approx((found.coefficients.item() + 3.8) / 0.25, abs=1e-4)
    if 0 < share < 1:
        assert p.mean() == pytest.approx(share, abs=0.003)


def test_where_the_priors_come_from() -> None:
    """Worked examples 24 and 25: d = .55 is an odds ratio of 1.7333, ln 1.79 = .5822, VPC .057 and .126 are sd .4459, .6887."""
    by_key = {term.key: term for term in PRIOR}
    odds = np.exp(-by_key["alliance_level"].mean)
    assert odds == pytest.approx(1.7333, abs=1e-4)
    assert odds * 0.25 / (1 + odds * 0.25) == pytest.approx(0.3023, abs=1e-4)  # one SD lower, from 20 %
    assert by_key["preference_unmet"].mean == pytest.approx(np.log(1.79), abs=0.003)
    low, high = (np.sqrt(share / (1 - share) * np.pi**2 / 3) for share in (0.057, 0.126))
    assert (low, high) == (pytest.approx(0.4459, abs=1e-4), pytest.approx(0.6887, abs=1e-4))
    assert low < CLINICIAN_SD < high


@pytest.mark.parametrize(
    ("key", "mean", "sd"),
    [
        ("intercept", -3.10, 0.50),
        ("log_session", -0.50, 0.25),
        ("alliance_level", -0.55, 0.20),
        ("alliance_now", -0.30, 0.20),
        ("rupture_open", 0.40, 0.30),
        ("no_show", 0.70, 0.40),
        ("late_cancelled", 0.30, 0.30),
        ("worse_now", 0.30, 0.30),
        ("severity", 0.05, 0.15),
        ("preference_unmet", 0.58, 0.20),
        ("trainee", 0.20, 0.20),
        ("telehealth", 0.03, 0.08),
        ("alliance_missing", 0.20, 0.30),
    ],
)
def test_the_prior_table_of_the_science_notes(key: str, mean: float, sd: float) -> None:
    term = PRIOR[KEYS.index(key)]
    assert (term.mean, term.sd) == (mean, sd)
    assert term.basis


def test_a_term_of_our_own_believes_nothing_before_data() -> None:
    ours = ("sessions_2_to_4", "alliance_shortfall", "alliance_falls", "alliance_ceiling")
    assert all(PRIOR[KEYS.index(key)].mean == 0 for key in ours)


def test_beyond_the_twelfth_session_day_one_takes_neither_side() -> None:
    """Falling on as published before it, and staying as it is then, are equally far away and within one sd."""
    fall, beyond = (PRIOR[KEYS.index(key)] for key in ("log_session", "log_beyond_12"))
    assert beyond.mean - 0 == -fall.mean - beyond.mean < beyond.sd
    hazards = [predict(day_one(), session(number))["next_session"].item() for number in (6, 12, 24)]
    odds = np.log(np.array(hazards) / (1 - np.array(hazards)))
    assert np.diff(odds) == pytest.approx([-0.5 * np.log(2), -0.25 * np.log(2)])


# ---- promises ------------------------------------------------------------------------------------------------------------


def test_no_rows_give_the_priors_exactly(practice: Simulated) -> None:
    rows = hazard_rows(practice.rows)
    model = fit(rows, np.full(len(rows), -1, dtype=np.int8))
    assert model == day_one()
    assert model == fit(hazard_rows(HAZARD_SESSIONS.empty()), np.zeros(0, dtype=np.int8))
    assert model.mean == tuple(term.mean for term in PRIOR)
    assert model.sd == pytest.approx(tuple(term.sd for term in PRIOR))
    assert set(model.learned.values()) == {0.0}


def test_glum_finds_the_same_coefficients_to_four_decimals(practice: Simulated) -> None:
    rows = hazard_rows(practice.rows)
    known = practice.dropout >= 0
    used = rows.only(known)
    model = fit(rows, practice.dropout, clinician_sd=0.5)
    clinicians, place = np.unique(used.clinician, return_inverse=True)
    x = np.column_stack([used.x.astype(float), np.eye(len(clinicians))[place]])
    mean = np.array([*(term.mean for term in PRIOR), *[0.0] * len(clinicians)])
    sd = np.array([*(term.sd for term in PRIOR), *[0.5] * len(clinicians)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from glum import GeneralizedLinearRegressor

        peer = GeneralizedLinearRegressor(
            family="binomial",
            alpha=1,
            l1_ratio=0,
            P2=1 / sd**2 / len(x),
            scale_predictors=False,
            fit_intercept=False,
            gradient_tol=1e-9,
            max_iter=500,
        ).fit(x, (practice.dropout[known] == 1).astype(float), offset=x @ mean)
    assert np.array([*model.mean, *model.effects]) == pytest.approx(mean + peer.coef_, abs=5e-5)


def test_shuffled_rows_give_the_same_model_and_the_same_risks(practice: Simulated, model: HazardModel) -> None:
    order = np.random.default_rng(2).permutation(practice.rows.height)
    shuffled = practice.rows[order]
    rows = hazard_rows(shuffled, measured_norms(shuffled))
    assert (rows.place[:5] == np.argsort(order)[:5]).all()
    again = fit(rows, practice.dropout[order][rows.place])
    assert again == model
    assert again.version == model.version
    assert predict(again, rows).equals(predict(model, hazard_rows(practice.rows, model.norms)))


def test_a_stored_model_comes_back_the_same(model: HazardModel) -> None:
    back = HazardModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert back == model
    assert back.version == model.version
    assert len(model.version) == 12


def test_other_data_or_other_priors_are_another_version(practice: Simulated, model: HazardModel) -> None:
    fewer = practice.episodes(0, 599)
    assert fit(hazard_rows(fewer.rows, model.norms), fewer.dropout).version != model.version
    assert day_one(with_intercept(-3.0)).version != day_one().version


def test_the_meter_of_what_was_learned_rises_with_data(practice: Simulated, model: HazardModel) -> None:
    few = practice.episodes(0, 60)
    early = fit(hazard_rows(few.rows, model.norms), few.dropout)
    assert all(early.learned[key] <= model.learned[key] + 0.02 for key in KEYS)
    assert model.learned["intercept"] > 0.5
    assert model.learned["alliance_level"] > early.learned["alliance_level"]
    assert all(0 <= share < 1 for share in model.learned.values())


def test_risks_are_chances_within_their_intervals(practice: Simulated, model: HazardModel) -> None:
    risk = predict(model, hazard_rows(practice.rows, model.norms))
    assert dict(risk.schema) == RISK
    assert risk.null_count().sum_horizontal().item() == 0
    for name in ("next_session", "next_4"):
        assert risk.filter(
            (pl.col(f"{name}_low") <= 0)
            | (pl.col(f"{name}_low") >= pl.col(name))
            | (pl.col(name) >= pl.col(f"{name}_high"))
            | (pl.col(f"{name}_high") >= 1)
        ).is_empty()
    assert (risk["next_4"] > risk["next_session"]).all()


def test_the_interval_is_the_delta_method_of_the_joint_posterior(practice: Simulated, model: HazardModel) -> None:
    """Against the full Hessian, clinicians included, turned over as one matrix."""
    rows = hazard_rows(practice.rows, model.norms)
    known = practice.dropout >= 0
    used = rows.only(known)
    place = np.searchsorted(model.clinicians, used.clinician)
    x = np.column_stack([used.x.astype(float), np.eye(len(model.clinicians))[place]])
    p = chance(x @ np.array([*model.mean, *model.effects]))
    precision = [*(term.sd**-2 for term in PRIOR), *[model.clinician_sd**-2] * len(model.clinicians)]
    covariance = np.linalg.inv((x * (p * (1 - p))[:, None]).T @ x + np.diag(precision))
    sd = np.sqrt(np.einsum("ij,jk,ik->i", x[:50], covariance, x[:50]))
    eta = np.log(p[:50] / (1 - p[:50]))
    certain = replace(used, unsure=np.zeros_like(used.unsure))
    risk = predict(model, certain)[:50]
    assert risk["next_session_low"].to_numpy() == pytest.approx(chance(eta - 1.2815516 * sd), rel=1e-4)
    assert risk["next_session_high"].to_numpy() == pytest.approx(chance(eta + 1.2815516 * sd), rel=1e-4)


def test_an_alliance_not_rated_widens_the_interval(practice: Simulated, model: HazardModel) -> None:
    rows = hazard_rows(practice.rows, model.norms)
    width = (pl.col("next_session_high") / pl.col("next_session_low")).log()
    first = predict(model, rows).filter(pl.col("session_number") == 1).select(width.alias("width"))["width"]
    rated = pl.Series(rows.ratings[rows.session == 1] == 1)
    assert first.filter(~rated).min() > first.filter(rated).median()  # type: ignore[operator]


def test_an_unknown_clinician_is_average_and_less_certain(practice: Simulated, model: HazardModel) -> None:
    stranger = practice.rows.with_columns(clinician_id=pl.lit(999, dtype=pl.Int64))
    known = predict(model, hazard_rows(practice.rows, model.norms))
    unknown = predict(model, hazard_rows(stranger, model.norms))
    busiest = model.clinicians[int(np.argmin(model.own_variance))]
    own = practice.rows["clinician_id"] == busiest

    def width(risk: pl.DataFrame) -> float:
        return float((risk["next_session_high"] / risk["next_session_low"]).log().filter(own).mean())  # type: ignore[arg-type]

    assert width(unknown) > width(known)
    effect = model.effects[model.clinicians.index(busiest)]
    assert (unknown["next_session"] < known["next_session"]).filter(own).all() == (effect > 0)


def test_no_protected_attribute_no_clinician_and_no_discrepancy_is_a_reason() -> None:
    words = " ".join([*KEYS, *REASONS, *REASONS.values()])
    assert not [name for name in LEFT_OUT if name in words.split()]
    assert {term.reason for term in PRIOR if term.reason} == set(REASONS)
    assert not [term.key for term in PRIOR if term.key in (*TIME, "trainee") and term.reason]


def test_reasons_name_the_three_largest_and_never_an_alliance_nobody_rated() -> None:
    many = session(5, no_show=1, rupture_open=1, preference_unmet=1, worse_now=1, late_cancelled=1)
    assert predict(day_one(), many)["reasons"].item() == "missed_last;preference_unmet;rupture_open"
    low = session(5, alliance_level=-1, alliance_now=-2)
    assert predict(day_one(), low)["reasons"].item() == "alliance_fell;alliance_low"
    first_rating = replace(low, ratings=np.ones(1, dtype=np.int32))
    assert predict(day_one(), first_rating)["reasons"].item() == "alliance_low"
    unrated = replace(low, ratings=np.zeros(1, dtype=np.int32))
    assert predict(day_one(), unrated)["reasons"].item() == ""


def test_a_session_s_risk_does_not_hang_on_the_sessions_scored_with_it(practice: Simulated, model: HazardModel) -> None:
    rows = hazard_rows(practice.rows, model.norms)
    whole, several = predict(model, rows), chances(model, rows)
    assert several.equals(whole.select(CHANCES.keys()))
    for kept in (np.arange(len(rows)) % 7 == 3, np.arange(len(rows)) == len(rows) - 1):
        assert predict(model, rows.only(kept)).equals(whole.filter(pl.Series(kept)))
    assert chances(model, rows.only(np.zeros(len(rows), dtype=bool))).schema == CHANCES
