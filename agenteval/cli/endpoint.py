"""Options → an endpoint that can be asked: the embedded one, or a server over HTTP that has said what it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from agenteval.cli.options import EndpointOptions, PlanOptions
from agenteval.cli.voice import tell
from agenteval.client import (
    MODELS_PATH,
    PROBE_LIMITS,
    Chat,
    Fetched,
    HttpTransport,
    SdkChat,
    ask_json,
    chat,
    fetch_json,
    model_names,
    normalise_base_url,
)
from agenteval.clock import NS_PER_S
from agenteval.dialects import (
    DIALECTS,
    Detection,
    Dialect,
    constraint_of,
    context_window,
    family_of_model,
    recognise,
)
from agenteval.dialects.detect import PROBES, VERSION_PATHS
from agenteval.errors import EndpointError, UsageError
from agenteval.run import FIRST_WAIT_S, LONGEST_WAIT_S, Isolation
from agenteval.simulator import PROFILES, Profile
from agenteval.thinking import MODES, Thinking
from agenteval.wire import Limits

DEFAULT_PROFILE = "glm47-4x-spark"

NOT_READY = frozenset({429, 502, 503, 504})
"""What a server answers that is still loading its model, or a proxy before one."""

ASKED_AS_IT_COMES = (
    "so that it is asked as it comes, which is called `on` here; ask for modes with --thinking, or name another family "
    "with --family"
)
GUESSED_SWITCH = (
    "thinking off and preserved are asked for as of GLM (enable_thinking, clear_thinking), on is the model's default, "
    "and whether they are heeded is not judged"
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is known of the endpoint before the first cell. `facts` go into the manifest."""

    model: str
    dialect: Dialect
    family: str | None
    facts: Mapping[str, Any]

    @property
    def recording(self) -> Mapping[str, Any] | None:
        """The run that it replays, and whether in its time; None for an endpoint that is alive."""
        found: Mapping[str, Any] | None = self.facts.get("recording")
        return found


def simulated_endpoint(options: EndpointOptions) -> tuple[Endpoint, Profile]:
    """The embedded endpoint with a profile. Raises UsageError for a profile or model that it lacks."""
    if options.transport != "http":
        raise UsageError(
            f"--transport {options.transport} talks to a server: give its --base-url, e.g. that of `agenteval serve`"
        )
    name = options.profile or DEFAULT_PROFILE
    if name not in PROFILES:
        raise UsageError(f"no profile is called {name!r}; there are: {', '.join(PROFILES)}")
    profile = PROFILES[name]
    if options.family not in (None, profile.client_family):
        spoken = profile.client_family or "no family of ours"
        raise UsageError(f"profile {name} speaks {spoken}, not {options.family!r}: leave --family out")
    if options.model not in (None, profile.model):
        raise UsageError(f"profile {name} serves {profile.model!r}, not {options.model!r}: leave --model out")
    dialect = profile.dialect if options.dialect == "auto" else options.dialect
    facts = {
        "profile": name,
        "hardware": profile.hardware,
        "found_by": "profile",
        "context_window": profile.max_model_len,
        "simulated": True,
    }
    return _endpoint(profile.model, dialect, profile.client_family, facts), profile


def limits(options: EndpointOptions) -> Limits:
    """The time-outs of a run's requests."""
    return Limits(options.timeout_connect, options.timeout, options.timeout_between, options.timeout_total)


def http_transport(options: EndpointOptions, connections: int) -> HttpTransport:
    """A transport to `--base-url` with the key and headers on every request."""
    base_url = normalise_base_url(options.base_url or "")
    verify = not options.insecure
    return HttpTransport(base_url, headers=_headers(options), max_connections=connections, verify_tls=verify)


@asynccontextmanager
async def way_of_asking(options: EndpointOptions) -> AsyncIterator[Chat]:
    """Our own client, or the openai SDK. Raises UsageError when that is asked for and not installed."""
    if options.transport != "openai":
        yield chat
        return
    sdk = SdkChat(options.base_url or "", headers=_headers(options), verify_tls=not options.insecure)
    try:
        yield sdk
    finally:
        await sdk.aclose()


def _headers(options: EndpointOptions) -> tuple[tuple[str, str], ...]:
    key = (("authorization", f"Bearer {options.api_key}"),) if options.api_key else ()
    return (*options.header, *key)


async def http_endpoint(options: EndpointOptions, transport: HttpTransport) -> Endpoint:
    """Ask a server what it serves and is. Raises EndpointError or UsageError with what to do."""
    listing = await _listing(options, transport)
    model = _choose_model(options.model, model_names(listing))
    detection = await _detect(listing, transport)
    chosen = options.dialect != "auto"
    facts = {
        "base_url": transport.base_url,
        "found_by": "--dialect" if chosen else detection.evidence,
        "server_version": detection.version,
        "context_window": await _context_window(listing, model, detection, transport),
        "simulated": detection.simulated,
        "recording": asdict(detection.recording) if detection.recording else None,
    }
    family, dialect = options.family or family_of_model(model), options.dialect if chosen else detection.dialect
    known = None if detection.simulated else constraint_of(dialect, family, options.extra_body)
    return _endpoint(model, dialect, family, facts | {"constraint": asdict(known) if known else None})


def _endpoint(model: str, dialect: str, family: str | None, facts: Mapping[str, Any]) -> Endpoint:
    known = {"model": model, "dialect": dialect, "family": family, "cached_flag": DIALECTS[dialect].cached_flag}
    return Endpoint(model, DIALECTS[dialect], family, {**known, **facts})


