"""`python -m tests.kills.counted LOG [SUITE]…`: what `agenteval serve` serves, at an instant pace, and a log.

Each chat completion that is asked for is a line of LOG, written before it is answered: the seed and the thinking of its
conversation, and a hash of the body. Stops by itself after an hour.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from pathlib import Path

from agenteval.canonical import short_hash
from agenteval.clock import RealClock
from agenteval.scenario import load_suite
from agenteval.server import Response
from agenteval.server.listen import serve
from agenteval.simulator import PROFILES, Engine
from agenteval.simulator.routes import respond
from agenteval.simulator.serve import Hurried

HOUR = 3600.0
INSTANTLY = 1e9


def answer(engine: Engine, log: Path, method: str, path: str, body: bytes) -> Response:
    if method == "POST":
        asked = json.loads(body)
        conversation = [asked["seed"], asked["chat_template_kwargs"]]
        with log.open("a") as file:
            file.write(json.dumps([short_hash(conversation), short_hash(body)]) + "\n")
    return respond(engine, method, path, body)


def main(log: str, *suites: str) -> None:
    scenarios = tuple(item for name in suites for item in load_suite(name).scenarios)
    engine = Engine(PROFILES["glm47-4x-spark"], scenarios, Hurried(RealClock(), INSTANTLY))

    def ready(port: int) -> None:
        print(f"http://127.0.0.1:{port}/v1", file=sys.stderr, flush=True)

    asyncio.run(serve(partial(answer, engine, Path(log)), "127.0.0.1", 0, ready=ready, max_seconds=HOUR))


if __name__ == "__main__":
    main(*sys.argv[1:])
