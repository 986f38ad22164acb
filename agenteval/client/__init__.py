"""The measuring client: one timed request over any transport, and the HTTP transport itself."""

from __future__ import annotations

from agenteval.client.address import normalise_base_url
from agenteval.client.chat import Attempt, Chat, chat
from agenteval.client.http import HttpTransport
from agenteval.client.models import MODELS_PATH, PROBE_LIMITS, Fetched, ask_json, fetch_json, model_names
from agenteval.client.replay import RecordingOverError, ReplayTransport
from agenteval.client.sdk import SdkChat

__all__ = [
    "MODELS_PATH",
    "PROBE_LIMITS",
    "Attempt",
    "Chat",
    "Fetched",
    "HttpTransport",
    "RecordingOverError",
    "ReplayTransport",
    "SdkChat",
    "ask_json",
    "chat",
    "fetch_json",
    "model_names",
    "normalise_base_url",
]
