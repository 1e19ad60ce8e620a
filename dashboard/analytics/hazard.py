"""The chance that a client stops coming without an agreed ending: published priors that give way to the practice's own data.

logit h = alpha + time + x'b + clinician effect, one row per attended session (science 5.4). An agreed ending competes and is
censored: the last session of such an episode is a row in which nobody left. Without rows the model is the priors exactly,
which is the model of day one. Intervals are Laplace's; nothing is drawn at random; the version is made from the content.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.alliance_filter import ERROR, FORGETTING, LEVEL, PERSISTENCE, WOBBLE
from dashboard.analytics.alliance_norms import DEFAULT_NORMS, Norm, Norms
from dashboard.analytics.hazard_rows import FORM, HazardRows
from dashboard.analytics.hazard_terms import CLINICIAN_SD, CLINICIAN_SD_WEIGHT, PRIOR, Term
from dashboard.analytics.newton import most_probable

Reals = NDArray[np.float64]
USUAL_WEIGHT = 200  # rows' worth of belief that this practice is an average one (Term.usual)
DECIMALS = 10  # kept of every coefficient: sums in another order must not make another model


@dataclass(frozen=True)
class HazardModel:
    """Posterior of one fit. Tuples, so that it is immutable; ``clinicians`` is sorted and lies beside the next three fields.

    ``lean`` and ``own_variance``: how a clinician's effect hangs on the coefficients (newton.Mode). ``usual``: the practice's
    mean of every term, 0 where it is an average one. ``rows``, ``events``, ``episodes``: what it was fitted on.
    """

    keys: tuple[str, ...]
    prior_mean: tuple[float, ...]
    prior_sd: tuple[float, ...]
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    usual: tuple[float, ...]
    clinicians: tuple[int, ...]
    effects: tuple[float, ...]
    own_variance: tuple[float, ...]
    lean: tuple[tuple[float, ...], ...]
    clinician_sd: float
    norms: Norms
    rows: int
    events: int
    episodes: int
    form: int = FORM

    @cached_property
    def sd(self) -> tuple[float, ...]:
        """Posterior sd per term."""
        return tuple(float(np.sqrt(self.covariance[at][at])) for at in range(len(self.keys)))

    @cached_property
    def learned(self) -> dict[str, float]:
        """Per term how much was learned here: 1 - (posterior sd / prior sd)^2; 0 is all prior, 1 all local data."""
        pairs = zip(self.keys, self.sd, self.prior_sd, strict=True)
        return {key: max(0.0, 1 - (now / before) ** 2) for key, now, before in pairs}

    @cached_property
    def version(self) -> str:
        """Hash of the content: the same data and priors give the same version on any day and machine.

        Clinicians count by what was learned of them, not by their id: a database numbers them in the order of import.
        """
        content = {**self.to_dict(), "filter": [LEVEL, WOBBLE, ERROR, PERSISTENCE, FORGETTING]}
        each = sorted(zip(self.effects, self.own_variance, self.lean, strict=True))
        content |= {"clinicians": each, "effects": None, "own_variance": None, "lean": None}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """For storage as JSON."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "norms"}
        norms = {key: asdict(self.norms[key]) for key in sorted(self.norms)}
        return json.loads(json.dumps(named)) | {"norms": norms}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> HazardModel:
        """What ``to_dict`` gave."""

        def frozen(value: Any) -> Any:
            return tuple(frozen(one) for one in value) if isinstance(value, list) else value

        norms = {key: Norm(**norm) for key, norm in stored["norms"].items()}
        return cls(**{name: frozen(value) for name, value in stored.items() if name != "norms"}, norms=norms)


def _rounded(values: Reals) -> Any:
    """Nested tuples of plain floats; adding 0 turns -0.0 into 0.0."""
    kept = np.round(values, DECIMALS) + 0.0
    return tuple(_rounded(one) for one in kept) if kept.ndim > 1 else tuple(kept.tolist())


def day_one(prior: tuple[Term, ...] = PRIOR, norms: Norms | None = None) -> HazardModel:
    """The model before any local ending is known: the priors, exactly."""
    mean, sd = tuple(term.mean for term in prior), tuple(term.sd for term in prior)
    return HazardModel(
        tuple(term.key for term in prior),
        mean,
        sd,
        mean,
        tuple(map(tuple, np.diag(np.square(sd)).tolist())),
        (0.0,) * len(prior),
        (),
        (),
        (),
        (),
        CLINICIAN_SD,
        DEFAULT_NORMS if norms is None else norms,
        0,
        0,
        0,
    )


def fit(
    rows: HazardRows,
    left: NDArray[np.int8],
    *,
    prior: tuple[Term, ...] = PRIOR,
    clinician_sd: float | None = None,
) -> HazardModel:
    """The model given sessions and what came of them, ``left`` in the order of ``rows``.

    ``left``: 1 the last session before a unilateral ending (else before no return within the practice's limit), 0 another
    session followed or the ending was agreed, -1 not known yet (dropped). ``clinician_sd`` fixes what is otherwise learned.
    """
    known = left >= 0
    if not known.any():
        return day_one(prior, rows.norms)
    rows, y = (rows if known.all() else rows.only(known)), left[known].astype(np.float64)
    clinicians, group = np.unique(rows.clinician, return_inverse=True)
    mean, sd = (np.array([getattr(term, name) for term in prior]) for name in ("mean", "sd"))
    mode = most_probable(
        rows.x,
        y,
        group,
        mean,
        sd,
        effect_sd=CLINICIAN_SD if clinician_sd is None else clinician_sd,
        effect_sd_weight=CLINICIAN_SD_WEIGHT if clinician_sd is None else np.inf,
        groups=len(clinicians),
    )
    usual = rows.x.sum(axis=0, dtype=np.float64) / (len(rows) + USUAL_WEIGHT)
    return replace(
        day_one(prior, rows.norms),
        mean=_rounded(mode.coefficients),
        covariance=_rounded(mode.covariance),
        usual=_rounded(usual),
        clinicians=tuple(int(one) for one in clinicians),
        effects=_rounded(mode.effects),
        own_variance=_rounded(mode.own_variance),
        lean=_rounded(mode.lean),
        clinician_sd=round(mode.effect_sd, 6),
        rows=len(rows),
        events=int(y.sum()),
        episodes=len(np.unique(rows.episode)),
    )
