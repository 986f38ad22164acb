"""The corpus: YAML files of cases, checked, as values.

A corpus is a folder. `tools.yaml` at its top offers tools to every case that names none of its own; every other YAML
file below it holds cases of one family. What came out wrong is a FileError with file, line and what was expected.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agenteval.document.complaints import complaints, did_you_mean
from agenteval.document.reader import MAX_BYTES, Document, read
from agenteval.errors import FileError, Problem, UsageError
from agenteval.messages import ToolSpec
from agenteval.parsers import FAMILIES, Family, ParsedCall, ParsedMessage
from agenteval.regress.case import Case

M = TypeVar("M", bound=BaseModel)
TOOLS_FILE = "tools.yaml"
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
Guard = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?#[0-9]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ToolFile(_Strict):
    name: str = Field(description="the tool's name", min_length=1)
    description: str = Field("", description="a text")
    parameters: dict[str, Any] = Field(default_factory=dict, description="a JSON Schema")

    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, self.description, self.parameters)


class CallFile(_Strict):
    name: str = Field(description="the tool's name")
    arguments: str = Field(description="a text: the arguments' JSON as it is written, or what there is of it")


class SaidFile(_Strict):
    reasoning: str = Field("", description="a text")
    content: str = Field("", description="a text")
    calls: list[CallFile] = Field(default_factory=list, description="a list of calls")

    def message(self) -> ParsedMessage:
        calls = tuple(ParsedCall(call.name, call.arguments) for call in self.calls)
        return ParsedMessage(self.reasoning, self.content, calls)


class CaseFile(_Strict):
    id: Id = Field(description="a name of small letters, digits and dashes, unique in the family")
    why: str = Field(description="a text: the defect class", min_length=1)
    guards: list[Guard] = Field(default_factory=list, description="a list of public reports like `vllm#44326`")
    tools: list[ToolFile] | None = Field(None, description="a list of tools; left out: those of the corpus")
    thinking: bool = Field(False, description="true if the prompt ended inside reasoning")
    raw: str = Field(description="a text: what the model wrote")
    expected: SaidFile | None = Field(None, description="a map of reasoning, content and calls")
    policy: str | None = Field(None, description="the policy that the case asks about")
    otherwise: dict[str, SaidFile] = Field(
        default_factory=dict, description="a map: option of the policy to what comes out under it"
    )


class CorpusFile(_Strict):
    family: str = Field(description="a parser family's name")
    about: str = Field(description="a text: what these cases have in common", min_length=1)
    cases: list[CaseFile] = Field(description="a list of cases", min_length=1)


class ToolsFile(_Strict):
    tools: list[ToolFile] = Field(description="a list of tools")


def bundled_corpus() -> pathlib.Path:
    """Where the bundled corpus is: inside the installed package, or in a checkout's fixtures."""
    package = pathlib.Path(__file__).resolve().parents[1]
    installed = package / "corpus"
    return installed if installed.is_dir() else package.parent / "fixtures" / "parsers"


