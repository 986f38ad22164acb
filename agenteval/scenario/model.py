"""The format of scenario and suite files, as pydantic models; `scenarios/README.md` shows it.

The first sentence of a field's description is what an error message says was expected; the rest is its meaning, for
`scenarios/FORMAT.md` and for editors (`scenarios/schema.json`), both made from these models by `make docs`. The models
only check; `build` turns them into the values of `script`. Whether names, schemas and placeholders fit together is
`lint`'s business.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from agenteval.scenario.projections import checked_result
from agenteval.script import FactKind, Json
from agenteval.template import parse_path

MIN_WILD = 3
MAX_WORDS = 500
"""Characters of one text that an answer must or must not hold."""
MAX_SPELLINGS = 20
MAX_SIZE = 64_000
MAX_PAST = 200
"""Turns of a history, and calls of one of them."""
MAX_PAST_TEXT = 64 * 1024
"""Characters of one text of a history."""
NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"
"""What scenarios, suites and tags may be called."""


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


def _words(text: str) -> str:
    length = len(text) if text.strip() else 0
    if not 1 <= length <= MAX_WORDS:
        raise ValueError(f"expected a text of 1 to {MAX_WORDS} characters, found {length}")
    return text


def _spellings(texts: list[str]) -> list[str]:
    if not 1 <= len(texts) <= MAX_SPELLINGS:
        raise ValueError(f"expected 1 to {MAX_SPELLINGS} spellings, found {len(texts)}")
    return texts


PathText = Annotated[str, AfterValidator(_path)]
Word = Annotated[str, Field(pattern=NAME)]
Words = Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_WORDS}), AfterValidator(_words)]
Spellings = Annotated[
    list[Words], Field(json_schema_extra={"minItems": 1, "maxItems": MAX_SPELLINGS}), AfterValidator(_spellings)
]
Wanted = Annotated[
    Annotated[Words, Tag("[text]")] | Annotated[Spellings, Tag("[spellings]")],
    Discriminator(lambda item: "[spellings]" if isinstance(item, list) else "[text]"),
]
"""The tags stand in pydantic's paths, where `complaints` leaves them out."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _exactly_one_of(*keys: str) -> ConfigDict:
    """What editors are told of a rule that a validator checks."""
    return ConfigDict(json_schema_extra={"oneOf": [{"required": [key]} for key in keys]})


