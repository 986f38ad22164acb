"""How servers spell the OpenAI API: thinking, reasoning fields, empty content, running counts; and how to tell them
apart; what they let a model decode. Pure: bodies in, bodies out; the requests themselves are made by `client`.
"""

from __future__ import annotations

from agenteval.dialects.constraint import CONSTRAINTS, Constraint, constraint_of
from agenteval.dialects.detect import Detection, context_window, family_of_model, recognise
from agenteval.dialects.dialect import ALWAYS_THINKING, DIALECTS, Dialect
from agenteval.dialects.encode import ChatRequest, EncodedRequest, Encoder, encode
from agenteval.dialects.history import Sending, SentHistory, sent_history

__all__ = [
    "ALWAYS_THINKING",
    "CONSTRAINTS",
    "DIALECTS",
    "ChatRequest",
    "Constraint",
    "Detection",
    "Dialect",
    "EncodedRequest",
    "Encoder",
    "Sending",
    "SentHistory",
    "constraint_of",
    "context_window",
    "encode",
    "family_of_model",
    "recognise",
    "sent_history",
]
