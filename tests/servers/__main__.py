"""`python -m tests.servers [llamacpp] [vllm] [sglang]`: make these servers and their models, unless they are there."""

from __future__ import annotations

import sys

from tests.servers.deployments import DEPLOYMENTS, PROGRAMS
from tests.servers.weights import BY_NUMPY, has_torch


def main(wanted: list[str]) -> int:
    unknown = sorted(set(wanted) - set(PROGRAMS))
    if unknown:
        print(f"no server is called {', '.join(unknown)}; there are: {', '.join(PROGRAMS)}", file=sys.stderr)
        return 2
    for name, program in PROGRAMS.items():
        if name in wanted:
            program.install()
    for deployment in DEPLOYMENTS.values():
        if deployment.server in wanted and (deployment.model in BY_NUMPY or has_torch()):
            deployment.prepare()
    print(f"There: {', '.join(wanted)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["llamacpp"]))
