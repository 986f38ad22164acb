"""The same request through the `openai` SDK: what a user of that SDK gets, as a second implementation beside `chat`.

The SDK makes the HTTP request, decodes the stream and builds its objects; each is stamped when the SDK yields it, and
all are folded when the reply has ended. Only the request is ours: its body, headers and time-outs; the SDK neither
retries nor follows redirects, and of the environment it may add what stands in OPENAI_CUSTOM_HEADERS.

Not covered: connect times (they are part of TTFT here, as is the SDK's own work on the request), the bytes on the wire
(the recording holds the SDK's objects, written as a stream again), `Limits.max_bytes`, and one time-out between reads
apart from that to the first frame (the longer of the two counts, and a keep-alive ends either). The SDK hides whether
`[DONE]` came.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import msgspec

from agenteval.client.address import Address, address_of
from agenteval.client.chat import Attempt, Pairs, chat, costs_nothing, http_error, retry_after_s, without_secrets
from agenteval.client.faults import connect_fault, redirect_fault, timeout_fault
from agenteval.client.replay import ReplayTransport
from agenteval.client.sdkfold import SdkFold, plain
from agenteval.clock import Clock, RealClock
from agenteval.errors import UsageError
from agenteval.stream import Reply
from agenteval.timing import Timeline
from agenteval.wire import Exchange, Fault, Limits, Recording, Transport, request_bytes

SDK_PARAMETERS = ("model", "messages", "tools", "max_tokens", "seed", "temperature", "stream", "stream_options")
"""What is handed to the SDK by name; every other key of a body goes into its `extra_body`."""

MISSING = "--transport openai needs the openai SDK: pip install openai"

_LIMITS = Limits()


@dataclass(slots=True)
class _Heard:
    """What came of one request: the SDK's objects with their stamps, and what it raised."""

    streamed: bool
    response: Any = None
    events: list[tuple[int, Any]] = field(default_factory=list)
    raised: Exception | None = None
    out_of_time: bool = False


class SdkChat:
    """Asks one endpoint through the SDK, whatever the transport is; but a resumed conversation is first heard again
    from its recordings. Raises UsageError when the SDK is not installed."""

    def __init__(
        self, base_url: str, *, headers: Pairs = (), verify_tls: bool = True, clock: Clock | None = None
    ) -> None:
        self._sdk = _sdk()
        self._address = address_of(base_url)
        self._clock = clock or RealClock()
        self._client = _client(self._sdk, self._address.url, verify_tls)
        self._headers = _headers(self._sdk, headers)
        self._create = self._client.chat.completions.with_raw_response.create  # imports much: not in the first TTFT

    async def __call__(self, transport: Transport, body: Mapping[str, Any], *, limits: Limits = _LIMITS) -> Attempt:
        """Send one request and take its reply, streamed or whole. Never raises for what a server does."""
        if isinstance(transport, ReplayTransport) and transport.hears_again:
            return await chat(transport, body, limits=limits)
        arguments = _arguments(msgspec.json.decode(request_bytes(body)))
        heard = _Heard(arguments.get("stream") is True)
        sent_at = self._clock.now()
        try:
            async with asyncio.timeout(limits.total_s):
                await self._ask(arguments, limits, heard)
        except TimeoutError:
            heard.out_of_time = True
        return self._attempt(heard, sent_at, body, limits)

    async def aclose(self) -> None:
        """Close every connection of the SDK."""
        await self._client.close()

    async def _ask(self, arguments: dict[str, Any], limits: Limits, heard: _Heard) -> None:
        timeout = self._sdk.Timeout(_longest_silence(limits), connect=limits.connect_s)
        try:
            raw = await self._create(**arguments, extra_headers=self._headers, timeout=timeout)
            heard.response, parsed = raw.http_response, raw.parse()
            if not heard.streamed:
                heard.events.append((self._clock.now(), parsed))
                return
            async for chunk in parsed:
                heard.events.append((self._clock.now(), chunk))
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises on a reply is what its user gets
            if type(error) is self._sdk.APIError:  # an error event inside a stream: the server's own words
                heard.events.append((self._clock.now(), _told(error)))
            else:
                heard.raised, heard.response = error, heard.response or getattr(error, "response", None)

    def _attempt(self, heard: _Heard, sent_at: int, body: Mapping[str, Any], limits: Limits) -> Attempt:
        ended_at, response = self._clock.now(), heard.response
        status = None if response is None else response.status_code
        headers = () if response is None else tuple((name.lower(), value) for name, value in response.headers.items())
        exchange = Exchange(sent_at, ended_at, status, self._fault(heard, limits), None, headers, len(heard.events))
        chunks = _written(heard, exchange)
        recording = Recording(status, without_secrets(headers), chunks, ended_at - sent_at, exchange.fault, body)
        if status is None or isinstance(heard.raised, self._sdk.APIStatusError):
            error = None if exchange.fault else http_error(response.content)
            timeline = Timeline(sent_at, ended_at, streamed=False)
            return Attempt(exchange, Reply(), timeline, recording, error, retry_after_s(headers))
        reply, timeline = _folded(heard, exchange)
        if exchange.fault is not None and costs_nothing(exchange.fault, reply):
            timeline = replace(timeline, ended_at=heard.events[-1][0])  # the wait for an end is no part of the reply
        return Attempt(exchange, reply, timeline, recording)

    def _fault(self, heard: _Heard, limits: Limits) -> Fault | None:
        """The SDK's error tree as a fault; None for a refusal, which is the server's answer."""
        raised, where = heard.raised, self._address.where
        if heard.out_of_time:
            return timeout_fault("timeout_total", where, limits)
        if raised is None:
            return None
        if isinstance(raised, self._sdk.APIStatusError):
            location = raised.response.headers.get("location")
            redirects = location is not None and 300 <= raised.status_code < 400
            return redirect_fault(raised.status_code, location, self._address) if redirects else None
        return _trouble(raised, self._address, limits, len(heard.events))


