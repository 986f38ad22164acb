"""`make bench`: what our client and our parsers cost beside their peers, measured in one run on this machine."""

from __future__ import annotations

from tabulate import tabulate

from tests.bench import bench_client, bench_parsers


def main() -> None:
    print("CPU seconds per 10,000 streamed chunks, recording included; ratio: to agenteval in the same run.")
    print(tabulate(bench_client.rows(), headers="keys", floatfmt=".3f"))
    print("\nThousands of characters per CPU second that incremental parsers read; ratio: to the faster engine.")
    for sentence in bench_parsers.missing():
        print(sentence)
    print(tabulate(bench_parsers.rows(), headers="keys", floatfmt=".1f"))


if __name__ == "__main__":
    main()
