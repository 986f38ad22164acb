"""What a model wrote, from what a server told beside its own reading of it; or why that cannot be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agenteval.parsers import Family
from agenteval.regress.engines import REASONING_TAGS, STOPS, THINK_TAGS
from agenteval.stream import RawTokens

Source = Literal["logprobs", "token ids", "whole text", "unstreamed", "completions"]
"""How a raw text was had: `logprobs`, `token ids` (of the same reply, the ids put into words by the server) and
`whole text` (llama.cpp's) of the very reply; `unstreamed`: the request again, as one body; `completions`: the rendered
prompt again."""


@dataclass(frozen=True, slots=True)
class RawText:
    """`text`: without the token that ended the reply."""

    text: str
    source: Source


@dataclass(frozen=True, slots=True)
class NoText:
    """`why`: in words; `ids`: the reply's token ids, which a server could still put into words."""

    why: str
    ids: tuple[int, ...] = ()


NOT_TOLD = "the server told neither logprobs nor token ids"


def told_text(raw: RawTokens, family: Family, completion: int | None, *, ended: bool) -> RawText | NoText:
    """What a reply's own raw tokens say. `completion`: the server's count of its tokens, None if it gave none; `ended`:
    whether the model ended the reply itself."""
    ids = raw.ids if _whole(len(raw.ids), completion) else ()
    if raw.pieces and not _whole(len(raw.pieces), completion):
        return NoText(f"logprobs of {len(raw.pieces)} tokens, and the reply has {completion}", ids)
    if raw.pieces:
        try:
            text = b"".join(raw.pieces).decode()
        except UnicodeDecodeError:
            return NoText("the bytes in logprobs are no UTF-8", ids)
        if "\ufffd" in text:
            return NoText("the bytes in logprobs are not the tokens' own", ids)
        return RawText(without_stop(text, family) if ended else text, "logprobs")
    if raw.text:
        return RawText(without_stop(raw.text, family) if ended else raw.text, "whole text")
    return NoText("only token ids, which have to be put into words" if ids else NOT_TOLD, ids)


def _whole(told: int, completion: int | None) -> bool:
    """The token that ended the reply may be left out."""
    return completion is None or told >= completion - 1


def without_stop(text: str, family: Family) -> str:
    """The text without the token that ended it."""
    for stop in STOPS[family.name]:
        if text.endswith(stop):
            return text.removesuffix(stop)
    return text


def thinking_open(family: Family, text: str, *, asked: bool, reasoned: bool) -> bool:
    """Whether the prompt ended inside reasoning. `asked`: thinking was asked for; `reasoned`: the server read reasoning
    in the reply. GLM-4.7's prompts open it whenever they are asked to; of other families a reply that opens it itself
    shows that the prompt did not."""
    tags = REASONING_TAGS.get(family.name, THINK_TAGS)
    if tags is None or not asked:
        return False
    if family.name == "glm47":
        return True
    opened, closed = (text.find(tag) for tag in tags)
    return not 0 <= opened < closed if closed >= 0 else opened < 0 and reasoned
