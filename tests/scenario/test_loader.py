"""Suites from folders, files and bundled names; every mistake in them as a sentence with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agenteval.document.reader import MAX_BYTES
from agenteval.errors import FileError, UsageError
from agenteval.scenario import bundled_names, bundled_root, load_suite
from agenteval.script import Change, Defaults, ExpectedCall, Scenario
from tests.scenario.files import SMALL, spoilt, write


def load(folder: Path, files: dict[str, str | bytes]) -> tuple[Scenario, ...]:
    return load_suite(write(folder, files)).scenarios


def complaint(folder: Path, files: dict[str, str | bytes]) -> str:
    with pytest.raises(FileError) as caught:
        load(folder, files)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_file_becomes_values(tmp_path: Path) -> None:
    (scenario,) = load(tmp_path, {"small.yaml": SMALL})
    assert (scenario.name, scenario.source) == ("small", str(tmp_path / "small.yaml"))
    assert [tool.name for tool in scenario.tool_specs] == ["read_file", "close_ticket"]
    assert scenario.tools[1].rules[0].changes == (Change("set", "tickets[args.id]", "closed"),)
    assert scenario.tools[0].rules[1].error == "no such file: ${args.path}"
    assert scenario.turns[1].expect.calls == (ExpectedCall("close_ticket", {"id": "${ticket}"}),)
    assert scenario.turns[1].expect.state == {"tickets[${ticket}]": "closed"}
    assert scenario.defaults == Defaults()
    assert re.fullmatch("sha256:[0-9a-f]{64}", scenario.hash)


def test_changes_keep_the_order_in_which_they_are_written(tmp_path: Path) -> None:
    rule = 'delete: ["files[a.py]"]\n        append: {log: x}\n        set: {"tickets[args.id]": closed}'
    (scenario,) = load(tmp_path, {"a.yaml": spoilt('set: {"tickets[args.id]": closed}', rule)})
    assert [change.verb for change in scenario.tools[1].rules[0].changes] == ["delete", "append", "set"]


def test_no_calls_and_no_word_of_calls_are_two_things(tmp_path: Path) -> None:
    (scenario,) = load(tmp_path, {"a.yaml": SMALL + "  - user: And now?\n    expect: {calls: []}\n  - user: Well?\n"})
    assert [turn.expect.calls for turn in scenario.turns[2:]] == [(), None]


def test_a_folder_is_a_suite(tmp_path: Path) -> None:
    def named(name: str) -> str:
        return spoilt("name: small", f"name: {name}")

    files: dict[str, str | bytes] = {f"{name}.yaml": named(name) for name in "abcd"}
    files["suite.yaml"] = "name: letters\norder: [c, a]\ndefaults: {max_steps: 3}\n"
    files["a.yaml"] = named("a") + "defaults: {max_steps: 5, temperature: null}\n"
    suite = load_suite(write(tmp_path, {**files, "notes.txt": "x", ".hidden.yaml": "x", "deeper/x.yaml": "x"}))
    assert suite.name == "letters"
    assert [scenario.name for scenario in suite.scenarios] == ["c", "a", "b", "d"]
    assert [scenario.defaults for scenario in suite.scenarios[:2]] == [Defaults(max_steps=3), Defaults(5, 1024, None)]


def test_one_file_of_a_suite_can_be_named(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": SMALL, "b.yaml": "broken: [", "suite.yaml": "order: [x]\ndefaults: {max_tokens: 9}\n"})
    suite = load_suite(str(tmp_path / "a.yaml"))
    assert (suite.name, suite.scenarios[0].defaults.max_tokens) == ("a", 9)


def test_every_bundled_suite_loads() -> None:
    assert "founding" in bundled_names()
    for name in bundled_names():
        suite = load_suite(name)
        assert suite.name == name
        for scenario in suite.scenarios:
            assert load_suite(scenario.name).scenarios == (scenario,)
            assert load_suite(f"{name}/{scenario.name}").scenarios == (scenario,)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("foundin", "there is no suite 'foundin'.* founding.*did you mean `founding`"),
        ("no/such/file.yaml", "there is no suite"),
        ("", "there is no suite"),
        ("\0", "cannot read|there is no suite"),
        ("x" * 5000, "cannot read|there is no suite"),
    ],
)
def test_an_unknown_name_is_a_sentence(name: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        load_suite(name)


def test_a_folder_without_scenarios_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no scenarios"):
        load_suite(str(tmp_path))


MISTAKES = [
    ("name: small\n", "", "a.yaml:1:1: name: `name` is missing; expected a name of small letters"),
    (
        "name: small\n",
        "name: Small One\n",
        'a.yaml:2:7: name: expected a name of small letters, digits and dashes, like ticket-desk, found "Small One"',
    ),
    ("name: small\n", "name: 7\n", "found 7 (a number); put it in quotes"),
    (
        "schema: 1\n",
        "schema: 2\n",
        "a.yaml:1:9: schema: expected `schema: 1`, the version of the format, found 2 (a number)",
    ),
    ("turns:\n", "turn:\n", "a.yaml:25:1: turn: unknown key `turn`, did you mean `turns`?"),
    (
        "answer: {contains:",
        "answer: {contain:",
        "unknown key `contain`, did you mean `contains`?; there are contains, excludes, example",
    ),
    (
        "  - user: Read a.py.\n",
        "  - user:\n",
        "a.yaml:26:10: turns[0].user: expected what the user says, found null (nothing)",
    ),
    (
        "calls: [{name: read_file, ",
        "calls: [{",
        "turns[0].expect.calls[0].name: `name` is missing; expected the name of a tool",
    ),
    (
        'calls: [{name: close_ticket, arguments: {id: "${ticket}"}}]',
        "calls: close_ticket",
        "turns[1].expect.calls: expected a list of calls",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "order: sorted",
        'turns[1].expect.order: expected `exact` or `any`, found "sorted"',
    ),
    ('answer: {contains: ["${ticket}"]}', "extra: maybe", "turns[1].expect.extra: expected true"),
    (
        'answer: {contains: ["${ticket}"]}',
        "extra: yes",
        'expected true (further calls are allowed) or false, found "yes" (a text)',
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "answer: {contains: [417]}",
        "turns[1].expect.answer.contains[0]: expected a text, found 417 (a number); put it in quotes",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "answer: {contains: [a, [b, 417]]}",
        "a.yaml:31:34: turns[1].expect.answer.contains[1][1]: expected a text, found 417 (a number); put it in quotes",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "answer: {contains: [[a, [b]]]}",
        "turns[1].expect.answer.contains[0][1]: expected a text, found a list",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "answer: {contains: [a, []]}",
        "a.yaml:31:30: turns[1].expect.answer.contains[1]: expected 1 to 20 spellings, found 0",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        f"answer: {{contains: [{[f'a{number}' for number in range(21)]}]}}",
        "turns[1].expect.answer.contains[0]: expected 1 to 20 spellings, found 21",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        'answer: {contains: [[a, " "]]}',
        "turns[1].expect.answer.contains[0][1]: expected a text of 1 to 500 characters, found 0",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        f"answer: {{excludes: [{'x' * 501}]}}",
        "turns[1].expect.answer.excludes[0]: expected a text of 1 to 500 characters, found 501",
    ),
    (
        '{nonce: "BUG-####"}',
        "{nonce: BUG-1}",
        "values.ticket.nonce: a nonce needs at least 3 of # (a digit) and @ (a letter)",
    ),
    ('{nonce: "BUG-####"}', "{choice: [a]}", "values.ticket.choice: expected a list of two texts or numbers or more"),
    ('{nonce: "BUG-####"}', "{choice: [a, [b]]}", "values.ticket.choice[1]: a choice is a text or a number"),
    ('{nonce: "BUG-####"}', '{choice: [a, "b]"]}', "a value cannot contain"),
    ('{nonce: "BUG-####"}', "{}", "a value is either {nonce: …} or {choice: […]}"),
    ("values: {ticket: {", "values: {args: {", "but not `args` or `world`"),
    (
        "returns: {status: closed}",
        "returns: {$key: world.files}",
        "`$key` is unknown in a result; there are $keys, $count, $grep, $lines",
    ),
    ("returns: {status: closed}", "returns: [{$grep: {in: world.files}}]", "`$grep` needs for and in"),
    ("returns: {status: closed}", "returns: {$keys: files}", "`$keys` needs a path that begins with world. or args."),
    ("returns: {status: closed}", 'returns: {$keys: "${world.files}"}', "is not a path"),
    ("returns: {status: closed}", "returns: {$count: world.files, prefix: x}", "`prefix` cannot stand beside `$count`"),
    ("        returns: {status: closed}\n", "", "tools[1].mock[0]: a rule ends with either `returns:` or `error:`"),
    ("returns: {status: closed}", "error: x\n        returns: y", "a rule ends with either"),
    (
        'set: {"tickets[args.id]"',
        'set: {"tickets[args.id"',
        "a.yaml:23:15: tools[1].mock[0].set.tickets[args.id: `tickets[args.id` is not a path",
    ),
    ('set: {"tickets[args.id]"', 'set: {"world.tickets[args.id]"', "paths here begin below the world"),
    (
        "    parameters: {type: object, properties: {id: {type: string}}, required: [id]}\n",
        "",
        "tools[1].parameters: `parameters` is missing; expected the JSON Schema",
    ),
    (
        "- name: close_ticket",
        "- name: close ticket",
        'expected letters, digits, _ and -, at most 64, found "close ticket"',
    ),
]


@pytest.mark.parametrize(("old", "new", "sentence"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_named_with_file_line_and_key(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert sentence in complaint(tmp_path, {"a.yaml": spoilt(old, new)})


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    said = complaint(
        tmp_path,
        {
            "a.yaml": "schema: 1\nname: a\nturn: []\nturns: []\n",
            "b.yaml": "x: [\n",
            "c.yaml": "just a text\n",
            "d.yaml": b"\xff",
            "suite.yaml": "name: s\norders: [a]\n",
        },
    )
    assert [line.split(": ")[0] for line in said.splitlines()] == [
        *("suite.yaml:2:1", "a.yaml:3:1", "a.yaml:4:8", "b.yaml:2:1", "c.yaml:1:1", "d.yaml:1:1"),
    ]


def test_names_are_unique_and_the_order_names_scenarios(tmp_path: Path) -> None:
    said = complaint(tmp_path / "x", {"a.yaml": SMALL, "b.yaml": SMALL})
    assert "b.yaml:2:7: name: 'small' is also the name in" in said
    said = complaint(tmp_path / "y", {"a.yaml": SMALL, "suite.yaml": "order: [smal]\n"})
    assert "suite.yaml:1:9: order[0]: there is no scenario 'smal' in this suite, did you mean `small`?" in said


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 50_000_000])
def test_a_huge_file_is_not_read(tmp_path: Path, size: int) -> None:
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(size)
    assert "larger than 2,097,152 bytes" in complaint(tmp_path, {})


def with_file(name: str) -> str:
    return spoilt('{a.py: "see ${ticket}"}', f"{{a.py: {{$file: {name}}}}}")


def test_a_file_is_included_as_it_is(tmp_path: Path) -> None:
    text = "see ${ticket}, ${HOME}, $${x}\r\n\tend"
    (scenario,) = load(tmp_path, {"a.yaml": with_file("repo/a.py"), "repo/a.py": text})
    assert scenario.world["files"]["a.py"] == "see ${ticket}, $${HOME}, $$${x}\r\n\tend"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("../secret.txt", "'../secret.txt' is outside the suite"),
        ("repo/../../secret.txt", "is outside the suite"),
        ("/etc/hostname", "'/etc/hostname' is outside the suite"),
        ("repo/link.txt", "'repo/link.txt' is outside the suite"),
        ("repo/loop", "repo/loop"),
        ("repo", "there is no file 'repo'"),
        ("repo/none.txt", "there is no file 'repo/none.txt'"),
        ('""', "expected the relative path of a file"),
        ("5", "expected the relative path of a file"),
        ('"a\\0b"', "cannot be read"),
        (f'"{"x" * 5000}"', "cannot be read"),
        ("repo/latin.txt", "is not UTF-8 at byte 1"),
        ("repo/large.txt", "is too large: 1,048,576 bytes for a file"),
        ("a.py, more: 1", "`$file` stands alone in its map"),
    ],
)
def test_a_file_that_is_not_included_says_why(tmp_path: Path, name: str, sentence: str) -> None:
    suite = tmp_path / "suite"
    write(
        tmp_path,
        {
            "secret.txt": "s",
            "suite/a.py": "x",
            "suite/repo/latin.txt": b"a\xff",
            "suite/repo/large.txt": b"x" * 1_048_577,
        },
    )
    (suite / "repo/link.txt").symlink_to(tmp_path / "secret.txt")
    (suite / "repo/loop").symlink_to(suite / "repo/loop")
    said = complaint(suite, {"a.yaml": with_file(name)})
    assert re.match(r"a\.yaml:5:(17: world\.files\.a\.py|25: world\.files\.a\.py\.\$file): ", said)
    assert sentence in said


def test_all_included_files_together_are_bounded(tmp_path: Path) -> None:
    many = ", ".join(f"f{place}: {{$file: large.txt}}" for place in range(3))
    files: dict[str, str | bytes] = {
        "a.yaml": spoilt('{a.py: "see ${ticket}"}', f"{{{many}}}"),
        "large.txt": b"x" * 1_000_000,
    }
    assert "2,097,152 for all of them" in complaint(tmp_path, files)


def test_a_link_inside_the_suite_may_be_followed(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": with_file("link.txt"), "real.txt": "r"})
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    assert load_suite(str(tmp_path)).scenarios[0].world["files"] == {"a.py": "r"}


def test_the_hash_is_that_of_what_is_played(tmp_path: Path) -> None:
    def hash_of(name: str, text: str, included: str = "x") -> str:
        return load(tmp_path / name, {"a.yaml": text, "f.txt": included})[0].hash

    plain = hash_of("plain", SMALL)
    assert hash_of("comment", f"# a comment\n{SMALL}") == plain
    assert hash_of("described", f"{SMALL}description: other words\ntags: [new]\n") == plain
    assert hash_of("same", f"{SMALL}defaults: {{max_steps: 8}}\n") == plain
    assert hash_of("steps", f"{SMALL}defaults: {{max_steps: 9}}\n") != plain
    assert hash_of("turn", f"{SMALL}  - user: more\n") != plain
    assert hash_of("file", with_file("f.txt"), "x") != hash_of("file2", with_file("f.txt"), "y")


def test_the_readme_shows_a_scenario_that_loads(tmp_path: Path) -> None:
    readme = (bundled_root() / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall("```yaml\n(.*?)```", readme, re.DOTALL)
    (scenario,) = load(tmp_path, {"ticket-desk.yaml": block})
    assert scenario.name == "ticket-desk"
