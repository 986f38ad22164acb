"""An HTTP server whose replies come in time: the plumbing of every endpoint that we play ourselves.

An endpoint is a function from method, path and body to a `Response`; it never sees a socket. What listens is in
`listen`, to be imported when it is wanted: it is slow to load.
"""

from __future__ import annotations

from agenteval.server.response import JSON, SSE, Answerer, CutError, Response, at_once, error_body, error_response

__all__ = [
    "JSON",
    "SSE",
    "Answerer",
    "CutError",
    "Response",
    "at_once",
    "error_body",
    "error_response",
]
