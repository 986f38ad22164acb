"""What a report must say of each server's grammar, and that it was measured in the very version at hand."""

from __future__ import annotations

from collections.abc import Mapping

from tests.servers.driving import Played
from tests.servers.started import Started
from tests.servers.table import TABLE

WHOLLY = "server's grammar lets only offered tool names and arguments that keep their schema be decoded"
NAMES_ONLY = "server's grammar lets only offered tool names be decoded; arguments may break their schema"
NOT = "Calls were not constrained: this server lets the model write any tool name and arguments"

CONSTRAINED: Mapping[str, str] = {
    "llamacpp-glm": WHOLLY,
    "llamacpp-oss": WHOLLY,
    "vllm-glm": NAMES_ONLY,
    "vllm-oss": NOT,
    "sglang-glm": NAMES_ONLY,
    "sglang-llama-oss": NOT,
}


def assert_constraint_is_told(server: Started, played: Played) -> None:
    wanted = CONSTRAINED[server.deployment.name]
    said = next((note for note in played.summary["notes"] if note.startswith("Calls were ")), "nothing")
    right = wanted in said and ", as here)" in said
    assert TABLE.add(server.deployment.name, "the report on constraints", said, wanted, right=right), said
