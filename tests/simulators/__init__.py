"""Three invented practices that differ in how clients come to leave. Frozen before the model was written: do not tune them.

Each knows what no data set tells: the chance that a session was the last without an agreed ending, with everything that could
ever have been measured (the true alliance also where it was not rated, the clinician's own effect) but without the client's
unmeasurable frailty.
"""

from tests.simulators.level_and_fall import LevelAndFall
from tests.simulators.practice import Simulated, simulate
from tests.simulators.threshold_and_memory import ThresholdAndMemory
from tests.simulators.wandering_bond import WanderingBond

WORLDS = {
    "level and fall": LevelAndFall,
    "threshold and memory": ThresholdAndMemory,
    "wandering bond": WanderingBond,
}

__all__ = ["WORLDS", "Simulated", "simulate"]