def _sdk() -> ModuleType:
    try:
        import openai  # noqa: PLC0415 - an extra, and slow to import: only for those who ask for it
    except ImportError as error:
        raise UsageError(MISSING) from error
    return openai


def _client(sdk: ModuleType, url: str, verify_tls: bool) -> Any:
    """A client that neither retries nor redirects, and takes no proxy from the environment."""
    http = sdk.DefaultAsyncHttpxClient(verify=verify_tls, trust_env=False, follow_redirects=False)
    return sdk.AsyncOpenAI(base_url=url, api_key="unsent", max_retries=0, http_client=http)


def _headers(sdk: ModuleType, headers: Pairs) -> dict[str, Any]:
    """Our headers over the SDK's: no key but one of ours, nothing from the environment, nothing compressed."""
    unsent = dict.fromkeys(("Authorization", "OpenAI-Organization", "OpenAI-Project"), sdk.Omit())
    return {**unsent, "Accept-Encoding": "identity"} | {name.title(): value for name, value in headers}


def _arguments(body: dict[str, Any]) -> dict[str, Any]:
    """A body as the arguments of the SDK's `create`."""
    known = {name: body.pop(name) for name in SDK_PARAMETERS if name in body}
    return {**known, "extra_body": body}


def _folded(heard: _Heard, exchange: Exchange) -> tuple[Reply, Timeline]:
    fold = SdkFold()
    for at, event in heard.events:
        fold.take(event, at)
    reply = fold.reply()
    if heard.streamed:
        return reply, fold.marks.timeline(exchange.sent_at, exchange.ended_at)
    finish_at = None if reply.finish_reason is None else exchange.ended_at
    return reply, Timeline(exchange.sent_at, exchange.ended_at, finish_at=finish_at, streamed=False)


def _written(heard: _Heard, exchange: Exchange) -> tuple[tuple[int, bytes], ...]:
    """The SDK's objects as a body again, which our own client folds to the same reply; or the body of a refusal."""
    if hasattr(heard.raised, "status_code"):
        return ((exchange.ended_at - exchange.sent_at, heard.response.content),)
    frame, sent_at = "data: {}\n\n" if heard.streamed else "{}", exchange.sent_at
    return tuple((at - sent_at, frame.format(json.dumps(plain(event))).encode()) for at, event in heard.events)


def _told(error: Any) -> dict[str, Any]:
    """The error event that the SDK raised instead of yielding it."""
    return {"error": error.body or error.message}


def _trouble(raised: Exception, address: Address, limits: Limits, chunks: int) -> Fault:
    """Why there is no reply, or no whole one, by what lies below the SDK's error: names of httpx and of the socket."""
    causes = {type(error).__name__: error for error in _causes(raised)}
    failed = next((error for error in reversed(causes.values()) if isinstance(error, OSError)), None)
    when = f"after {chunks} chunks of the reply" if chunks else "without an answer"
    if "ConnectTimeout" in causes:
        return connect_fault(TimeoutError(), address, limits)
    if "ConnectError" in causes:
        return connect_fault(failed or OSError(str(causes["ConnectError"])), address, limits)
    if "ReadTimeout" in causes:
        silence = _longest_silence(limits)
        kept = replace(limits, first_frame_s=silence, between_s=silence)
        return timeout_fault("timeout_between" if chunks else "timeout_first_frame", address.where, kept)
    if "RemoteProtocolError" in causes and _closed(str(causes["RemoteProtocolError"])):
        return Fault("cut", f"{address.where} closed the connection {when}")
    if causes.keys() & {"ReadError", "WriteError"}:
        return Fault("reset", f"{address.where} broke the connection ({failed or raised}) {when}")
    deepest = list(causes.values())[-1]
    return Fault("protocol", f"the openai SDK gave up {when}: {type(deepest).__name__}: {str(deepest)[:200]}")


def _longest_silence(limits: Limits) -> float:
    """The SDK knows one time-out for all reads."""
    return max(limits.first_frame_s, limits.between_s)


def _closed(text: str) -> bool:
    return "closed" in text or "disconnected" in text


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, outermost first; of a group, all that is in it."""
    if error is None:
        return
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    yield from _causes(error.__cause__ or error.__context__)
