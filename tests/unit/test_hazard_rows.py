"""What the dropout model is allowed to know at the end of a session."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics.alliance_filter import ERROR, LEVEL, PERSISTENCE, WOBBLE, WOBBLE_UNIT, follow
from dashboard.analytics.alliance_norms import DEFAULT_NORMS, NORM_WEIGHT, Norm, measured_norms, stated_norms
from dashboard.analytics.hazard_rows import HAZARD_SESSIONS, asked_rows, hazard_rows, what_followed
from dashboard.analytics.hazard_terms import IN_RUPTURE, KEYS, NOW_IN_RUPTURE, PRIOR
from dashboard.analytics.rupture import judge
from dashboard.errors import ContractError
from dashboard.instruments import BUILT_IN
from tests.simulators import WORLDS, simulate

NO = None


def sessions(*ratings: float | None, episode: int = 1, **columns: list[object]) -> pl.DataFrame:
    """One episode with these alliance ratings; other columns by name, else null."""
    rows = [
        {"episode_id": episode, "clinician_id": 1, "session_number": at + 1, "alliance": rating}
        | {name: values[at] for name, values in columns.items()}
        for at, rating in enumerate(ratings)
    ]
    return HAZARD_SESSIONS.from_rows(rows)


def column(frame: pl.DataFrame, key: str) -> list[float]:
    """The term as recorded, not counted from its usual value."""
    at = KEYS.index(key)
    return (hazard_rows(frame).x[:, at] + PRIOR[at].usual).round(4).tolist()


def walk(*ratings: float | None) -> tuple[list[float], list[float]]:
    values = np.array([np.nan if one is None else one for one in ratings])
    found = follow(values, np.array([len(values)]))
    return found.level.tolist(), found.wobble.tolist()


def test_few_ratings_are_shrunk_towards_the_mean() -> None:
    level, _ = walk(*[-2.0] * 12)
    assert level[0] == pytest.approx(-2 * LEVEL)
    assert level == sorted(level, reverse=True)
    assert level[-1] < -1.7


def test_a_first_rating_one_sd_low_weighs_about_what_sharf_found() -> None:
    """d = .55 is of one early rating: level and distance from it together come near it (-.51)."""
    low = sessions(Norm().mean - Norm().sd)
    terms = ("alliance_level", "alliance_now")
    together = sum(column(low, key)[0] * PRIOR[KEYS.index(key)].mean for key in terms)
    assert together == pytest.approx(0.51, abs=0.01)


def test_what_a_rupture_says_of_the_alliance_now_is_not_counted_twice() -> None:
    """Series drawn from the filter's own constants: while a rupture stands, alliance_now is 1.1 to 1.3 lower than otherwise."""
    draw, clients, length = np.random.default_rng(7), 6000, 12
    level, wobble = draw.normal(0, LEVEL**0.5, clients), draw.normal(0, WOBBLE**0.5, clients)
    shown = np.empty((clients, length))
    for at in range(length):
        if at:
            wobble = PERSISTENCE * wobble + draw.normal(0, (WOBBLE * (1 - PERSISTENCE**2)) ** 0.5, clients)
        shown[:, at] = level + wobble + draw.normal(0, ERROR**0.5, clients)
    lower = []
    for unrated in (0.0, 0.3):
        given = np.where(draw.random(shown.shape) < unrated, np.nan, Norm().mean + Norm().sd * shown).clip(0, 1)
        broken = _standing(given)
        now = follow(((given - Norm().mean) / Norm().sd).ravel(), np.full(clients, length)).wobble / WOBBLE_UNIT
        late = np.tile(np.arange(length) >= 3, clients)  # the rule needs three ratings to compare with
        lower.append(now[late & ~broken].mean() - now[late & broken].mean())
        assert broken[late].mean() == pytest.approx(IN_RUPTURE, abs=0.03)
    assert lower == [pytest.approx(1.3, abs=0.05), pytest.approx(1.1, abs=0.05)]
    assert lower[1] < NOW_IN_RUPTURE < lower[0]


