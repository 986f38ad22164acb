"""Every mistake that lint knows, in a file that has just this one; and no mistakes in what is bundled."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenteval.errors import UsageError
from agenteval.scenario import bundled_names, bundled_root, lint
from tests.scenario.files import SMALL, spoilt, write


def said(folder: Path, text: str, **files: str) -> list[str]:
    problems = lint(write(folder, {"a.yaml": text, **files}))
    return [str(problem).replace(f"{folder}/", "") for problem in problems]


@pytest.mark.parametrize("name", bundled_names())
def test_what_is_bundled_is_clean(name: str) -> None:
    assert lint(name) == []


def test_a_right_file_is_clean(tmp_path: Path) -> None:
    assert said(tmp_path, SMALL) == []


def test_the_readme_shows_a_clean_scenario(tmp_path: Path) -> None:
    block = (bundled_root() / "README.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    assert said(tmp_path, block) == []


MISTAKES = [
    # tools and their schemas
    (
        "parameters: {type: object, properties: {id: {type: string}}",
        "parameters: {type: object, properties: {id: {type: strin}}",
        "a.yaml:20:56: tools[1].parameters.properties.id.type: not a valid JSON Schema: 'strin' is not one of",
    ),
    (
        "parameters: {type: object, properties: {id: {type: string}}",
        'parameters: {type: object, properties: {id: {$ref: "http://127.0.0.1/x"}}',
        "other documents are never fetched",
    ),
    (
        "parameters: {type: object, properties: {id: {type: string}}, required: [id]}",
        "parameters: {}",
        "write `type: object`",
    ),
    # expectations
    (
        "calls: [{name: read_file,",
        "calls: [{name: read_fil,",
        "a.yaml:27:29: turns[0].expect.calls[0].name: there is no tool 'read_fil', did you mean `read_file`?",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "forbid: [{name: close_ticket}]",
        "close_ticket is expected and forbidden in the same turn",
    ),
    (
        "arguments: {path: a.py}",
        "arguments: {path: 5}",
        "a.yaml:27:51: turns[0].expect.calls[0].arguments: breaks the schema of read_file: $.path: 5 is not of type",
    ),
    ("arguments: {path: a.py}", "arguments: {pth: a.py}", "read_file has no argument 'pth', did you mean `path`?"),
    ("arguments: {path: a.py}", "arguments: {}", "'path' is a required property"),
    ("{name: read_file, arguments: {path: a.py}}", "{name: read_file}", "'path' is a required property"),
    (
        "arguments: {path: a.py}",
        "arguments: {path: {$regex: a}}",
        "arguments.path: `$regex` needs an `example:` beside it",
    ),
    ("arguments: {path: a.py}", "arguments: {path: {$any: true, example: 5}}", "5 is not of type 'string'"),
    ("arguments: {path: a.py}", "arguments: {path: {$anny: true}}", "`$anny` is no matcher"),
    (
        "arguments: {path: a.py}",
        'arguments: {path: {$regex: "^${ticket}($", example: x}}',
        "`$regex` is not a valid pattern",
    ),
    ("arguments: {path: a.py}", "arguments: {path: {$one_of: []}}", "`$one_of` needs a list of matchers"),
    (
        'state: {"tickets[${ticket}]": closed}',
        'state: {"tickets[${ticket}]": {$regex: "("}}',
        "`$regex` is not a valid pattern",
    ),
    (
        'state: {"tickets[${ticket}]": closed}',
        'state: {"tikets[x]": closed}',
        "`tikets` is not a part of the world, did you mean `tickets`?",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        'answer: {contains: ["${ticket}"], example: closed}',
        "the example does not contain '${ticket}'",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "answer: {excludes: [Closed], example: it is  closed}",
        "the example contains 'Closed', which is excluded",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        'answer: {contains: [closed, ["${ticket}", done]], example: It is  Closed.}',
        "turns[1].expect.answer.example: the example does not contain '${ticket}' or 'done'",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "answer: {contains: [close*, clos], example: It is closed.}",
        "the example does not contain 'clos' (only 'closed' is there)",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "answer: {contains: [closed, [half past  two, '2:30', Half past two]]}",
        "a.yaml:31:60: turns[1].expect.answer.contains[1][2]: the same as 'half past  two': case and spacing do not",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "answer: {contains: [closed, [shut, open], [open, shut]]}",
        "a.yaml:31:49: turns[1].expect.answer.contains[2]: asks for the same as contains[1]",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        'answer: {contains: [closed, [shut, "${ticket}-x"]], excludes: ["${ticket}"]}',
        "a.yaml:31:42: turns[1].expect.answer.contains[1][1]: no answer may say '${ticket}-x', because '${ticket}' is",
    ),
    (
        'answer: {contains: ["${ticket}"]}',
        "answer: {contains: [open], excludes: [Open]}",
        "a.yaml:31:27: turns[1].expect.answer.contains[0]: no answer may say 'open', because 'Open' is excluded",
    ),
    ("user: Close its ticket.", "user: Read a.py.", "a.yaml:28:11: turns[1].user: the same text as in turn 1"),
    # rules
    (
        '- when: {path: {$in: "${world.files}"}}',
        '- when: {pat: {$in: "${world.files}"}}',
        "a.yaml:16:16: tools[0].mock[0].when.pat: read_file has no argument 'pat', did you mean `path`?",
    ),
    ('- when: {path: {$in: "${world.files}"}}', "- when: {path: {$in: files}}", "`$in` needs a list or a map"),
    (
        '- when: {path: {$in: "${world.files}"}}',
        '- when: {path: {$in: "${world.fils}"}}',
        "`fils` is not a part of the world, did you mean `files`?",
    ),
    (
        'returns: "${world.files[args.path]}"',
        'returns: "${world.files[args.pth]}"',
        "a.yaml:17:18: tools[0].mock[0].returns: `pth` is not an argument, did you mean `path`?",
    ),
    (
        'returns: "${world.files[args.path]}"',
        'returns: "${world.files[args.path} x"',
        "is no placeholder; write `$${` for a literal `${`",
    ),
    ('returns: "${world.files[args.path]}"', "returns: {$keys: world.fils}", "`fils` is not a part of the world"),
    (
        'returns: "${world.files[args.path]}"',
        'returns: {$lines: {of: "world.files[args.pth]"}}',
        "`pth` is not an argument",
    ),
    ('error: "no such file: ${args.path}"', 'error: "no such file: ${path}"', "`${path}`: there is no value `path`"),
    (
        'set: {"tickets[args.id]": closed}',
        'set: {"tickets[${args.id}]": closed}',
        "inside a path write [args.x] instead of [${args.x}]",
    ),
    ('set: {"tickets[args.id]": closed}', 'set: {"tikets[args.id]": closed}', "`tikets` is not a part of the world"),
    ('set: {"tickets[args.id]": closed}', 'delete: ["tickets[args.idd]"]', "`idd` is not an argument"),
    ('set: {"tickets[args.id]": closed}', 'state: {"tikets[args.id]": open}', "`tikets` is not a part of the world"),
    (
        'set: {"tickets[args.id]": closed}',
        'state: {"tickets[args.id]": {$regex: "("}}',
        "`$regex` is not a valid pattern",
    ),
    # placeholders
    (
        "user: Read a.py.",
        "user: Read ${tickt}.",
        "a.yaml:26:11: turns[0].user: `${tickt}`: there is no value `tickt`, did you mean `ticket`?",
    ),
    ("user: Read a.py.", 'user: "Read ${args.path}."', "there is no value `args`"),
    ("user: Read a.py.", 'user: "Read ${ticket.x}."', "`${ticket.x}`: a value has no parts"),
    ("user: Read a.py.", 'user: "Read ${ticket }."', "`${ticket }` is no placeholder"),
    (
        'tickets: {"${ticket}": open}',
        'tickets: {"${tickt}": open}',
        "a.yaml:6:13: world.tickets.${tickt}: `${tickt}`: there is no value",
    ),
    ('tickets: {"${ticket}": open}', 'tickets: {"${ticket}": open, "${other}": open}', "there is no value `other`"),
    (
        'values: {ticket: {nonce: "BUG-####"}}',
        'values: {ticket: {nonce: "BUG-####"}, spare: {nonce: "####"}}',
        "a.yaml:3:39: values.spare: the value `spare` is not used",
    ),
]


@pytest.mark.parametrize(("old", "new", "sentence"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_named_and_nothing_else(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    problems = said(tmp_path, spoilt(old, new))
    assert len(problems) == 1, problems
    assert sentence in problems[0]


def test_a_turn_must_fit_into_its_steps(tmp_path: Path) -> None:
    problems = said(tmp_path, SMALL + "defaults: {max_steps: 1}\n")
    assert [problem.split(": ", 1)[1] for problem in problems] == [
        "turns[0].expect.calls: needs 2 steps, but max_steps is 1",
        "turns[1].expect.calls: needs 2 steps, but max_steps is 1",
    ]


def test_tools_have_names_of_their_own(tmp_path: Path) -> None:
    assert (
        "there is already a tool 'read_file'" in said(tmp_path, spoilt("- name: close_ticket", "- name: read_file"))[0]
    )


def test_keys_that_become_one_are_found(tmp_path: Path) -> None:
    twins = SMALL.replace("values: {", 'values: {twin: {choice: [x, "x"]}, other: {choice: [x, "x"]}, ')
    problems = said(
        tmp_path, twins.replace('{a.py: "see ${ticket}"}', '{a.py: "${ticket}", "${twin}": a, "${other}": b}')
    )
    assert problems == ["a.yaml:1:1: two keys of a map become the same when their placeholders are filled in"]


def test_an_included_file_is_not_judged(tmp_path: Path) -> None:
    text = spoilt('{a.py: "see ${ticket}"}', "{a.py: {$file: a.js}}")
    assert said(tmp_path, text, **{"a.js": "`${name} ${a b} ${ticket}`"}) == []


def test_a_value_that_only_an_included_file_holds_is_used(tmp_path: Path) -> None:
    text = spoilt('{a.py: "see ${ticket}"}', "{a.py: {$file: a.js}}").replace(
        'values: {ticket: {nonce: "BUG-####"}}', 'values: {ticket: {nonce: "BUG-####"}, x: {nonce: "###"}}'
    )
    assert said(tmp_path, text, **{"a.js": "${x}"}) == []
    assert "the value `x` is not used" in said(tmp_path, text, **{"a.js": "x"})[0]


def test_everything_is_told_at_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    write(tmp_path, {"b.yaml": "a: [\n", "c.yaml": SMALL, "d.yaml": SMALL})
    worst = (
        SMALL.replace("name: small", "name: worst")
        .replace("path: a.py", "pth: 5")
        .replace("user: Read a.py.", "user: ${x}")
    )
    assert [line.split(": ")[0] for line in said(tmp_path, worst)] == [
        *("a.yaml:26:11", "a.yaml:27:52", "b.yaml:2:1", "d.yaml:2:7"),
    ]


def test_nothing_of_that_name_is_no_lint_problem() -> None:
    with pytest.raises(UsageError):
        lint("nothing-of-that-name")


@pytest.mark.parametrize("name", ["drop", "delete_ticket", "write_file", "reopen_ticket"])
def test_a_tool_that_is_not_offered_may_be_forbidden(tmp_path: Path, name: str) -> None:
    text = spoilt('answer: {contains: ["${ticket}"]}', f"forbid: [{{name: {name}}}]")
    assert said(tmp_path, text) == []


@pytest.mark.parametrize("name", ["close_tickt", "close-ticket", "closeticket", "close_tickets", "Close_ticket"])
def test_a_prohibition_that_is_misspelt_is_found(tmp_path: Path, name: str) -> None:
    text = spoilt('answer: {contains: ["${ticket}"]}', f"forbid: [{{name: {name}}}]")
    (problem,) = said(tmp_path, text)
    assert f"there is no tool {name!r}, did you mean `close_ticket`?" in problem
