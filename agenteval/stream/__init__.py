"""From body bytes to a reply: SSE decoding and the fold of deltas, both `feed`/`flush`, without I/O."""

from __future__ import annotations

from agenteval.stream.fold import Fold, fold_whole
from agenteval.stream.raw import RawTokens, raw_tokens
from agenteval.stream.reply import HARMLESS, CallReply, Defect, DefectKind, Reply, Usage, possible
from agenteval.stream.shapes import error_of
from agenteval.stream.sse import MAX_EVENT, SseDecoder

__all__ = [
    "HARMLESS",
    "MAX_EVENT",
    "CallReply",
    "Defect",
    "DefectKind",
    "Fold",
    "RawTokens",
    "Reply",
    "SseDecoder",
    "Usage",
    "error_of",
    "fold_whole",
    "possible",
    "raw_tokens",
]