def load_corpus(folder: pathlib.Path, families: Iterable[str] | None = None) -> tuple[Case, ...]:
    """The cases of a folder, in the order of file names; `families`: only theirs. Raises FileError with everything that
    is wrong, UsageError if there is nothing."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder with a corpus")
    loading = _Loading(folder, None if families is None else frozenset(families))
    loading.load()
    if loading.problems:
        raise FileError(tuple(loading.problems))
    if not loading.files:
        raise UsageError(f"there are no YAML files with cases in {folder}")
    return tuple(loading.cases)


def load_tools(folder: pathlib.Path) -> tuple[ToolSpec, ...]:
    """The tools that a corpus offers to every case. Raises FileError with everything that is wrong with its file."""
    loading = _Loading(folder, None)
    loading.load_tools()
    if loading.problems:
        raise FileError(tuple(loading.problems))
    return loading.tools


class _Loading:
    """A corpus on its way, collecting problems."""

    def __init__(self, folder: pathlib.Path, families: frozenset[str] | None) -> None:
        self.cases: list[Case] = []
        self.problems: list[Problem] = []
        self.files = 0
        self._folder, self._families = folder, families
        self.tools: tuple[ToolSpec, ...] = ()
        self._seen: dict[str, str] = {}

    def load(self) -> None:
        self.load_tools()
        for path in sorted(self._folder.rglob("*.yaml")):
            if path != self._folder / TOOLS_FILE and self._is_wanted(path):
                self.files += 1
                self._load_file(path)

    def load_tools(self) -> None:
        path = self._folder / TOOLS_FILE
        if path.is_file() and (found := self._checked(path, ToolsFile)):
            self.tools = tuple(tool.spec() for tool in found[1].tools)

    def _is_wanted(self, path: pathlib.Path) -> bool:
        """Folders that are called like a family hold cases of that family only; others are read to know."""
        above = path.parent.name
        return self._families is None or above not in FAMILIES or above in self._families

    def _load_file(self, path: pathlib.Path) -> None:
        if not (found := self._checked(path, CorpusFile)):
            return
        document, file = found
        family = FAMILIES.get(file.family)
        if family is None:
            near = did_you_mean(file.family, list(FAMILIES))
            message = f"no family is called {file.family!r}{near}; there are {', '.join(FAMILIES)}"
            self.problems.append(document.problem(("family",), message))
        elif self._families is None or file.family in self._families:
            for number, case in enumerate(file.cases):
                self._take(document, number, case, family)

    def _take(self, document: Document, number: int, case: CaseFile, family: Family) -> None:
        def complain(key: str, message: str) -> None:
            self.problems.append(document.problem(("cases", number, key), message))

        place = f"{document.file}:{document.place(('cases', number)).line}"
        first = self._seen.setdefault(f"{family.name}/{case.id}", place)
        if first is not place:
            complain("id", f"{case.id!r} stands twice; its first place is {first}")
        _check_options(case, family, complain)
        self.cases.append(
            Case(
                family.name,
                case.id,
                case.why,
                tuple(case.guards),
                self.tools if case.tools is None else tuple(tool.spec() for tool in case.tools),
                case.raw,
                None if case.expected is None else case.expected.message(),
                case.thinking,
                case.policy,
                {option: said.message() for option, said in case.otherwise.items()},
                "/".join(pathlib.Path(place).parts[-2:]),
            )
        )

    def _checked(self, path: pathlib.Path, model: type[M]) -> tuple[Document, M] | None:
        try:
            with path.open("rb") as file:
                document = read(file.read(MAX_BYTES + 1), str(path))
        except FileError as error:
            self.problems += error.problems
            return None
        except OSError as error:
            self.problems.append(Problem(str(path), 1, 1, "", f"cannot be read: {error.strerror}"))
            return None
        if not isinstance(document.value, dict):
            self.problems.append(document.problem((), f"expected a map of {', '.join(model.model_fields)}"))
            return None
        try:
            return document, model.model_validate(document.value)
        except ValidationError as error:
            self.problems += complaints(document, error, model)
            return None


def _check_options(case: CaseFile, family: Family, complain: Callable[[str, str], None]) -> None:
    """The policy is one of the family's, and so are the options."""
    policies = {policy.name: policy for policy in family.policies}
    if case.policy is None:
        if case.expected is None or case.otherwise:
            complain("id", "a case without a policy has `expected` and no `otherwise`")
        return
    if case.policy not in policies:
        near = did_you_mean(case.policy, list(policies))
        complain("policy", f"{family.name} has no policy called {case.policy!r}{near}; there are {', '.join(policies)}")
        return
    policy = policies[case.policy]
    for option in case.otherwise:
        if option not in policy.options or option == policy.default:
            others = [name for name in policy.options if name != policy.default]
            complain(
                "otherwise", f"{case.policy} has no other option {option!r}; there are {', '.join(others) or 'none'}"
            )
    if case.expected is None and not case.otherwise:
        complain("id", "what should come out? `expected`, `otherwise` or both")
