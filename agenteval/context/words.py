"""What the harness writes into a view: always marked as its own words, never as the user's, never as a call.

Texts taken from tools or models lose everything that looks like a model's markup, since a model imitates what it sees.
"""

from __future__ import annotations

import re

from agenteval.canonical import JsonProblem, parse_json
from agenteval.tokens import vocabulary

NOTE = "[note by the harness, not by the user]"
END = "[end of the note]"

CLEARED = "[result removed by the harness to save context{back}]"
BACK = {
    True: "; call {tool} again with the same arguments to get it back",
    False: "; the call was carried out, do not make it again for its result",
    None: "",
}
"""What stands for {back}: by whether the tool is known to change nothing, so that no call is invited that acts."""
NARROWER = "; ask for a narrower part"
SUPERSEDED = "[result removed by the harness: the same call was made again, and its newer result stands below]"
KEPT_DONE = "what was read can be read again, what was done stays done"
REMOVED = f"Earlier messages were removed by the harness to save context; {KEPT_DONE}."

RULES = "Rules that the user gave in messages that were removed, in the user's own words:"
PINNED = "Kept from messages that were removed, as they stood there:"

_MARKUP = re.compile(
    r"<\|[^|<>]{0,40}\|>|</?\|?(?:tool_calls?|tool_response|tool_result|think|arg_key|arg_value|function|parameter|invoke"
    r"|observation|system|user|assistant)\b[^<>]{0,60}>|\[/?(?:TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|INST)\]"
    r"|<[|｜][^<>]{0,60}[|｜]>",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_FENCED = re.compile(r"```[^\n`]+```|^[ \t]*(```|~~~).*?^[ \t]*\1", re.DOTALL | re.MULTILINE)
_ASKS = re.compile(
    r"(?:am|are|can|could|did|do|does|has|have|how|is|should|was|were|what|when|where|which|who|why|will|would)\b"
    r".*\?$",
    re.IGNORECASE | re.DOTALL,
)
_TOLD = r"(?<!\bI )(?<!\bhave )(?<!\bhas )(?<!\bhad )"
_FACT = r"(?!\s+(?:worry|hesitate|mind|bother|have to|seem|matter|exist|know)\b)"
_RULE = re.compile(
    rf"{_TOLD}\b(?:(?:never|always)|(?:do\s+not|don['’]t){_FACT})\b|\bmay\s+not\b(?!\s+(?:work|have|exist|know)\b)"
    r"|\b(?:avoid|only ever|under no circumstances|make sure (?:that )?(?:no|nothing|nobody)|must\s+not|mustn['’]t)\b"
    r"|\b(?:(?:should|shall)\s+not|shouldn['’]t|you can(?:not|['’]t))\b"
    r"|\b(?:forbidden|prohibited|not allowed|never allowed|off[- ]limits|I (?:do not|don['’]t|never|always) want)\b",
    re.IGNORECASE,
)
"""Orders and bans, but for what tells of something: `I never`, `tests do not have to`."""
_TAGGED = re.compile(r"<pin>(.{1,2000}?)</pin>", re.DOTALL)
_ERROR = re.compile(r"\s*(?:error\b|traceback \()", re.IGNORECASE)
_ERROR_FIELDS = ("error", "isError", "is_error")
_FIELD = re.compile(r'"(?:error|isError|is_error)"\s*:')
_READ_TO = 100_000
LONGEST_RULE = 500


def plain(text: str, characters: int | None = None) -> str:
    """A text without a model's markup, on one line if it is cut to so many characters."""
    if characters is not None:
        text = " ".join(text[: characters * 4].split())
        text = text if len(text) <= characters else text[: max(characters - 1, 0)] + "…"
    return _MARKUP.sub("(markup)", text)


def note(parts: tuple[str, ...]) -> str:
    """What stands behind a message of the user in the harness's name; empty without parts."""
    return "\n\n" + "\n".join((NOTE, *parts, END)) if parts else ""


def without_note(text: str) -> str:
    """A user's message without what a harness wrote behind it."""
    return text.partition(f"\n\n{NOTE}\n")[0]


def rules_in(text: str) -> tuple[str, ...]:
    """Sentences of a user that forbid or command for good, verbatim, as far as their words show it: no questions, and
    nothing in a block of code that is closed. One too many costs a few tokens, one too few a rule."""
    parts = _SENTENCE.split(_FENCED.sub("\n", text))
    return tuple(part for part in parts if len(part) <= LONGEST_RULE and not _ASKS.match(part) and _RULE.search(part))


def tagged_in(text: str) -> tuple[str, ...]:
    """What stands between <pin> and </pin>."""
    return tuple(_TAGGED.findall(text))


def is_error(result: str) -> bool:
    """Whether a tool's result reads like an error: it begins with `Error` or a traceback, or is a JSON object whose
    field `error`, or MCP's `isError`, is there and neither null, false, 0 nor empty."""
    if _ERROR.match(result):
        return True
    if result.lstrip()[:1] != "{" or len(result) > _READ_TO or not _FIELD.search(result):
        return False
    said = arguments_of(result)
    return any(said.get(field) for field in _ERROR_FIELDS)


def text_tokens(text: str) -> int:
    """Tokens of one text by the packaged vocabulary."""
    return vocabulary().count(text)


def start_of(text: str, tokens: int) -> str:
    """About as much of a text's start as has this many tokens, and no more."""
    return _part(text, tokens, end=False)


def end_of(text: str, tokens: int) -> str:
    """The same of its end."""
    return _part(text, tokens, end=True)


def _part(text: str, tokens: int, *, end: bool) -> str:
    if tokens <= 0:
        return ""
    part = text[-tokens * 8 :] if end else text[: tokens * 8]
    while (found := text_tokens(part)) > tokens:
        length = max(len(part) * tokens // (found + 1), 1) if len(part) > 1 else 0
        part = (part[-length:] if end else part[:length]) if length else ""
    return part


def longer_than(text: str, tokens: int) -> bool:
    """Whether a text has more tokens; a huge one is not read to its end for that."""
    return len(text) > tokens and (len(text) > tokens * 16 or text_tokens(text) > tokens)


def arguments_of(text: str) -> dict[str, object]:
    """A call's arguments; none where they are no JSON object."""
    try:
        value = parse_json(text)
    except JsonProblem:
        return {}
    return value if isinstance(value, dict) else {}
