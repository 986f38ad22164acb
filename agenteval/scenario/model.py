"""The format of scenario and suite files, as pydantic models; `scenarios/README.md` shows it.

Each field's description is what an error message says was expected. The models only check; `build` turns them into
the values of `script`. Whether names, schemas and placeholders fit together is `lint`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from agenteval.script import Json
from agenteval.template import parse_path

MIN_WILD = 3
PROJECTION_PATHS = {"$keys": None, "$count": None, "$grep": "in", "$lines": "of"}
"""Where the path stands in each projection: after the word itself, or under this key."""

_PROJECTION_KEYS = {
    "$grep": (frozenset({"in", "for"}), frozenset({"in", "for"})),
    "$lines": (frozenset({"of"}), frozenset({"of", "from", "to"})),
}
_BESIDE = {"$keys": frozenset({"prefix"})}


def _path(text: str) -> str:
    parse_path(text)
    if text.split("[")[0].split(".")[0] == "world":
        raise ValueError("paths here begin below the world; leave out `world.`")
    return text


def _value_name(name: str) -> str:
    if not name.isidentifier() or name in ("args", "world"):
        raise ValueError("a value's name is a word like `ticket`, but not `args` or `world`")
    return name


def _plain_text(text: str) -> str:
    if any(mark in text for mark in ("${", "[", "]")):
        raise ValueError("a value cannot contain `${`, `[` or `]`, because it may stand in paths")
    return text


def _nonce(text: str) -> str:
    if sum(text.count(wild) for wild in "#@") < MIN_WILD:
        raise ValueError(f"a nonce needs at least {MIN_WILD} of # (a digit) and @ (a letter), or it can be guessed")
    return _plain_text(text)


def _choice(item: Json) -> Json:
    if isinstance(item, bool) or not isinstance(item, str | int | float):
        raise ValueError("a choice is a text or a number")
    return _plain_text(item) if isinstance(item, str) else item


def projections(value: Json) -> Iterator[dict[str, Json]]:
    """All `{$keys: …}`, `{$grep: …}`, … inside a value: every map that has a key beginning with `$`."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict) and any(key.startswith("$") and not key.startswith("${") for key in item):
            yield item
        elif isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def projection_path(projection: dict[str, Json]) -> Json:
    """The path that a projection looks at."""
    word = next(key for key in projection if key.startswith("$"))
    key = PROJECTION_PATHS[word]
    return projection[word] if key is None else projection[word][key]


def _returns(value: Json) -> Json:
    for projection in projections(value):
        _check_projection(projection)
    return value


def _check_projection(projection: dict[str, Json]) -> None:
    word = next(key for key in projection if key.startswith("$"))
    if word not in PROJECTION_PATHS:
        raise ValueError(f"`{word}` is unknown in a result; there are {', '.join(PROJECTION_PATHS)}")
    if strange := sorted(projection.keys() - {word} - _BESIDE.get(word, frozenset())):
        raise ValueError(f"`{strange[0]}` cannot stand beside `{word}`")
    if word in _PROJECTION_KEYS:
        required, allowed = _PROJECTION_KEYS[word]
        keys = projection[word].keys() if isinstance(projection[word], dict) else frozenset()
        if not required <= keys <= allowed:
            raise ValueError(f"`{word}` needs {' and '.join(sorted(required))}, and takes {', '.join(sorted(allowed))}")
    path = projection_path(projection)
    if not isinstance(path, str) or parse_path(path)[0] not in ("world", "args"):
        raise ValueError(f"`{word}` needs a path that begins with world. or args., without ${{}}")


PathText = Annotated[str, AfterValidator(_path)]
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ValueFile(_Part):
    nonce: Annotated[str, AfterValidator(_nonce)] | None = Field(
        default=None, description="a pattern in which # becomes a digit and @ a capital letter, like BUG-####"
    )
    choice: list[Annotated[Any, AfterValidator(_choice)]] | None = Field(
        default=None, min_length=2, description="a list of two texts or numbers or more"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> ValueFile:
        if (self.nonce is None) == (self.choice is None):
            raise ValueError("a value is either {nonce: …} or {choice: […]}")
        return self


class DefaultsFile(_Part):
    max_steps: int = Field(default=8, ge=1, le=100, description="a whole number from 1 to 100")
    max_tokens: int = Field(default=1024, ge=1, description="a whole number from 1 on")
    temperature: float | None = Field(default=0.0, ge=0, le=2, description="a number from 0 to 2, or null (not sent)")


class ReplaceFile(_Part):
    old: str = Field(min_length=1, description="the text to be replaced, which must stand there exactly once")
    new: str = Field(description="the text that takes its place")


class RuleFile(_Part):
    when: dict[str, Json] = Field(default={}, description="a map: argument → matcher")
    state: dict[PathText, Json] = Field(default={}, description="a map: path below the world → matcher")
    set: dict[PathText, Json] = Field(default={}, description="a map: path below the world → new value")
    append: dict[PathText, Json] = Field(default={}, description="a map: path below the world → what is added")
    delete: list[PathText] = Field(default=[], description="a list of paths below the world")
    replace: dict[PathText, ReplaceFile] = Field(default={}, description="a map: path below the world → {old, new}")
    returns: Annotated[Json, AfterValidator(_returns)] = Field(default=None, description="the result")
    error: str | None = Field(default=None, description="the text of the error")

    @model_validator(mode="after")
    def _one_ending(self) -> RuleFile:
        if ("returns" in self.model_fields_set) == (self.error is not None):
            raise ValueError("a rule ends with either `returns:` or `error:`")
        return self


class ToolFile(_Part):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="letters, digits, _ and -, at most 64")
    description: str = Field(default="", description="a text")
    parameters: dict[str, Json] = Field(description="the JSON Schema of the tool's arguments")
    mock: list[RuleFile] = Field(default=[], description="a list of rules")


class CallFile(_Part):
    name: str = Field(min_length=1, description="the name of a tool")
    arguments: dict[str, Json] | None = Field(default=None, description="a map: argument → matcher")


class AnswerFile(_Part):
    contains: list[str] = Field(default=[], description="a list of texts")
    excludes: list[str] = Field(default=[], description="a list of texts")
    example: str | None = Field(default=None, description="a text that is a right answer")


class ExpectFile(_Part):
    calls: list[CallFile] | None = Field(default=None, description="a list of calls ([]: none may be made)")
    order: Literal["exact", "any"] = Field(default="exact", description="`exact` or `any`")
    extra: bool = Field(default=False, description="true (further calls are allowed) or false")
    parallel: bool = Field(default=False, description="true (all calls are made in one step) or false")
    forbid: list[CallFile] = Field(default=[], description="a list of calls that must not be made")
    answer: AnswerFile | None = Field(default=None, description="a map of contains, excludes, example")
    state: dict[PathText, Json] = Field(default={}, description="a map: path below the world → matcher")


class TurnFile(_Part):
    user: str = Field(min_length=1, description="what the user says")
    expect: ExpectFile = Field(default=ExpectFile(), description="a map of what the turn should bring about")


class ScenarioFile(_Part):
    schema_: Literal[1] = Field(alias="schema", description="`schema: 1`, the version of the format")
    name: Word = Field(description="a name of small letters, digits and dashes, like ticket-desk")
    description: str = Field(default="", description="a sentence: why this scenario exists")
    tags: list[Word] = Field(default=[], description="a list of words of small letters, digits and dashes")
    system: str = Field(default="", description="the system prompt")
    defaults: DefaultsFile = Field(default=DefaultsFile(), description="a map of max_steps, max_tokens, temperature")
    values: dict[Annotated[str, AfterValidator(_value_name)], ValueFile] = Field(
        default={}, description="a map: name → {nonce: …} or {choice: […]}"
    )
    world: dict[str, Json] = Field(default={}, description="a map: the state that the tools work on")
    tools: list[ToolFile] = Field(default=[], description="a list of tools")
    turns: list[TurnFile] = Field(min_length=1, description="a list of at least one turn")


class SuiteFile(_Part):
    schema_: Literal[1] = Field(default=1, alias="schema", description="`schema: 1`, the version of the format")
    name: Word | None = Field(default=None, description="a name of small letters, digits and dashes")
    description: str = Field(default="", description="a sentence")
    order: list[str] = Field(default=[], description="a list of scenario names")
    defaults: DefaultsFile = Field(default=DefaultsFile(), description="a map of max_steps, max_tokens, temperature")
