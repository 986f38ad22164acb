"""Options of commands that talk to an endpoint or plan a run, declared once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from agenteval.dialects import DIALECTS
from agenteval.errors import UsageError
from agenteval.parsers import FAMILIES
from agenteval.run import Retries
from agenteval.simulator import DEFAULT_PROFILE, PROFILES
from agenteval.store.secrets import Secrets, named_texts
from agenteval.thinking import MODES
from agenteval.wire import Limits

F = TypeVar("F", bound=Callable[..., Any])

PATIENCE = ("timeout", "timeout_connect", "timeout_between", "timeout_total", "retries", "retry_wait", "patience")
"""Options that say how long to wait."""

HOW_TO_ASK = (*PATIENCE, "preflight", "insecure")
"""An endpoint's options that change nothing of what is asked."""

DEFAULT_OUT = Path("results")
LIMITS, RETRIES, PATIENCE_S = Limits(), Retries(), 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """Which endpoint, and how to talk to it. `base_url` None: the embedded simulator."""

    base_url: str | None
    api_key: str | None
    model: str | None
    dialect: str
    family: str | None
    profile: str | None
    header: tuple[tuple[str, str], ...]
    extra_body: dict[str, Any]
    timeout: float
    retries: int
    insecure: bool
    preflight: bool
    timeout_connect: float = LIMITS.connect_s
    timeout_between: float = LIMITS.between_s
    timeout_total: float = LIMITS.total_s
    retry_wait: float = RETRIES.first_wait_s
    patience: float = PATIENCE_S
    transport: str = "http"
    stream: bool = True
    raw_text: bool = False

    @property
    def secrets(self) -> Secrets:
        """What must not stand in any file or message."""
        return Secrets(self.api_key, (*self.header, *named_texts(self.extra_body)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What to run."""

    thinking: tuple[str, ...] | None
    policy: tuple[str, ...]
    trials: int
    concurrency: int
    seed: int
    history: str
    temperature: float | None
    max_tokens: int | None
    tag: tuple[str, ...]
    isolate: str = "auto"
    allow_code: bool = False


def _json_object(_: click.Context, __: click.Parameter, text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise click.BadParameter("must be a JSON object, for instance '{\"top_k\": 40}'")
    return value


def _headers(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found = []
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isascii() or set(name + value) & set("\r\n\0"):
            raise click.BadParameter("a header is NAME=VALUE, for instance X-Team=blue")
        found.append((name, value))
    return tuple(found)


def _finite(_: click.Context, __: click.Parameter, number: float | None) -> float | None:
    if number is not None and not math.isfinite(number):
        raise click.BadParameter(f"{number} is no number that can be used")
    return number


def _modes(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [name for name in names if name not in MODES]
    if unknown or not names:
        raise click.BadParameter(f"{text!r}: a list of {', '.join(MODES)}, separated by commas")
    return names


class _Seconds(click.FloatRange):
    """A span of time; the name stands in messages."""

    name = "number of seconds"


def _seconds(name: str, default: float, text: str, least: float = 0.001) -> Callable[[F], F]:
    """An option for a span of time."""
    return click.option(
        name,
        type=_Seconds(least, 86_400),
        callback=_finite,
        default=default,
        show_default=True,
        metavar="S",
        help=text,
    )


ENDPOINT = (
    click.option(
        "--base-url",
        envvar="OPENAI_BASE_URL",
        show_envvar=True,
        metavar="URL",
        help="The endpoint, with or without /v1; without it the built-in one.",
    ),
    click.option(
        "--api-key",
        envvar="OPENAI_API_KEY",
        show_envvar=True,
        metavar="KEY",
        help="Sent as a bearer token; never written anywhere.",
    ),
    click.option("--model", metavar="NAME", help="Default: the only model that the endpoint lists."),
    click.option(
        "--dialect",
        type=click.Choice(["auto", *DIALECTS]),
        default="auto",
        show_default=True,
        help="How the server spells the API.",
    ),
    click.option(
        "--family",
        metavar="NAME",
        help=f"The model's native format: {', '.join(FAMILIES)}. Default: by the model's name.",
    ),
    click.option(
        "--profile",
        metavar="NAME",
        help=f"Which deployment the built-in endpoint imitates: {', '.join(PROFILES)}.  [default: {DEFAULT_PROFILE}]",
    ),
    click.option(
        "--header",
        multiple=True,
        callback=_headers,
        metavar="K=V",
        help="One more request header; may be repeated.",
    ),
    click.option("--extra-body", callback=_json_object, metavar="JSON", help="Merged into every request body."),
    _seconds(
        "--timeout",
        LIMITS.first_frame_s,
        "Seconds to the first frame of a reply (without a stream: to the reply); keep-alives are no frames.",
    ),
    _seconds("--timeout-connect", LIMITS.connect_s, "Seconds to open a connection."),
    _seconds("--timeout-between", LIMITS.between_s, "Seconds of silence inside a reply; keep-alives end it."),
    _seconds("--timeout-total", LIMITS.total_s, "Seconds for a whole reply."),
    click.option(
        "--retries",
        type=click.IntRange(0, 100),
        default=RETRIES.times,
        show_default=True,
        help="How often a request that failed for reasons of infrastructure is repeated (after a time-out once).",
    ),
    _seconds(
        "--patience",
        PATIENCE_S,
        "Seconds to wait for an endpoint that still loads or is gone in mid-run; then the run ends. It can be resumed.",
        least=0.0,
    ),
    _seconds(
        "--retry-wait",
        RETRIES.first_wait_s,
        "Seconds before the first repetition; each further one waits twice as long.",
    ),
    click.option("--insecure", is_flag=True, help="Accept any TLS certificate, also a self-signed one."),
    click.option("--preflight/--no-preflight", default=True, help="Try one tool call first, and name what is missing."),
    click.option(
        "--transport",
        type=click.Choice(["http", "openai"]),
        default="http",
        show_default=True,
        help="openai: ask through the openai SDK, to see what its users get.",
    ),
    click.option("--stream/--no-stream", default=True, help="Without a stream there is no TTFT and no decode speed."),
    click.option(
        "--raw-text/--no-raw-text",
        default=False,
        help="Ask for what the model wrote, too (logprobs, token ids), so that `parsers record` can make cases of it; "
        "replies become larger and may become slower.",
    ),
)

PLAN = (
    click.option(
        "--thinking",
        callback=_modes,
        metavar="MODES",
        help="A list of off, on, preserved; default: all that the endpoint can do.",
    ),
    click.option(
        "--policy",
        multiple=True,
        default=("full_history",),
        show_default=True,
        metavar="NAME[:k=v,…]",
        help="Context policy, also several joined by + or your own module:function; may be repeated. "
        "suite: full_history, the same once more as noise floor (full_history+again), and all that the chosen suites "
        "name, with knobs that fit them (context names 14).",
    ),
    click.option("--allow-code", is_flag=True, help="Let a policy module:function run your own code."),
    click.option(
        "--trials",
        type=click.IntRange(1, 1000),
        default=1,
        show_default=True,
        help="Repetitions of each cell.",
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(1, 1024),
        default=1,
        show_default=True,
        help="Conversations at a time.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**31 - 1),
        default=0,
        show_default=True,
        help="For the order, the values in scenarios, and the server.",
    ),
    click.option(
        "--history",
        type=click.Choice(["live", "golden"]),
        default="live",
        show_default=True,
        help="golden: each turn starts from what was expected before.",
    ),
    click.option(
        "--isolate",
        type=click.Choice(["auto", "salt", "line", "off"]),
        default="auto",
        show_default=True,
        help="A prefix cache for each conversation: by cache_salt, or by a first line of its own; auto: with several "
        "policies, by what the server can.",
    ),
    click.option("--temperature", type=click.FloatRange(0, 5), callback=_finite, help="Overrides the scenarios'."),
    click.option("--max-tokens", type=click.IntRange(1), help="Overrides the scenarios'."),
    click.option(
        "--tag",
        multiple=True,
        metavar="TAG",
        help="Only scenarios with one of these tags (without a SUITE: of all bundled ones); may be repeated.",
    ),
)

OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_OUT,
    show_default=True,
    help="Folder of runs.",
)


def with_options(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Apply declared options to a command, in the order in which help shows them."""

    def apply(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return apply


def endpoint_options(values: dict[str, Any]) -> EndpointOptions:
    """The endpoint's part of a command's values. Raises UsageError if they contradict each other."""
    chosen = EndpointOptions(**{item.name: values[item.name] for item in fields(EndpointOptions)})
    given = was_typed("base_url")
    if chosen.family and chosen.family not in FAMILIES:
        raise UsageError(
            f"no family is called {chosen.family!r}; there are: {', '.join(FAMILIES)} (left out: by the model's name)"
        )
    if chosen.profile and given:
        raise UsageError("--profile belongs to the built-in endpoint and --base-url to yours: give one of them")
    if chosen.profile and chosen.base_url:
        chosen = replace(chosen, base_url=None)
    return chosen


def was_typed(name: str) -> bool:
    """Whether an option stands on the command line; not if it comes from the environment, or is a default."""
    return click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def typed_options() -> dict[str, str]:
    """The options that stand on the command line: name → how it is spelled there."""
    context = click.get_current_context()
    options = (item for item in context.command.params if isinstance(item, click.Option))
    return {item.name: _spelling(item, context.params) for item in options if item.name and was_typed(item.name)}


def _spelling(option: click.Option, values: Mapping[str, Any]) -> str:
    """`--no-stream` where a switch was turned off, else the option's name."""
    off = option.is_flag and option.secondary_opts and values.get(option.name or "") is False
    return option.secondary_opts[0] if off else option.opts[0]


def plan_options(values: dict[str, Any]) -> PlanOptions:
    """The plan's part of a command's values."""
    return PlanOptions(**{item.name: values[item.name] for item in fields(PlanOptions)})