def _standing(ratings: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Per session, clients one behind the other, whether a rupture stands, by the latest rating so far."""
    given = ~np.isnan(ratings)
    counts = given.sum(axis=1)
    said = judge(ratings[given].round(9), counts[counts > 0], np.full(int((counts > 0).sum()), 0.05))
    open_now = said["state"].is_in(["open", "unrepaired"]).to_numpy() & ~said["back"].to_numpy()
    standing = np.zeros(ratings.shape, dtype=bool)
    standing[given] = open_now
    for at in range(1, ratings.shape[1]):
        standing[:, at] = np.where(given[:, at], standing[:, at], standing[:, at - 1])
    return standing.ravel()


def test_in_a_rupture_the_alliance_now_counts_from_what_is_usual_then() -> None:
    ratings = (0.8, 0.8, 0.8, 0.4)
    calm = column(sessions(*ratings), "alliance_now")
    broken = column(sessions(*ratings, rupture_open=[False, False, False, True]), "alliance_now")
    assert broken[:3] == calm[:3]
    assert broken[3] - calm[3] == pytest.approx(NOW_IN_RUPTURE)


def test_unrated_sessions_keep_the_level_and_let_the_wobble_fade() -> None:
    level, wobble = walk(0.3, 0.3, 0.3, -1.7, NO, NO, NO)
    assert level[4:] == pytest.approx([level[3]] * 3)
    assert wobble[4] == pytest.approx(0.6 * wobble[3])
    assert wobble[6] == pytest.approx(0.6**3 * wobble[3])


def test_without_any_rating_the_alliance_says_nothing() -> None:
    frame = sessions(NO, NO)
    for key in ("alliance_level", "alliance_now", "alliance_shortfall", "alliance_falls"):
        assert column(frame, key) == [0, 0]
    assert column(frame, "alliance_missing") == [1, 1]


def test_a_fall_is_one_only_after_an_earlier_rating_and_is_half_forgotten_a_session_later() -> None:
    falls = column(sessions(0.4, 0.4, 0.75, 0.3, NO), "alliance_falls")
    assert falls[0] == 0
    assert falls[3] > 1
    assert falls[4] == pytest.approx(falls[3] / 2, abs=1e-3)


def test_ratings_always_at_the_best_possible_have_weight_zero() -> None:
    frame = sessions(1.0, 1.0, 1.0, ceiling=[False, False, True])
    level = column(frame, "alliance_level")
    assert level[1] > 0
    assert level[2] == 0
    assert column(frame, "alliance_now")[2] == 0
    assert column(frame, "alliance_ceiling") == [0, 0, 1]


@pytest.mark.parametrize(
    ("key", "column_name", "values", "expected"),
    [
        ("no_show", "missed_since", [0, 1, 3, NO], [0, 1, 1, 0]),
        ("late_cancelled", "late_cancelled_since", [0, 1, 3, NO], [0, 1, 1, 0]),
        ("rupture_open", "rupture_open", [False, True, True, NO], [0, 1, 1, 0]),
        ("worse_now", "worse_now", [False, True, True, NO], [0, 1, 1, 0]),
        ("severity", "severity", [-1.5, 2.0, 9.0, NO], [-1.5, 2.0, 4.0, 0]),
        ("preference_unmet", "preference_unmet", [False, True, True, NO], [0, 1, 1, 0]),
        ("trainee", "trainee", [False, True, True, NO], [0, 1, 1, 0]),
        ("telehealth", "telehealth", [False, True, True, NO], [0, 1, 1, 0]),
    ],
)
def test_a_null_counts_as_no_and_unknown_severity_as_average(
    key: str, column_name: str, values: list[object], expected: list[float]
) -> None:
    assert column(sessions(0.7, 0.7, 0.7, 0.7, **{column_name: values}), key) == expected


def test_time_is_free_to_bend_at_sessions_two_to_four_and_after_twelve() -> None:
    frame = sessions(*[0.7] * 14)
    assert column(frame, "sessions_2_to_4")[:6] == [0, 1, 1, 1, 0, 0]
    assert column(frame, "log_beyond_12")[10:] == pytest.approx([0, 0, np.log(13 / 12), np.log(14 / 12)], abs=1e-4)


def test_rows_come_back_sorted_with_their_place_in_the_input() -> None:
    frame = pl.concat([sessions(0.5, 0.6, episode=2), sessions(0.9, episode=1)])
    rows = hazard_rows(frame[[1, 2, 0]])
    assert rows.episode.tolist() == [1, 2, 2]
    assert rows.session.tolist() == [1, 1, 2]
    assert rows.place.tolist() == [1, 2, 0]
    assert (rows.x == hazard_rows(frame).x).all()


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (sessions(0.5, 0.6)[[1, 1]], "1 rows repeat the key"),
        (sessions(0.5, 1.2), "1 values outside 0 to 1"),
        (sessions(0.5).drop("ceiling"), "columns missing: ceiling"),
    ],
    ids=["doubled", "out of range", "missing"],
)
def test_a_broken_contract_is_named(frame: pl.DataFrame, words: str) -> None:
    with pytest.raises(ContractError, match=words):
        hazard_rows(frame)


def test_no_sessions_no_rows() -> None:
    empty = HAZARD_SESSIONS.empty()
    assert len(hazard_rows(empty)) == 0
    assert measured_norms(empty) == DEFAULT_NORMS
    assert (
        len(what_followed(hazard_rows(empty), pl.DataFrame(schema={"episode_id": pl.Int64, "left": pl.Boolean}))) == 0
    )


def test_only_the_last_session_can_be_the_one_after_which_somebody_left() -> None:
    rows = hazard_rows(pl.concat([sessions(*[0.5] * 3, episode=number) for number in (1, 2, 3, 4)]))
    left = pl.DataFrame({"episode_id": [3, 1, 2], "left": [None, True, False]}, schema_overrides={"left": pl.Boolean})
    assert what_followed(rows, left).reshape(4, 3).tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, -1], [0, 0, -1]]


rating = st.one_of(st.none(), st.integers(0, 20).map(lambda n: n / 20))


@settings(deadline=None)
@given(st.lists(rating, min_size=1, max_size=12), st.lists(st.lists(rating, min_size=1, max_size=6), max_size=4))
def test_neither_a_later_session_nor_another_client_changes_what_was_said(
    own: list[float | None], others: list[list[float | None]]
) -> None:
    full = hazard_rows(pl.concat([sessions(*one, episode=number + 1) for number, one in enumerate([own, *others])]))
    for count in range(1, len(own) + 1):
        assert (hazard_rows(sessions(*own[:count])).x == full.x[:count]).all()


def test_a_practice_s_own_norm_gives_way_to_the_default_where_ratings_are_few() -> None:
    practice = simulate(WORLDS["level and fall"], 3000, 10, seed=4)
    own = measured_norms(practice.rows)
    assert own[""].mean == pytest.approx(practice.rows["alliance"].mean(), abs=0.001)
    assert own[""].sd == pytest.approx(practice.rows["alliance"].std(), abs=0.001)
    few = measured_norms(sessions(0.2))[""]
    assert few.mean == pytest.approx((0.2 + NORM_WEIGHT * 0.75) / (NORM_WEIGHT + 1), abs=1e-5)
    assert few.sd == pytest.approx(Norm().sd * (NORM_WEIGHT / (NORM_WEIGHT + 1)) ** 0.5, abs=1e-5)
    assert measured_norms(practice.rows.sample(fraction=1, shuffle=True, seed=1)) == own


def test_each_instrument_is_read_by_its_own_norm_and_an_unknown_one_by_the_default() -> None:
    names: list[object] = ["srs", "wai_sr", None]
    norms = {"": Norm(0.6, 0.1), "srs": Norm(0.9, 0.05)}
    rows = hazard_rows(sessions(0.85, 0.5, 0.5, alliance_instrument=names), norms)
    alone = hazard_rows(sessions(0.5, 0.5, 0.5), norms)  # every rating one SD below its norm
    assert rows.x == pytest.approx(alone.x, abs=1e-5)
    measured = measured_norms(sessions(0.85, 0.5, 0.5, alliance_instrument=names), norms)
    assert set(measured) == {"", "srs", "wai_sr"}


def test_an_instrument_that_states_its_norm_starts_from_it() -> None:
    built_in = BUILT_IN["wai_sr"]
    own = built_in.model_copy(update={"key": "own", "mean_clinical": 48.0, "sd_clinical": 6.0})
    down = own.model_copy(update={"key": "down", "better": "lower"})
    norms = stated_norms({"wai_sr": built_in, "own": own, "down": down, "phq9": BUILT_IN["phq9"]})
    assert set(norms) == {*DEFAULT_NORMS, "own", "down"}
    assert (norms["own"].mean, norms["own"].sd) == (0.75, 0.125)
    assert norms["down"].mean == 0.25


def test_sessions_asked_for_one_by_one_by_several_norms_say_what_each_norm_says_of_all() -> None:
    names: list[object] = ["srs", None, "srs", "wai_sr"]
    frame = pl.concat(sessions(0.9, NO, 0.4, 0.7, episode=n, alliance_instrument=names) for n in (1, 2, 3))
    norms = [DEFAULT_NORMS, {"": Norm(0.6, 0.1), "srs": Norm(0.9, 0.05)}]
    row, which = np.array([0, 1, 3, 6, 8]), np.array([0, 0, 1, 1, 0])
    found = {number: (own, rows) for number, own, rows in asked_rows(frame, row, which, norms)}
    for number, (own, rows) in found.items():
        alone = hazard_rows(frame, norms[number]).only(np.isin(np.arange(frame.height), row[own]))
        for part in ("x", "episode", "session", "ratings", "unsure"):
            assert (getattr(rows, part) == getattr(alone, part)).all(), part
    assert [own.tolist() for own, _ in found.values()] == [[0, 1, 4], [2, 3]]
    assert not list(asked_rows(frame, row[:0], which[:0], norms))
