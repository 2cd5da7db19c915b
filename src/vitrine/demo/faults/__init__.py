"""Plants known numbers of every data fault into a catalogue, to see and measure what is caught."""

from vitrine.demo.faults.kinds import FAULTS, Fault
from vitrine.demo.faults.plant import MAY_ALSO, describe, plant_faults
from vitrine.demo.faults.planting import Planted
from vitrine.demo.faults.scoring import Score, score_checks

__all__ = [
    "FAULTS",
    "MAY_ALSO",
    "Fault",
    "Planted",
    "Score",
    "describe",
    "plant_faults",
    "score_checks",
]
