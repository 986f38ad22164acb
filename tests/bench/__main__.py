"""`make bench`: tables of what agenteval costs, beside its peers and beside the bars, measured in one run.

`make bench ARGS='growth report'` makes only those tables.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from tabulate import tabulate

from tests.bench import (
    bench_client,
    bench_errors,
    bench_growth,
    bench_parsers,
    bench_policies,
    bench_report,
    bench_semantics,
    bench_suite,
)

PARTS: dict[str, ModuleType] = {
    "client": bench_client,
    "errors": bench_errors,
    "semantics": bench_semantics,
    "growth": bench_growth,
    "report": bench_report,
    "suite": bench_suite,
    "parsers": bench_parsers,
    "policies": bench_policies,
}
"""Each has a TITLE and `rows()`."""


def main(chosen: list[str]) -> None:
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        sys.exit(f"there is no part {unknown[0]!r} of the bench; there are: {', '.join(PARTS)}")
    for name in chosen or PARTS:
        before = os.getloadavg()[0]
        rows = list(PARTS[name].rows())
        print(PARTS[name].TITLE)
        print(f"Machine: {os.cpu_count()} cores, load {before:.1f} before and {os.getloadavg()[0]:.1f} after.")
        print(tabulate(rows, headers="keys", missingval="–"), end="\n\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
