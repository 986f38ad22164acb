"""Whether scenarios can measure policies at all: played on the embedded endpoint with nothing wrong, each must be
solved with everything in view and with only what is needed, and each policy of the suite must have something to do."""

from __future__ import annotations

from agenteval.calibration.played import Played, played
from agenteval.calibration.problems import CONTROLS, calibration_problems

__all__ = ["CONTROLS", "Played", "calibration_problems", "played"]
