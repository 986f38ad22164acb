"""`agenteval parsers audit`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import click

from agenteval.cli.endpoint import (
    Endpoint,
    http_endpoint,
    http_transport,
    limits,
    planned_modes,
    simulated_endpoint,
    way_of_asking,
)
from agenteval.cli.loop import loop_run
from agenteval.cli.options import ENDPOINT, EndpointOptions, endpoint_options, with_options
from agenteval.cli.record import ANONYMOUS, AS_JSON, OTHER_WORDS, TO, anonymous_cases, write_cases
from agenteval.cli.voice import tell
from agenteval.client import Chat, chat
from agenteval.clock import LoopClock, run_virtual
from agenteval.errors import EndpointError, UsageError
from agenteval.parsers import FAMILIES, Family
from agenteval.regress.adapters import DRIVERS
from agenteval.regress.audit import NOT_OBEYED, Audited, Auditor, Line, asked_lines, said_lines
from agenteval.regress.corpus import bundled_corpus, load_corpus
from agenteval.regress.probes import PROBES
from agenteval.regress.record import cases
from agenteval.report.audit import render_audit, render_json
from agenteval.simulator import Engine, SimulatedTransport
from agenteval.thinking import Thinking
from agenteval.wire import Transport

HOW_TO_SAY = (
    f"start vLLM with `PYTHONPATH={DRIVERS} VLLM_ENFORCE_STRICT_TOOL_CALLING=0 vllm serve … --logits-processors "
    "vllm_say:Say`"
)


@click.command(name="audit")
@with_options(*ENDPOINT, TO, ANONYMOUS, AS_JSON)
@click.option("--repeat", type=click.IntRange(1, 1000), default=1, show_default=True, help="Each probe so often.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="For the server.")
@click.option("--temperature", type=click.FloatRange(0, 5), default=0.0, show_default=True, help="For the server.")
@click.option("--max-tokens", type=click.IntRange(1), default=1024, show_default=True, help="Of each reply.")
@click.option(
    "--constrained",
    is_flag=True,
    help="Offer strict schemas that admit the wanted values only, so that a server which constrains calls makes them.",
)
@click.option(
    "--say",
    is_flag=True,
    help="Make a vLLM that was started for it (drivers/vllm_say.py) say every text of a corpus, instead of asking.",
)
@click.option(
    "--corpus", type=click.Path(path_type=Path, file_okay=False), help="With --say: a folder of cases of your own."
)
@click.option("--case", "names", multiple=True, metavar="NAME", help="With --say: only this case; may be repeated.")
def command(**values: Any) -> int:
    """Compare what a live endpoint's parser streams with what the model wrote.

    Asks for calls, each in a way that also yields the raw text (logprobs, token ids, completions), reads it with our
    parser, and compares. Differences are defects of the server's parser, or open questions that it answers otherwise
    than any policy of ours; they are saved as cases. Without --base-url the embedded endpoint is audited.

    Exit code: 0 no difference, 1 some, 3 the endpoint failed or told no raw text.
    """
    options = endpoint_options(values)
    if (values["corpus"] or values["names"]) and not values["say"]:
        raise UsageError("--corpus and --case name what --say says: give --say, too")
    audited, endpoint = _simulated(options, values) if options.base_url is None else loop_run(_live(options, values))
    known = [it.reply for it in audited if it.reply is not None]
    if not known:
        raise EndpointError(options.secrets.text(_nothing(audited)))
    differing = [reply for reply in known if reply.agrees is None]
    family = known[0].reading.family
    made = anonymous_cases(differing, family) if values["anonymous"] else cases(differing, _about(endpoint))
    about = OTHER_WORDS if values["anonymous"] else f"What an audit found. {_about(endpoint)}."
    written = [str(path) for path in write_cases(values["to"], family.name, about, made)]
    render = render_json if values["as_json"] else render_audit
    click.echo(options.secrets.text(render(audited, _about(endpoint), written)), nl=False)
    return 1 if differing else 0


def _about(endpoint: Endpoint) -> str:
    facts = endpoint.facts
    version = facts.get("server_version")
    server = " ".join(word for word in (endpoint.dialect.name, version) if word)
    return f"Audit of {endpoint.model} ({server}{', simulated' if facts['simulated'] else ''})"


def _nothing(audited: Sequence[Audited]) -> str:
    whys = list(dict.fromkeys(it.why for it in audited if it.why))
    advice = f"; {HOW_TO_SAY}" if NOT_OBEYED in whys else ""
    return f"of no reply is known what the model wrote ({'; '.join(whys)}){advice}"


def _simulated(options: EndpointOptions, values: dict[str, Any]) -> tuple[list[Audited], Endpoint]:
    endpoint, profile = simulated_endpoint(options)
    tell(f"No --base-url: the embedded endpoint answers (profile {profile.name}); its parser is ours.")

    async def heard() -> list[Audited]:
        engine = Engine(profile, (PROBES,), LoopClock(), seed=values["seed"])
        return await _audit(options, values, endpoint, SimulatedTransport(engine), chat)

    return run_virtual(heard()), endpoint


async def _live(options: EndpointOptions, values: dict[str, Any]) -> tuple[list[Audited], Endpoint]:
    async with aclosing(http_transport(options, 1)) as transport, way_of_asking(options) as asking:
        endpoint = await http_endpoint(options, transport)
        return await _audit(options, values, endpoint, transport, asking), endpoint


async def _audit(
    options: EndpointOptions, values: dict[str, Any], endpoint: Endpoint, transport: Transport, asking: Chat
) -> list[Audited]:
    family = _family(endpoint)
    lines = _lines(values, endpoint, family)
    found: list[Audited] = []
    for again in range(values["repeat"]):
        auditor = Auditor(
            transport=transport,
            dialect=endpoint.dialect,
            model=endpoint.model,
            family=family,
            seed=values["seed"] + again,
            temperature=values["temperature"],
            max_tokens=values["max_tokens"],
            extra=options.extra_body,
            chat=asking,
            limits=limits(options),
        )
        async for audited in auditor.audit(lines):
            found.append(audited)
            if audited.why is not None and audited.why.startswith("the request failed"):
                tell(options.secrets.text(f"{audited.line.name}: {audited.why}"))
    return found


def _lines(values: dict[str, Any], endpoint: Endpoint, family: Family) -> list[Line]:
    modes: list[Thinking] = [mode for mode in planned_modes(None, endpoint) if mode != "preserved"]
    if not values["say"]:
        return asked_lines(modes, constrained=values["constrained"])
    corpus = load_corpus(values["corpus"] or bundled_corpus(), {family.name})
    chosen = [case for case in corpus if not values["names"] or case.name in values["names"]]
    if not chosen:
        raise UsageError(f"the corpus has no such cases for {family.name}")
    return said_lines(chosen, modes)


def _family(endpoint: Endpoint) -> Family:
    if endpoint.family not in FAMILIES:
        raise UsageError(f"the model's family is not known: give --family ({', '.join(FAMILIES)})")
    return FAMILIES[endpoint.family]
