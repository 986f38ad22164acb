"""The embedded endpoint: an OpenAI-compatible server inside the package, with planted defects and a known pace.

It speaks through the real path, from raw model text to SSE bytes; only the socket differs: `SimulatedTransport` in the
same process and in virtual time, `simulator.serve` over HTTP in real time (imported only where it is needed, because it
brings a web server along). `PROFILES` is the table of deployments.
"""

from __future__ import annotations

from agenteval.simulator.engine import Engine
from agenteval.simulator.inprocess import SimulatedTransport
from agenteval.simulator.profiles import DEFAULT_PROFILE, PROFILES, Profile

__all__ = ["DEFAULT_PROFILE", "PROFILES", "Engine", "Profile", "SimulatedTransport"]
