"""What people do wrong on their first day, each with the sentence that they read: file, line, column, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenteval.scenario import lint
from tests import warm
from tests.scenario.files import SMALL, spoilt, write

READ_SCHEMA = "parameters: {type: object, properties: {id: {type: string}}, required: [id]}"
BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
)

MISTAKES: dict[str, tuple[str | bytes, str]] = {
    "unknown-key": (
        spoilt("answer: {contains:", "answer: {contain:"),
        "31:16: turns[1].expect.answer.contain: unknown key `contain`, did you mean `contains`?; there are contains, ",
    ),
    "missing-key": (
        spoilt("schema: 1\n", ""),
        "1:1: schema: `schema` is missing; expected `schema: 1`, the version of the format",
    ),
    "wrong-type": (
        spoilt('contains: ["${ticket}"]', "contains: 7"),
        "31:26: turns[1].expect.answer.contains: expected a list of texts, or of lists of spellings, found 7 (a num",
    ),
    "text-without-quotes": (
        spoilt("user: Read a.py.", "user: 417"),
        "26:11: turns[0].user: expected what the user says, found 417 (a number); put it in quotes",
    ),
    "tool-without-schema": (
        spoilt(f"    {READ_SCHEMA}\n", ""),
        "19:5: tools[1].parameters: `parameters` is missing; expected the JSON Schema of the tool's arguments",
    ),
    "invalid-json-schema": (
        spoilt("properties: {path: {type: string}, ", "properties: {path: {type: text}, "),
        "12:33: tools[0].parameters.properties.path.type: not a valid JSON Schema: 'text' is not one of "
        "['array', 'boolean', 'integer', ",
    ),
    "pattern-of-a-property": (
        spoilt("properties: {path: {type: string}, ", 'properties: {path: {type: string, pattern: "("}, '),
        "12:50: tools[0].parameters.properties.path.pattern: not a valid JSON Schema: the pattern '(' is not valid",
    ),
    "schema-of-no-object": (
        spoilt(READ_SCHEMA, "parameters: {properties: {id: {type: string}}}"),
        "20:17: tools[1].parameters: a tool's arguments are an object; write `type: object`",
    ),
    "unknown-tool": (
        spoilt("calls: [{name: close_ticket", "calls: [{name: close_tickets"),
        "30:22: turns[1].expect.calls[0].name: there is no tool 'close_tickets', did you mean `close_ticket`?",
    ),
    "misspelt-prohibition": (
        spoilt('answer: {contains: ["${ticket}"]}', "forbid: [{name: read_fiel}]"),
        "31:23: turns[1].expect.forbid[0].name: there is no tool 'read_fiel', did you mean `read_file`?; there are",
    ),
    "no-turns": (
        SMALL.partition("turns:\n")[0] + "turns: []\n",
        "25:8: turns: expected a list of at least one turn, found an empty list",
    ),
    "call-against-its-schema": (
        spoilt("arguments: {path: a.py}", "arguments: {path: a.py, limit: few}"),
        "27:51: turns[0].expect.calls[0].arguments: breaks the schema of read_file: $.limit: 'few' is not of type",
    ),
    "call-without-an-argument": (
        spoilt("arguments: {path: a.py}", "arguments: {limit: 3}"),
        "27:51: turns[0].expect.calls[0].arguments: breaks the schema of read_file: $: 'path' is a required property",
    ),
    "unknown-value": (
        spoilt("user: Close its ticket.", "user: Close ${tiket}."),
        "28:11: turns[1].user: `${tiket}`: there is no value `tiket`, did you mean `ticket`?",
    ),
    "unknown-argument": (
        spoilt('error: "no such file: ${args.path}"', 'error: "no such file: ${args.file}"'),
        "18:16: tools[0].mock[1].error: `file` is not an argument; there are limit, path",
    ),
    "unknown-part-of-the-world": (
        spoilt('returns: "${world.files[args.path]}"', 'returns: "${world.file[args.path]}"'),
        "17:18: tools[0].mock[0].returns: `file` is not a part of the world, did you mean `files`?",
    ),
    "key-twice": (
        SMALL + "  - user: More.\ntools: []\n",
        "34:1: the key 'tools' stands twice; its first place is line 7",
    ),
    "two-tools-of-one-name": (
        spoilt("turns:\n", "  - name: read_file\n    parameters: {type: object}\nturns:\n"),
        "25:11: tools[2].name: there is already a tool 'read_file'",
    ),
    "same-user-text": (
        spoilt("user: Close its ticket.", "user: Read a.py."),
        "28:11: turns[1].user: the same text as in turn 1; each must be unique",
    ),
    "yaml-bomb": (BOMB, "5:46: a4[9]: more than 100,000 values or 2,097,152 characters, aliases unfolded"),
    "file-of-50-mb": (b"x" * 50_000_000, "1:1: the file is larger than 2,097,152 bytes"),
    "tab": (spoilt("  files: {a.py", "\tfiles: {a.py"), "5:1: a tab cannot indent; use spaces"),
    "not-utf-8": (SMALL.replace("Read a.py.", "Lies \xe4.py.").encode("latin-1"), "26:16: byte 0xe4 is not UTF-8"),
    "utf-16": (SMALL.encode("utf-16"), "1:1: byte 0xff is not UTF-8"),
    "file-outside-the-suite": (
        spoilt('{a.py: "see ${ticket}"}', "{a.py: {$file: ../secret.txt}}"),
        "5:25: world.files.a.py.$file: '../secret.txt' is outside the suite",
    ),
    "no-yaml": (SMALL + "  - user: [Open\n", "(begun in line 33)"),
    "empty": ("", "1:1: the file is empty"),
    "no-map": ("Read a.py.\n", "1:1: expected a map of keys like `schema`, `name`, `turns`"),
}
"""Kind → a file with just this mistake, and how the sentence about it begins (after the file's name)."""


def content(kind: str) -> str | bytes:
    """The file of a kind, under a name of its own."""
    text = MISTAKES[kind][0]
    if isinstance(text, str):
        return text.replace("name: small", f"name: {kind}")
    return text.replace(b"name: small", f"name: {kind}".encode())


@pytest.mark.parametrize("kind", MISTAKES)
def test_the_mistake_is_named_with_its_place_and_nothing_else_is(kind: str, tmp_path: Path) -> None:
    suite = write(tmp_path / "suite", {f"{kind}.yaml": content(kind)})
    write(tmp_path, {"secret.txt": "s"})
    (problem,) = lint(suite)
    said = str(problem).removeprefix(f"{suite}/{kind}.yaml:")
    assert said != str(problem), "the file is named first"
    assert said.partition(":")[0] == str(problem.line)
    sentence = MISTAKES[kind][1]
    assert said.startswith(sentence) or (not sentence[0].isdigit() and sentence in said), said


def test_two_files_may_not_have_the_same_name(tmp_path: Path) -> None:
    (problem,) = lint(write(tmp_path, {"a.yaml": SMALL, "b.yaml": SMALL}))
    first = tmp_path / "a.yaml"
    assert str(problem) == f"{tmp_path}/b.yaml:2:7: name: 'small' is also the name in {first}; names are unique"


def test_the_command_tells_all_of_them_and_exits_with_2(tmp_path: Path) -> None:
    write(tmp_path, {f"suite/{kind}.yaml": content(kind) for kind in MISTAKES})
    done = warm.run("agenteval", "scenario", "lint", "suite", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(MISTAKES)
    for kind, (_, sentence) in MISTAKES.items():
        assert [line for line in lines if line.startswith(f"suite/{kind}.yaml:") and sentence in line], kind


def test_what_a_file_says_cannot_move_the_cursor(tmp_path: Path) -> None:
    write(tmp_path, {"suite/a.yaml": spoilt("turns:\n", '"\\e[2Jturns":\n')})
    done = warm.run("agenteval", "scenario", "lint", "suite", cwd=tmp_path)
    assert done.returncode == 2
    assert "\\x1b[2Jturns" in done.stdout
    assert "\x1b" not in done.stdout
