"""`make bench`: what our client costs beside its peers, measured in one run on this machine."""

from __future__ import annotations

from tabulate import tabulate

from tests.bench import bench_client


def main() -> None:
    print("CPU seconds per 10,000 streamed chunks, recording included; ratio: to agenteval in the same run.")
    print(tabulate(bench_client.rows(), headers="keys", floatfmt=".3f"))


if __name__ == "__main__":
    main()
