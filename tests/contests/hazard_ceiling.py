"""What the dropout model's own terms could say at best, before any ending is known in the practice itself.

Four sets of coefficients from very many episodes, without prior and without clinicians. "elsewhere" is fitted on all other
practices together: no prior drawn from other places can be expected to do better. The others are fitted on the practice
itself, which nobody can do on its first day: they split what is missing into the course over the sessions, the effect of a
missed session, and the rest. With a thousand closed episodes the model can pass them, since it then knows the clinicians.
Tried for day one and left out. Norms measured on the practice's own 200 first episodes without their endings: within .3 points of
share, intercepts no better. Published effects, which are of leaving at all, as effects per session (times .9): slopes .03
to .04 higher in all six, share within .4; science 5.3 puts the difference into the priors' sds. No decline at all after the
twelfth session instead of half of it: 1.2 points more where the truth rises late, but with 1,000 closed episodes log-loss .00003
worse where it goes on falling. No published size of the effect of a missed session was found.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.hazard_rows import hazard_rows
from dashboard.analytics.hazard_terms import KEYS, PRIOR, TIME
from dashboard.analytics.newton import most_probable
from tests.simulators import simulate
from tests.simulators.practice import World

Reals = NDArray[np.float64]
Ceilings = dict[str, Reals]
EPISODES, CLINICIANS, SEED = 30_000, 2_000, 991
FREE, NAILED = 100.0, 1e-4  # sd: any size; as day one has it

ELSEWHERE, HERE = "best of the other practices", "best of this practice"
HELD: dict[str, tuple[str, ...]] = {
    "  with day one's time course": TIME[1:],
    "  and its effect of a missed one": (*TIME[1:], "no_show"),
}


def ceilings(worlds: Mapping[str, type[World]]) -> dict[str, Ceilings]:
    """Per world the coefficients (order KEYS) of each set."""
    drawn = {name: _drawn(world) for name, world in worlds.items()}
    found: dict[str, Ceilings] = {}
    for name, (x, y) in drawn.items():
        others = [one for other, one in drawn.items() if other != name]
        found[name] = {
            ELSEWHERE: _best(np.concatenate([one[0] for one in others]), np.concatenate([one[1] for one in others])),
            HERE: _best(x, y),
            **{label: _best(x, y, held) for label, held in HELD.items()},
        }
    return found


def _drawn(world: type[World]) -> tuple[NDArray[np.float32], Reals]:
    many = simulate(world, EPISODES, CLINICIANS, SEED)
    known = many.dropout >= 0
    return hazard_rows(many.rows).x[known], many.dropout[known].astype(np.float64)


def _best(x: NDArray[np.float32], y: Reals, held: tuple[str, ...] = ()) -> Reals:
    return most_probable(
        x,
        y,
        np.zeros(len(x), dtype=np.int64),
        np.array([term.mean if term.key in held else 0.0 for term in PRIOR]),
        np.array([NAILED if key in held else FREE for key in KEYS]),
        effect_sd=1e-6,
        effect_sd_weight=np.inf,
        groups=1,
    ).coefficients
