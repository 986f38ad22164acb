"""A parser in a program of its own, as bad as its argument says: `python programs.py MODE`. Imports nothing of ours."""

from __future__ import annotations

import json
import sys

MODE = sys.argv[1]


def answer(question: dict[str, object]) -> dict[str, object]:
    if "hello" in question:
        return {"version": "bad 1.0"}
    if "text" in question:
        return {"message": {"content": question["text"]}}
    pieces = question["pieces"]
    assert isinstance(pieces, list)
    if MODE == "timed":
        return {"feeds": [[{"content": piece}] for piece in pieces[:2]], "seconds": question["clock"]}
    return {"feeds": [[{"content": piece}] if piece else [] for piece in pieces] + [[]]}


def main() -> None:
    for line in sys.stdin:
        question = json.loads(line)
        said = {"id": question["id"], **answer(question)}
        text = question.get("text") or ""
        if "boom" in text and MODE == "crash":
            sys.stderr.write("Traceback: IndexError in the parser\n")
            sys.exit(3)
        if "boom" in text and MODE == "hang":
            sys.stdin.read()
        if "boom" in text and MODE == "error":
            said = {"id": question["id"], "error": "KeyError: 'name'"}
        if "boom" in text and MODE == "garbage":
            sys.stdout.write("loading weights…\n")
        if "boom" in text and MODE == "short":
            said = {"id": question["id"], "message": {"content": 7}}
        if "boom" in text and MODE == "late":
            said["id"] = 0
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


main()
