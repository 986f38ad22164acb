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
        "Deleting is strictly forbidden.",
        "Bookings are never allowed on Fridays.",
        "Production data may never be touched.",
        "Remember to always run the tests.",
        "Make sure to never push to main.",
        "I want you to never call cancel_booking.",
        "I never want you to email customers.",
        "If a payment fails never retry it.",
        "When you book always use the cheapest.",
        "Emails must under no circumstances be sent.",
        "Forbidden: deleting bookings.",
        "Agents may not book flights.",
        "Don’t cancel.",
        "Do not work on main.",
        "Do  not get files from prod.",
        "This may not be deleted.",
        "This never goes to prod.",
        "It is never ok to delete.",
        "I always want JSON output.",
        "You should not delete bookings.",
        "You can't book flights.",
        "The vault is off-limits.",
        "Never touch prod, ok?",
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
        "Look at this:\n```python\nraise Refused('Never do that.')\n```\n",
        "Look at ```never()``` here.",
    ],
)
def test_what_only_looks_like_a_rule_is_not(text: str) -> None:
    assert rules_in(text) == ()


def test_behind_code_rules_are_found_again() -> None:
    assert rules_in("```rm -rf /```\nNever run this.") == ("Never run this.",)
    assert rules_in("A fence that stays open:\n~~~\nNever do that.") == ("Never do that.",)
    assert rules_in("Use ~~~ here.\nNever pay.\nThen ~~~ ends.") == ("Never pay.",)
    code = "```\nNever this.\n```\nNever that.\n```\nDo not do this.\n```\nDo not do that."
    assert rules_in(code) == ("Never that.", "Do not do that.")