async def _ready(options: EndpointOptions, transport: HttpTransport) -> Fetched:
    """The answer to `GET /v1/models`, asked for until the server is done with loading or patience is at its end."""
    limits, clock = replace(PROBE_LIMITS, connect_s=options.timeout_connect), transport.clock
    began, wait_s, waiting = clock.now(), FIRST_WAIT_S, False
    while True:
        fetched = await fetch_json(transport, MODELS_PATH, limits=limits)
        left_s = options.patience - (clock.now() - began) / NS_PER_S
        if fetched.status not in NOT_READY or left_s <= 0:
            return fetched
        if not waiting:
            said = options.secrets.text(fetched.error or "")
            tell(f"Waiting up to {options.patience:g} s for {transport.base_url} to be ready (--patience): {said}")
        waiting = True
        await clock.sleep(min(wait_s, left_s))
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


async def _listing(options: EndpointOptions, transport: HttpTransport) -> Any:
    """The answer to `GET /v1/models`. A server without such a list will do if --model names one."""
    fetched = await _ready(options, transport)
    if fetched.fault is not None:
        raise EndpointError(f"{transport.base_url} cannot be reached: {fetched.fault.detail}")
    said = options.secrets.text(fetched.error or "")
    if fetched.status in (401, 403):
        key = "the key it was given" if options.api_key else "requests without a key: give one with --api-key"
        raise EndpointError(f"{transport.base_url} refuses {key} ({said})")
    if fetched.status in NOT_READY and options.model is None:
        raise EndpointError(
            f"{transport.base_url} seems not to be ready: asked for its models, it answers {said.rstrip('.')}; try "
            "again when it is, or wait longer with --patience"
        )
    if fetched.error is not None and options.model is None:
        raise EndpointError(
            f"{transport.base_url} does not list its models ({said}); is this the address of an "
            "OpenAI-compatible API? If it is, name the model with --model"
        )
    return fetched.value


def _choose_model(wanted: str | None, listed: tuple[str, ...]) -> str:
    if wanted is not None:
        if listed and wanted not in listed:
            tell(f"Note: the endpoint does not list {wanted!r}; it lists {', '.join(listed)}.")
        return wanted
    if len(listed) == 1:
        return listed[0]
    if not listed:
        raise UsageError("the endpoint lists no models: name one with --model")
    raise UsageError(f"the endpoint serves several models, choose with --model: {', '.join(listed)}")


async def _detect(listing: Any, transport: HttpTransport) -> Detection:
    for path in PROBES:
        answer = listing if path == MODELS_PATH else await ask_json(transport, path)
        found = recognise(path, answer)
        if found is not None:
            return found if found.version else await _with_version(found, transport)
    return Detection("openai", "it did not say what it is; plain OpenAI is assumed (choose with --dialect)")


async def _context_window(listing: Any, model: str, detection: Detection, transport: HttpTransport) -> int | None:
    """What the list of models tells, or what llama-server tells elsewhere."""
    listed = context_window(MODELS_PATH, listing, model)
    if listed is not None or detection.dialect != "llamacpp":
        return listed
    return context_window("/props", await ask_json(transport, "/props"), model)


async def _with_version(found: Detection, transport: HttpTransport) -> Detection:
    """The same with the server's version, where it tells one."""
    path = VERSION_PATHS.get(found.dialect, "")
    told = recognise(path, await ask_json(transport, path)) if path and not found.simulated else None
    return replace(found, version=told.version) if told else found


def planned_modes(wanted: tuple[str, ...] | None, endpoint: Endpoint) -> tuple[Thinking, ...]:
    """The thinking modes to plan; says once which ones are left out, and why."""
    guessed = endpoint.dialect.guesses(endpoint.family)
    able = MODES if guessed and wanted is not None else endpoint.dialect.modes(endpoint.family)
    asked = tuple(mode for mode in MODES if wanted is None or mode in wanted)
    planned = tuple(mode for mode in asked if mode in able)
    left = [mode for mode in asked if mode not in planned]
    unknown = (
        f"no switch of family {endpoint.family} is known" if endpoint.family else "the model's family is not known"
    )
    if left and guessed:
        tell(f"Not planned: thinking {', '.join(left)} ({unknown}, {ASKED_AS_IT_COMES}).")
    elif left and endpoint.dialect.switches(endpoint.family):
        tell(f"Not planned: thinking {', '.join(left)} (models of family {endpoint.family} have no such mode).")
    elif left:
        why = f"dialect {endpoint.dialect.name} and this model have no switch for it; `on` is the model's default"
        tell(f"Not planned: thinking {', '.join(left)} ({why}).")
    if guessed and planned not in ((), ("on",)):
        tell(f"A guess: {unknown}; {GUESSED_SWITCH}.")
    if not planned:
        raise UsageError(f"none of the thinking modes asked for can be had here: try --thinking {able[0]}")
    return planned


def isolation(asked: PlanOptions, endpoint: Endpoint) -> Isolation | None:
    """How conversations get a prefix cache each; None if they do not. Raises UsageError for what the server cannot."""
    if asked.isolate == "off" or (asked.isolate == "auto" and len(asked.policy) < 2):
        return None
    can = endpoint.dialect.salts_cache
    if asked.isolate == "salt" and not can:
        raise UsageError(
            f"--isolate salt: servers of dialect {endpoint.dialect.name} do not know cache_salt; use --isolate line"
        )
    return "line" if asked.isolate == "line" or not can else "salt"