class ValueFile(_Part):
    """Either `nonce` or `choice`: drawn anew for each trial, the same under the same seed. Nobody knows it by heart."""

    model_config = _exactly_one_of("nonce", "choice")

    nonce: Annotated[str, AfterValidator(_nonce)] | None = Field(
        default=None, description="a pattern in which # becomes a digit and @ a capital letter, like BUG-####"
    )
    choice: list[Annotated[Any, AfterValidator(_choice)]] | None = Field(
        default=None, min_length=2, description="a list of two texts or numbers or more. One of them is drawn."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> ValueFile:
        if (self.nonce is None) == (self.choice is None):
            raise ValueError("a value is either {nonce: …} or {choice: […]}")
        return self


class DefaultsFile(_Part):
    """Settings; the scenario's own go before those of its suite, the command line before both."""

    max_steps: int = Field(
        default=8,
        ge=1,
        le=100,
        description="a whole number from 1 to 100. After so many replies without an answer a turn has failed.",
    )
    max_tokens: int = Field(
        default=1024, ge=1, description="a whole number from 1 on. The most tokens that a reply may have."
    )
    temperature: float | None = Field(
        default=0.0, ge=0, le=2, description="a number from 0 to 2, or null (not sent). How freely the model samples."
    )


class ReplaceFile(_Part):
    """An edit of a text; when `old` stands there never or more than once, the model reads that."""

    old: str = Field(min_length=1, description="the text to be replaced, which must stand there exactly once")
    new: str = Field(description="the text that takes its place")


class RuleFile(_Part):
    """What a call changes, in the order in which it is written, all or nothing; then either `returns` or `error`."""

    model_config = _exactly_one_of("returns", "error")

    when: dict[str, Json] = Field(
        default={}, description="a map: argument → matcher. All must hold, or the next rule is tried."
    )
    state: dict[PathText, Json] = Field(
        default={}, description="a map: path below the world → matcher. All must hold, or the next rule is tried."
    )
    set: dict[PathText, Json] = Field(
        default={}, description="a map: path below the world → new value. What is there is overwritten."
    )
    append: dict[PathText, Json] = Field(
        default={}, description="a map: path below the world → what is added. To a list an item, to a text a text."
    )
    delete: list[PathText] = Field(default=[], description="a list of paths below the world. They must be there.")
    replace: dict[PathText, ReplaceFile] = Field(
        default={}, description="a map: path below the world → {old, new}. Edits a text."
    )
    returns: Annotated[Json, AfterValidator(checked_result)] = Field(
        default=None,
        description="the result. A text is sent as it is, everything else as JSON; projections may stand inside.",
    )
    error: str | None = Field(
        default=None, description="the text of the error. The model reads it as the result of its call."
    )

    @model_validator(mode="after")
    def _one_ending(self) -> RuleFile:
        if ("returns" in self.model_fields_set) == (self.error is not None):
            raise ValueError("a rule ends with either `returns:` or `error:`")
        return self


class ToolFile(_Part):
    """A tool as it is offered to the model, and how it answers."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="letters, digits, _ and -, at most 64. Unique in its scenario.",
    )
    description: str = Field(default="", description="a text. The model reads it.")
    parameters: dict[str, Json] = Field(
        description="the JSON Schema of the tool's arguments. Of `type: object`; calls that break it are told so."
    )
    mock: list[RuleFile] = Field(
        default=[], description="a list of rules. The first whose `when` and `state` hold answers the call."
    )


class CallFile(_Part):
    """A call that is expected, or forbidden."""

    name: str = Field(min_length=1, description="the name of a tool")
    arguments: dict[str, Json] | None = Field(
        default=None,
        description="a map: argument → matcher. Without it: any arguments. An open matcher needs an `example:` "
        "where a call is expected.",
    )


class AnswerFile(_Part):
    """What stands in the turn's last text, as whole words and whole numbers: `yes` does not stand in yesterday, `12` in
    "12.", "(12)", 12s and 12.00, and not in 142, 1,128, 12.5, 12:30 or -12, while `cancel*` lets the word go on
    and `"*lamp"` begin earlier, and letters written without blanks (`東京`) stand anywhere. Case, spacing and marks
    around it (`**12**`) do not count.
    """

    contains: list[Wanted] = Field(
        default=[],
        description="a list of texts, or of lists of spellings. Each must stand in the answer, of a list like `[12:30, "
        "half past twelve]` one spelling. Without an example golden history says the first.",
    )
    excludes: list[Words] = Field(default=[], description="a list of texts. None of them may stand in the answer.")
    example: str | None = Field(
        default=None, description="a text that is a right answer. Golden history and the built-in endpoint say it."
    )


class ExpectFile(_Part):
    """What a turn should bring about."""

    calls: list[CallFile] | None = Field(
        default=None, description="a list of calls ([]: none may be made). Without it calls are not checked."
    )
    order: Literal["exact", "any"] = Field(
        default="exact", description="`exact` or `any`. Whether the calls must come in the order of the list."
    )
    extra: bool = Field(
        default=False, description="true (further calls are allowed) or false. About calls that are not in the list."
    )
    any_way: bool = Field(
        default=False,
        description="true (`calls` are one way, and others may lead there: `state` decides) or false. Some call must "
        "be made.",
    )
    parallel: bool = Field(
        default=False,
        description="true (all calls are made in one step) or false. So the example does it; a model need not.",
    )
    forbid: list[CallFile] = Field(
        default=[], description="a list of calls that must not be made. Without `arguments`: however."
    )
    answer: AnswerFile | None = Field(
        default=None, description="a map of contains, excludes, example. Checked in the turn's last text."
    )
    state: dict[PathText, Json] = Field(
        default={}, description="a map: path below the world → matcher. Checked when the turn has ended."
    )


class TurnFile(_Part):
    """One message of the user, and all that follows until the assistant answers."""

    user: str = Field(min_length=1, description="what the user says. Unique in its scenario.")
    expect: ExpectFile = Field(
        default=ExpectFile(), description="a map of what the turn should bring about. Without it nothing is checked."
    )


class PastCallFile(_Part):
    """A call that was made, right or wrong: nothing checks it. Then what the model read, either `result` or `error`."""

    model_config = _exactly_one_of("result", "error")

    name: str = Field(
        min_length=1,
        max_length=64,
        description="a text of 1 to 64 characters. What was called; there need not be such a tool.",
    )
    arguments: str = Field(
        max_length=MAX_PAST_TEXT,
        description=f"a text of at most {MAX_PAST_TEXT} characters, in quotes. What the model wrote, JSON or not. Sent "
        "as it is if it is a JSON object; servers refuse others, so that `{}` is sent in place of them, as of a live "
        "conversation.",
    )
    result: str | None = Field(
        default=None, max_length=MAX_PAST_TEXT, description=f"a text of at most {MAX_PAST_TEXT} characters"
    )
    error: str | None = Field(
        default=None,
        max_length=MAX_PAST_TEXT,
        description=f"a text of at most {MAX_PAST_TEXT} characters. For policies the call has failed.",
    )

    @model_validator(mode="after")
    def _one_ending(self) -> PastCallFile:
        if (self.result is None) == (self.error is None):
            raise ValueError("a call of the history ends with either `result:` or `error:`")
        return self


class PastTurnFile(_Part):
    """A turn that has been played when turn 1 begins. It is sent, and policies may drop it like any old message; nobody
    scores it, and the world is what `world` says, whatever was called here.
    """

    user: str = Field(min_length=1, description="what the user said. Unique in its scenario.")
    calls: list[PastCallFile] = Field(
        default=[], max_length=MAX_PAST, description=f"a list of at most {MAX_PAST} calls. They were made one by one."
    )
    parallel: bool = Field(default=False, description="true (all calls were made in one step) or false")
    answer: str = Field(
        min_length=1,
        max_length=MAX_PAST_TEXT,
        description=f"a text of 1 to {MAX_PAST_TEXT} characters. The assistant's last words.",
    )


class FactFile(_Part):
    """What the conversation has to carry from one turn to another, so that what becomes of it can be told by its age.
    Between the two nobody says it again; `lint` looks. A step's record tells of it in the turn that needs it.
    """

    value: Words = Field(
        description="a text, like ${ticket}. What the right call or answer holds; of a rule its words as said."
    )
    kind: FactKind = Field(
        default="id",
        description="id, number, rule, correction or deletion. A rule is kept if nothing forbidden is called.",
    )
    stated: int = Field(
        ge=0, description="a whole number from 0 on. The turn that says it last; 0: the system prompt or the history."
    )
    needed: int = Field(ge=1, description="a whole number from 1 on. The turn whose calls or answer need it.")
    stated_call: int | None = Field(
        default=None,
        ge=1,
        description="a whole number from 1 on, or null. The expected call of that turn whose result says it. Its age "
        "is counted in calls where it is stated and needed in the same turn.",
    )
    needed_call: int | None = Field(
        default=None, ge=1, description="a whole number from 1 on, or null. The expected call that needs it."
    )
    stale: list[Words] = Field(
        default=[], description="a list of texts. Earlier values of a correction, or what a deletion has removed."
    )


class SizesFile(_Part):
    """The same scenario in several lengths, one for each size; each is called like `name-4k` and tagged `4k`. `$pad`
    with `percent` fills what is left of a size.
    """

    bare: int = Field(
        ge=1,
        description="a whole number from 1 on. Tokens of the prompt without padding, where the last fact is needed.",
    )
    tokens: list[Annotated[int, Field(ge=1000, le=MAX_SIZE)]] = Field(
        min_length=1,
        description=f"a list of whole thousands from 1000 to {MAX_SIZE}. Tokens of the prompt there, with padding.",
    )

    @model_validator(mode="after")
    def _sizes(self) -> SizesFile:
        if any(size % 1000 or size < self.bare for size in self.tokens) or len(set(self.tokens)) < len(self.tokens):
            raise ValueError("sizes are whole thousands above `bare`, each once")
        return self


class ScenarioFile(_Part):
    """A scenario: a scripted task for an agent, one per file."""

    schema_: Literal[1] = Field(alias="schema", description="`schema: 1`, the version of the format")
    name: Word = Field(description="a name of small letters, digits and dashes, like ticket-desk. Unique in its suite.")
    description: str = Field(default="", description="a sentence: why this scenario exists")
    tags: list[Word] = Field(
        default=[], description="a list of words of small letters, digits and dashes. `--tag` selects by them."
    )
    system: str = Field(default="", description="the system prompt. It is the first message of the conversation.")
    defaults: DefaultsFile = Field(
        default=DefaultsFile(), description="a map of max_steps, max_tokens, temperature. The suite's if left out."
    )
    values: dict[Annotated[str, AfterValidator(_value_name)], ValueFile] = Field(
        default={}, description="a map: name → {nonce: …} or {choice: […]}. `${name}` stands for the value everywhere."
    )
    world: dict[str, Json] = Field(
        default={}, description="a map: the state that the tools work on. Each conversation has its own."
    )
    tools: list[ToolFile] = Field(default=[], description="a list of tools. They are offered at every turn.")
    history: list[PastTurnFile] = Field(
        default=[],
        max_length=MAX_PAST,
        description=f"a list of at most {MAX_PAST} turns already played. Every conversation begins with them.",
    )
    turns: list[TurnFile] = Field(
        min_length=1, description="a list of at least one turn. They are played one after the other."
    )
    facts: dict[Word, FactFile] = Field(
        default={}, description="a map: name → fact. What has to be remembered, from which turn to which."
    )
    sizes: SizesFile | None = Field(
        default=None, description="a map of bare, tokens. The scenario is then there once for each size."
    )
    idle: dict[str, str] = Field(
        default={},
        description="a map: policy → why it acts less than twice here. Of the policies that the suite names.",
    )


class SuiteFile(_Part):
    """`suite.yaml`: what a folder of scenarios has in common."""

    schema_: Literal[1] = Field(default=1, alias="schema", description="`schema: 1`, the version of the format")
    name: Word | None = Field(
        default=None, description="a name of small letters, digits and dashes. Else that of the folder."
    )
    description: str = Field(default="", description="a sentence")
    order: list[str] = Field(
        default=[], description="a list of scenario names. They are played first, the others behind by file name."
    )
    defaults: DefaultsFile = Field(
        default=DefaultsFile(), description="a map of max_steps, max_tokens, temperature. For all of its scenarios."
    )
    policies: list[str] = Field(
        default=[],
        description="a list of policies, as on the command line. `run --policy suite` plays them; `lint` looks whether "
        "each acts at least twice in each scenario before the last fact is needed, and whether its target can be met.",
    )
