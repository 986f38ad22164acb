"""A user's own code under way: what it prints goes to stderr, for stdout is data, and one Ctrl-C ends it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace

from agenteval.context import OwnPolicy, Policy, build_policy


@contextmanager
def own_code() -> Iterator[None]:
    """Around what may never come back. An event loop only takes note of the first Ctrl-C, until its code lets go."""
    before = signal.getsignal(signal.SIGINT)
    heeded = callable(before)
    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if heeded:
            signal.signal(signal.SIGINT, before)


def policies(*, allow_code: bool) -> Callable[[str], Policy]:
    """What makes policies of texts, as `build_policy` does; a user's own run under guard."""

    def made(text: str) -> Policy:
        with own_code():
            policy = build_policy(text, allow_code=allow_code)
        return replace(policy, reduce=own_code()(policy.reduce)) if isinstance(policy, OwnPolicy) else policy

    return made
