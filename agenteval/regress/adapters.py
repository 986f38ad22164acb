"""`ENGINE:FAMILY` → parsers that can sit the exam.

agenteval:glm47              ours
vllm:glm47, sglang:glm47     an engine's, in the Python that is named for it
llamacpp:glm47               llama.cpp's, in the program that was built of our driver
vllm@old:glm47               the same, in the Python that is named for `vllm@old`
command:"./parser --x"       a program that speaks the protocol of `pipes`; the family is told apart
http://127.0.0.1:30000       SGLang's parse endpoints; the family is told apart
module:function              a Python function; the family is told apart
"""

from __future__ import annotations

import pathlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from agenteval.errors import UsageError
from agenteval.parsers import FAMILIES, Family
from agenteval.regress import engines
from agenteval.regress.engines import Names
from agenteval.regress.function import Loaded, load_function
from agenteval.regress.own import Own
from agenteval.regress.pipes import Piped, Program, Setting
from agenteval.regress.remote import Endpoint, Remote
from agenteval.regress.subject import Subject, Traits

ALL = "all"
"""Stands for every family that an engine has."""

ENGINES: Mapping[str, tuple[Sequence[str], str]] = {
    "agenteval": (tuple(FAMILIES), "Our own parsers:"),
    "vllm": (tuple(engines.VLLM), "vLLM's parsers, in the Python given by --python; those that it has of"),
    "sglang": (tuple(engines.SGLANG), "SGLang's parsers, in the Python given by --python; those that it has of"),
    "llamacpp": (tuple(engines.LLAMACPP), "llama.cpp's parsers, in the driver given by --python:"),
    'command:"PROGRAM ARGUMENTS"': ((), "A program that reads questions and writes answers as JSON lines; --family."),
    "http://HOST:PORT": ((), "SGLang's parse endpoints, whole texts only; --family."),
    "MODULE:FUNCTION": ((), "A Python function; --family."),
}
DRIVEN: Mapping[str, Mapping[str, Names]] = {
    "vllm": engines.VLLM,
    "sglang": engines.SGLANG,
    "llamacpp": engines.LLAMACPP,
}
BUILT = ("llamacpp",)
"""Engines whose driver is a program of its own: it stands where a Python stands for the others."""
DRIVERS = pathlib.Path(__file__).parent / "drivers"
VOCABULARY = pathlib.Path(__file__).parents[1] / "data"


@dataclass(frozen=True, slots=True)
class Workshop:
    """What parsers outside need. `pythons`: engine or `engine@label` → its Python, `` for all others; `family`: of
    parsers whose name does not say it; `limit_s`: for one answer; `any_cut`: cuts go through special strings, too."""

    pythons: Mapping[str, str] = field(default_factory=dict)
    family: str | None = None
    limit_s: float = 20.0
    any_cut: bool = False

    @property
    def traits(self) -> Traits:
        return Traits(whole_tokens=not self.any_cut)


@contextmanager
def opened(names: Sequence[str], workshop: Workshop) -> Iterator[list[Subject]]:
    """The parsers of these names, in their order; their programs end with the context. Raises UsageError for a name
    that means nothing."""
    with ExitStack() as stack:
        making = _Making(workshop, stack)
        yield [subject for name in names for subject in making.subjects(name)]


class _Making:
    """Subjects by name; an engine's program is shared by its families."""

    def __init__(self, workshop: Workshop, stack: ExitStack) -> None:
        self._workshop, self._stack = workshop, stack
        self._programs: dict[str, Program] = {}

    def subjects(self, name: str) -> list[Subject]:
        head, colon, tail = name.partition(":")
        engine = head.partition("@")[0]
        if not colon or not tail:
            raise UsageError(f"{name!r} is no parser's name: expected ENGINE:FAMILY, like agenteval:glm47")
        if head == "agenteval":
            return [Own(family) for family in _families(tail, list(FAMILIES), name)]
        if engine in DRIVEN:
            return self._driven(head, engine, tail)
        if head == "command":
            program = self._program(name, self._split(tail), {family: Setting() for family in FAMILIES})
            program.hello()  # one that does not start is told of before anything is examined
            return [Piped(name, self._family(name), program, self._workshop.traits)]
        if head in ("http", "https"):
            remote = Remote(name, self._family(name), self._endpoint(name if tail.startswith("//") else tail))
            remote.greet()
            return [remote]
        return [Loaded(name, self._family(name), load_function(name), self._workshop.traits)]

    def _driven(self, label: str, engine: str, family: str) -> list[Subject]:
        python = self._workshop.pythons.get(label) or self._workshop.pythons.get("")
        if not python:
            what = (
                "its driver, which `make test-engines` builds"
                if engine in BUILT
                else "the Python in which it is installed"
            )
            where = "PATH/llamacpp_driver" if engine in BUILT else "PATH/bin/python"
            raise UsageError(f"{label} needs {what}: --python {label}={where}")
        settings = {
            name: Setting(names.tool_parser, names.reasoning_parser, *engines.PROMPT_ENDS[name])
            for name, names in DRIVEN[engine].items()
        }
        command = [python] if engine in BUILT else [python, str(DRIVERS / f"{engine}_driver.py")]
        program = self._program(label, command, settings)
        there = program.hello().families
        known = list(settings) if there is None else [name for name in settings if name in there]
        return [
            Piped(f"{label}:{found.name}", found, program, self._workshop.traits)
            for found in _families(family, known, f"{label} ({program.hello().version})")
        ]

    def _program(self, name: str, command: Sequence[str], settings: Mapping[str, Setting]) -> Program:
        if name not in self._programs:
            program = Program(command, settings, str(VOCABULARY), self._workshop.limit_s)
            self._stack.callback(program.close)
            self._programs[name] = program
        return self._programs[name]

    def _endpoint(self, url: str) -> Endpoint:
        endpoint = Endpoint(url, self._workshop.limit_s)
        self._stack.callback(endpoint.close)
        return endpoint

    def _split(self, line: str) -> list[str]:
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"command:{line} cannot be read: {error}") from error
        if not words:
            raise UsageError('command: needs a program, like command:"./my-parser --fast"')
        return words

    def _family(self, name: str) -> Family:
        if self._workshop.family is None:
            raise UsageError(f"{name} does not say which family it reads: give --family ({', '.join(FAMILIES)})")
        (family,) = _families(self._workshop.family, list(FAMILIES), name)
        return family


def _families(name: str, known: Sequence[str], who: str) -> list[Family]:
    if name == ALL:
        return [FAMILIES[family] for family in known]
    if name not in known:
        raise UsageError(f"{who} has no parser for {name!r}; there are: {', '.join(known)}, {ALL}")
    return [FAMILIES[name]]
