"""How good probabilities were, against worked examples."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.analytics.calibration import auc, brier, calibration, log_loss, net_benefit, scaled_brier

P = np.array([0.1, 0.2, 0.3, 0.6, 0.8])
Y = np.array([0, 0, 1, 0, 1], dtype=bool)


def test_brier_and_auc_of_the_worked_example() -> None:
    """Worked example 32."""
    assert brier(P, Y) == pytest.approx(0.188)
    assert auc(P, Y) == pytest.approx(0.8333, abs=1e-4)
    assert scaled_brier(P, Y) == pytest.approx(0.2167, abs=1e-4)


def test_ties_count_half_and_one_kind_of_outcome_has_no_auc() -> None:
    assert auc(np.array([0.2, 0.2]), np.array([True, False])) == 0.5
    assert np.isnan(auc(P, np.zeros(5, dtype=bool)))


def test_net_benefit_of_the_worked_example() -> None:
    """Worked example 32: n = 100, 12 true and 18 false positives at .2; everybody at prevalence .2."""
    assert net_benefit(12, 18, 100, 0.2) == pytest.approx(0.075)
    assert net_benefit(20, 80, 100, 0.2) == pytest.approx(0)


def test_calibration_of_the_worked_example() -> None:
    """Worked example 33."""
    p = np.array([0.05, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.5, 0.6])
    found = calibration(p, np.array([0, 0, 1, 0, 0, 1, 0, 1, 0, 1], dtype=bool))
    assert found.in_the_large == pytest.approx(0.6746, abs=1e-4)
    assert found.slope == pytest.approx(0.7757, abs=1e-4)
    assert found.intercept == pytest.approx(0.4489, abs=1e-4)


def test_log_loss_of_a_coin() -> None:
    assert log_loss(np.full(5, 0.5), Y) == pytest.approx(np.log(2))
