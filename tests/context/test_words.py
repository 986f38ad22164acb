"""Which of a user's sentences are kept as standing rules: those that forbid or command, and not what only looks so."""

from __future__ import annotations

import pytest

from agenteval.context.words import rules_in


@pytest.mark.parametrize(
    "rule",
    [
        "Never ship a crate with a red label.",
        "Please never push to main.",
        "Work in the branch, and do not touch the lock file.",
        "Fix the bug; don't reformat anything else.",
        "Whatever happens, never drop a table!",
        "- Do not call refund without asking me.",
        "You must never print the key.",
        "We always answer in Dutch.",
        "The file prod.env must not be read.",
        "You may not use sudo.",
        "I don't want you to contact the customer.",
        "Avoid touching prod.",
        "Only ever use the staging key.",
        "Make sure that no file under src is deleted.",
        "Under no circumstances restart the server.",
        "Writing there is forbidden.",
    ],
)
def test_a_rule_is_kept_verbatim(rule: str) -> None:
    assert rules_in(f"Good morning. {rule}\nWhere do we stand?") == (rule,)


@pytest.mark.parametrize(
    "text",
    [
        "Is it always slow?",
        "Why do you never use the cache?",
        "Please do not worry about it.",
        "Don't hesitate to ask.",
        "It may not work at first.",
        "Make sure that the tests pass.",
        "I always get an error here.",
        "The clock is passed in as a function, so that tests do not have to wait.",
        "# never called\nx = 1  // do not inline",
        "Look at this:\n```python\nraise Refused('Never do that.')\n```\n",
        "An open fence:\n~~~\nNever do that.\n",
    ],
)
def test_what_only_looks_like_a_rule_is_not(text: str) -> None:
    assert rules_in(text) == ()


def test_behind_code_rules_are_found_again() -> None:
    code = "```\nNever this.\n```\nNever that.\n```\nDo not do this.\n```\nDo not do that."
    assert rules_in(code) == ("Never that.", "Do not do that.")
