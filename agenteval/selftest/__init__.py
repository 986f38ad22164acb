"""The client's own errors on this machine: it is measured as it measures others, against a server that knows the truth.

A scheduled server in a process of its own tells when it really sent each chunk; both read the same monotonic clock. So
what is told is the client's stamp less the server's, whether the server kept its schedule or not.
"""

from __future__ import annotations

from agenteval.selftest.measure import selftest
from agenteval.selftest.plan import QUICK, Plan
from agenteval.selftest.verdict import Bar, Result

__all__ = ["QUICK", "Bar", "Plan", "Result", "selftest"]
