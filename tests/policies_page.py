"""The page of all parser policies: what each asks, our options, and what others do, in words and as measured."""

from __future__ import annotations

from collections.abc import Iterator

from agenteval.parsers import FAMILIES, Policy
from agenteval.regress.measured import seen

HEAD = """# Parser policies

What ambiguous and malformed text means. A star marks our default; `--parser-policy NAME=OPTION` chooses another one.
The result never depends on how a stream is cut. `agenteval parsers list FAMILY` shows those of one family.

Below each policy stands what others do: in words, after their source, documentation or public reports (vLLM,
SGLang, llama.cpp, the `renderers` and `harmony` libraries), and as `make test-engines` measured it over the
cases of the bundled corpus that ask about the policy. A chat template only writes a history: it has an entry
where a reply of this kind is replayed. llama.cpp's parser takes what its grammar admits and raises on
anything else; where it has no entry, it does that.

Written by the program: `make docs`."""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for policy, names in _policies() for line in _section(policy, names))]) + "\n"


def _policies() -> Iterator[tuple[Policy, list[str]]]:
    """Each policy once, with the families that have it."""
    found: dict[tuple[str, str], tuple[Policy, list[str]]] = {}
    for family in FAMILIES.values():
        for policy in family.policies:
            found.setdefault((policy.name, repr(policy)), (policy, []))[1].append(family.name)
    yield from found.values()


def _section(policy: Policy, names: list[str]) -> Iterator[str]:
    yield ""
    yield f"## {policy.name}"
    yield ""
    yield f"{policy.question} ({', '.join(names)})"
    yield ""
    for option, does in policy.options.items():
        yield f"- `{option}`{' *' if option == policy.default else ''}: {does}"
    yield ""
    for who, does in policy.elsewhere.items():
        yield f"- {who}: {does}"
    for name in names:
        for engine, it in seen(name, policy.name).items():
            yield f"- {engine}, measured, {name}: {it}"
