"""Which server is started with which model, and with which of its options. A literal table; the tests name its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agenteval.regress.adapters import DRIVERS
from tests.servers import llamacpp, sglang, vllm, weights

Server = Literal["llamacpp", "vllm", "sglang"]


@dataclass(frozen=True, slots=True)
class Program:
    """A server program: `install` makes it, `command` starts it with (model, its name, port, key)."""

    install: Callable[[], None]
    command: Callable[[Path, str, int, str], list[str]]
    form: weights.Form
    environment: Mapping[str, str] = field(default_factory=dict)


PROGRAMS: Mapping[Server, Program] = {
    "llamacpp": Program(llamacpp.install, llamacpp.command, "gguf"),
    "vllm": Program(vllm.install, vllm.command, "hf", vllm.ENVIRONMENT),
    "sglang": Program(sglang.install, sglang.command, "hf", sglang.ENVIRONMENT),
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """A started server as the tests see it. `family`: the model's native format, as `--family` names it; `variant`:
    what sets it apart from another one with the same server and model."""

    server: Server
    model: weights.Name
    family: str
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    variant: str = ""

    @property
    def name(self) -> str:
        return f"{self.server}-{self.model}{self.variant}"

    @property
    def weights(self) -> Path:
        return weights.place(self.model, PROGRAMS[self.server].form)

    def command(self, port: int, key: str) -> list[str]:
        return [*PROGRAMS[self.server].command(self.weights, self.model, port, key), *self.options]

    def surroundings(self) -> Mapping[str, str]:
        return {**PROGRAMS[self.server].environment, **self.environment}

    def prepare(self) -> None:
        """Write the model. The server itself is installed before."""
        weights.write(self.model, PROGRAMS[self.server].form)


EXACT_CACHE = ("-fa", "off", "-ctk", "f32", "-ctv", "f32")
GLM_PARSERS = ("--tool-call-parser", "glm47", "--reasoning-parser", "glm45")
VLLM_CALLS = ("--enable-auto-tool-choice",)
OPENAI_PARSERS = ("--tool-call-parser", "openai", "--reasoning-parser", "openai_gptoss")
OPENAI_VOCABULARY = {"TIKTOKEN_ENCODINGS_BASE": str(weights.VOCABULARY.parent)}
GPT_OSS_PARSERS = ("--tool-call-parser", "gpt-oss", "--reasoning-parser", "gpt-oss")
"""SGLang's GptOss needs kernels: there a Llama speaks Harmony in its place."""

SAYS: Mapping[str, str] = {"PYTHONPATH": str(DRIVERS), "VLLM_ENFORCE_STRICT_TOOL_CALLING": "0"}
SAY = ("--logits-processors", "vllm_say:Say")
"""A vLLM that says what a request tells it, by which a whole corpus goes through its own serving code."""

NO_PARSER = "-without-parser"
"""As a user starts it who knows nothing of tool calls."""

DEPLOYMENTS: Mapping[str, Deployment] = {
    item.name: item
    for item in (
        Deployment("llamacpp", "turn8", "glm47", ("-np", "1", "-c", "16384", *EXACT_CACHE)),
        Deployment("llamacpp", "glm", "glm47", ("-np", "8", "-c", "65536", *EXACT_CACHE)),
        Deployment("llamacpp", "oss", "harmony", ("-np", "4", "-c", "32768")),
        Deployment("vllm", "turn8", "glm47", ("--dtype", "float32", *VLLM_CALLS, *GLM_PARSERS)),
        Deployment("vllm", "glm", "glm47", ("--dtype", "float32", *VLLM_CALLS, *GLM_PARSERS)),
        Deployment("vllm", "oss", "harmony", ("--dtype", "bfloat16", *VLLM_CALLS, *OPENAI_PARSERS), OPENAI_VOCABULARY),
        Deployment("sglang", "turn8", "glm47", GLM_PARSERS),
        Deployment("sglang", "glm", "glm47", GLM_PARSERS),
        Deployment("sglang", "llama-oss", "harmony", GPT_OSS_PARSERS),
        Deployment("llamacpp", "glm", "glm47", ("-np", "1", "-c", "8192", "--no-jinja"), variant=NO_PARSER),
        Deployment("vllm", "glm", "glm47", ("--dtype", "float32"), variant=NO_PARSER),
        Deployment("sglang", "glm", "glm47", variant=NO_PARSER),
        Deployment(
            "vllm", "glm", "glm47", ("--dtype", "float32", *VLLM_CALLS, *GLM_PARSERS, *SAY), SAYS, variant="-that-says"
        ),
        Deployment(
            "vllm",
            "glm",
            "glm47",
            ("--dtype", "float32", "--stream-interval", "4", *VLLM_CALLS, *GLM_PARSERS, *SAY),
            SAYS,
            variant="-that-says-in-fours",
        ),
        Deployment(
            "vllm",
            "oss",
            "harmony",
            ("--dtype", "bfloat16", *VLLM_CALLS, *OPENAI_PARSERS, *SAY),
            {**OPENAI_VOCABULARY, **SAYS},
            variant="-that-says",
        ),
        Deployment("llamacpp", "silent", "glm47", ("-np", "1", "-c", "8192")),
        Deployment("vllm", "silent", "glm47", ("--dtype", "float32", *VLLM_CALLS, *GLM_PARSERS)),
        Deployment("sglang", "silent", "glm47", GLM_PARSERS),
    )
}
