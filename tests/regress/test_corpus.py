"""The bundled corpus: our families pass the exam over it, and it holds what it should."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agenteval.errors import FileError, UsageError
from agenteval.parsers import FAMILIES, Family, Policy
from agenteval.regress.check import Options, check
from agenteval.regress.corpus import bundled_corpus, load_corpus, load_tools
from agenteval.regress.own import Own
from tests.parsers.tools import TOOLS
from tests.regress.bugs import BUGS, OUT_OF_A_PARSERS_HANDS

CORPUS = load_corpus(bundled_corpus())
POLICIES = [(family, policy) for family in FAMILIES.values() for policy in family.policies]


def named(value: object) -> str:
    return value.name if isinstance(value, Family | Policy) else str(value)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=named)
def test_our_family_passes_the_exam(family: Family) -> None:
    paper = check(Own(family), CORPUS, Options("quick"))
    assert paper.results
    assert paper.failures == []


def test_the_tools_are_those_of_tests_without_yaml() -> None:
    assert load_tools(bundled_corpus()) == TOOLS


def test_there_are_cases_enough() -> None:
    counts = Counter(case.family for case in CORPUS)
    assert set(counts) == set(FAMILIES)
    assert min(counts["glm47"], counts["harmony"]) >= 25
    assert min(counts.values()) >= 10
    assert sum(counts.values()) >= 250


@pytest.mark.parametrize(("family", "policy"), POLICIES, ids=named)
def test_every_option_of_every_policy_has_a_case(family: Family, policy: Policy) -> None:
    cases = [case for case in CORPUS if (case.family, case.policy) == (family.name, policy.name)]
    shown = {option or policy.default for case in cases for option in case.meanings()}
    assert shown == set(policy.options)


def test_every_public_defect_of_a_parser_has_a_case() -> None:
    names = {case.full_name for case in CORPUS}
    for reports, cases in BUGS.items():
        assert cases, reports
        assert set(cases) <= names, (reports, set(cases) - names)
    assert not set(BUGS) & set(OUT_OF_A_PARSERS_HANDS)


def test_what_a_case_guards_is_told_of_in_the_table() -> None:
    """A report that a case names stands in the row that names the case, if it has one."""
    rows = {report: cases for reports, cases in BUGS.items() for report in reports.split()}
    guarding: dict[str, set[str]] = {}
    for case in CORPUS:
        for report in case.guards:
            guarding.setdefault(report, set()).add(case.full_name)
    for report, cases in rows.items():
        assert guarding.get(report, set()) & set(cases), f"no case of {report}'s row names it"


# --- files ----------------------------------------------------------------------------------------------------

GOOD = """family: glm47
about: Mine.
cases:
  - id: one
    why: It broke.
    guards: [vllm#1, some-body/some.thing#22]
    raw: Hi
    expected: {content: Hi}
"""


def corpus(folder: Path, text: str) -> Path:
    (folder / "mine.yaml").write_text(text)
    return folder


def test_a_users_folder_is_a_corpus(tmp_path: Path) -> None:
    (case,) = load_corpus(corpus(tmp_path, GOOD))
    assert (case.full_name, case.tools, case.guards[1]) == ("glm47/one", (), "some-body/some.thing#22")
    assert case.place.endswith("mine.yaml:4")
    tools = "tools: [{name: f, parameters: {type: object}}]\n"
    (tmp_path / "tools.yaml").write_text(tools)
    assert [tool.name for tool in load_corpus(tmp_path)[0].tools] == ["f"]
    own = GOOD + "    tools: []\n"
    assert load_corpus(corpus(tmp_path, own))[0].tools == ()


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("family: glm47", "family: glm74", "mine.yaml:1:9: family: no family is called 'glm74', did you mean `glm47`?"),
        ("id: one", "id: One", "mine.yaml:4:9: cases[0].id: expected a name of small letters"),
        ("vllm#1", "vllm-1", "cases[0].guards[0]: "),
        ("raw: Hi", "raw: 7", "expected a text: what the model wrote, found 7 (a number); put it in quotes"),
        ("why: It broke.", "wy: It broke.", "unknown key `wy`, did you mean `why`?"),
        ("expected: {content: Hi}", "expected: {words: Hi}", "unknown key `words`"),
        ("    expected: {content: Hi}", "", "a case without a policy has `expected`"),
        ("raw: Hi", "raw: Hi\n    policy: mood", "glm47 has no policy called 'mood'"),
        (
            "raw: Hi",
            "raw: Hi\n    policy: text_after_call\n    otherwise: {content: {}}",
            "text_after_call has no other option 'content'; there are drop",
        ),
        ("about: Mine.\n", "", "`about` is missing"),
        ("cases:", "cases: 7\nmore:", "expected a list of cases, found 7"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_place(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    with pytest.raises(FileError) as found:
        load_corpus(corpus(tmp_path, GOOD.replace(right, wrong)))
    assert message in str(found.value)


def test_a_name_stands_once(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"'one' stands twice; its first place is .*mine\.yaml:4"):
        load_corpus(corpus(tmp_path, GOOD + GOOD.partition("cases:\n")[2]))


def test_no_corpus_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no YAML files"):
        load_corpus(tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        load_corpus(tmp_path / "nowhere")
