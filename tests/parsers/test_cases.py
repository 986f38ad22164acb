"""Every family's hand-written cases: the defects that the field knows, and every option of every policy."""

from __future__ import annotations

import pytest

from agenteval.errors import UsageError
from agenteval.parsers import FAMILIES, Family, Policy
from tests.parsers import exam
from tests.parsers.cases import Case, Cases
from tests.parsers.deepseek_cases import DEEPSEEK_V3_CASES, DEEPSEEK_V31_CASES
from tests.parsers.element_cases import DEEPSEEK_V32_CASES, MINIMAX_M2_CASES
from tests.parsers.gemma4_cases import GEMMA4_CASES
from tests.parsers.glm45_cases import GLM45_CASES
from tests.parsers.glm47_cases import GLM47_CASES
from tests.parsers.harmony_cases import HARMONY_CASES
from tests.parsers.hermes_cases import HERMES_CASES
from tests.parsers.kimi_k2_cases import KIMI_K2_CASES
from tests.parsers.llama3_json_cases import LLAMA3_JSON_CASES
from tests.parsers.mistral_cases import MISTRAL_CASES
from tests.parsers.qwen3_coder_cases import QWEN3_CODER_CASES

CASES: dict[str, Cases] = {
    "glm45": GLM45_CASES,
    "glm47": GLM47_CASES,
    "harmony": HARMONY_CASES,
    "hermes": HERMES_CASES,
    "qwen3_coder": QWEN3_CODER_CASES,
    "kimi_k2": KIMI_K2_CASES,
    "deepseek_v31": DEEPSEEK_V31_CASES,
    "deepseek_v32": DEEPSEEK_V32_CASES,
    "minimax_m2": MINIMAX_M2_CASES,
    "llama3_json": LLAMA3_JSON_CASES,
    "mistral": MISTRAL_CASES,
    "deepseek_v3": DEEPSEEK_V3_CASES,
    "gemma4": GEMMA4_CASES,
}
ALL = [(FAMILIES[name], case) for name, cases in CASES.items() for case in cases.all()]
WELL_FORMED = [(FAMILIES[name], case) for name, cases in CASES.items() for case in cases.well_formed]
POLICIES = [(family, policy) for family in FAMILIES.values() for policy in family.policies]


def named(value: object) -> str:
    if isinstance(value, Case):
        return f"{value.why}-{value.guards}"
    return value.name if isinstance(value, Family | Policy) else ""


@pytest.mark.parametrize(("family", "case"), ALL, ids=named)
def test_a_reply_means_what_it_says_under_every_cut(family: Family, case: Case) -> None:
    assert exam.check_cuts(exam.Reading(family, case.thinking, case.choices), case.raw) == case.expected
    exam.check_flush(exam.Reading(family, case.thinking, case.choices), case.raw)


@pytest.mark.parametrize(("family", "case"), WELL_FORMED, ids=named)
def test_a_well_formed_reply_may_be_cut_anywhere(family: Family, case: Case) -> None:
    exam.check_truncation(exam.Reading(family, case.thinking, case.choices), case.raw)


def test_every_family_has_cases_and_special_strings() -> None:
    assert set(CASES) == set(FAMILIES)
    for name, family in FAMILIES.items():
        assert family.name == name
        assert set(family.markers) <= set(family.special)


@pytest.mark.parametrize(("family", "policy"), POLICIES, ids=named)
def test_every_option_of_every_policy_has_a_case(family: Family, policy: Policy) -> None:
    cases = CASES[family.name].by_policy[policy.name]
    assert {case.choices.get(policy.name, policy.default) for case in cases} == set(policy.options)
    assert policy.default in policy.options


@pytest.mark.parametrize("family", FAMILIES.values(), ids=named)
def test_cases_are_for_policies_that_there_are(family: Family) -> None:
    names = [policy.name for policy in family.policies]
    assert len(names) == len(set(names))
    assert set(CASES[family.name].by_policy) == set(names)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=named)
def test_a_choice_that_there_is_not_is_a_sentence(family: Family) -> None:
    with pytest.raises(UsageError, match=f"{family.name} has no policy called 'mood'; there are: .*truncated_call"):
        family.parser((), False, {"mood": "good"})
    with pytest.raises(UsageError, match="truncated_call has no option 'guess'; there are: open, drop"):
        family.parser((), False, {"truncated_call": "guess"})
