"""`agenteval run`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from agenteval.cli import own
from agenteval.cli.books import Books, Order
from agenteval.cli.endpoint import (
    Endpoint,
    http_endpoint,
    http_transport,
    isolation,
    limits,
    planned_modes,
    simulated_endpoint,
    way_of_asking,
)
from agenteval.cli.forecast import forecast
from agenteval.cli.loop import loop_run
from agenteval.cli.options import (
    ENDPOINT,
    OUT,
    PLAN,
    EndpointOptions,
    PlanOptions,
    endpoint_options,
    plan_options,
    with_options,
)
from agenteval.cli.resume import Kept, check_scenarios, stored_order
from agenteval.cli.suites import load_scenarios, names_others, spelled_policies, title_of_suites
from agenteval.cli.takeoff import tell_preflight
from agenteval.cli.voice import coloured, tell
from agenteval.client import Chat, chat
from agenteval.clock import LoopClock
from agenteval.context import Budget, canonical_policy
from agenteval.errors import EndpointError
from agenteval.outcome import StepError
from agenteval.report import render_json, render_terminal
from agenteval.run import (
    Accountant,
    Asked,
    BatchEnd,
    Breaker,
    Cell,
    Desk,
    LoopWatch,
    Plan,
    Preflight,
    Retries,
    expand,
    ping,
    preflight,
    run_batch,
    run_simulated,
)
from agenteval.scenario import ALL
from agenteval.script import Scenario
from agenteval.simulator import Engine, SimulatedTransport
from agenteval.store import DISK, Disk, Secrets
from agenteval.summary import Summary, how_to_go_on
from agenteval.wire import Transport

DEFAULT_SUITE = "founding"
UNTIMED = "the endpoint replays a recording without its times"
T = TypeVar("T")


@click.command(name="run")
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@with_options(*ENDPOINT, *PLAN, OUT)
@click.option(
    "--resume",
    metavar="RUN",
    help="Go on with a run that was interrupted or lost cells; secrets are given again, time-outs, retries, "
    "--concurrency and --no-preflight may be, and nothing else may change.",
)
@click.option("--json", "as_json", is_flag=True, help="A machine-readable summary on stdout, nothing else there.")
@click.pass_obj
def command(
    disk: Disk | None, /, suites: tuple[str, ...], out: Path, resume: str | None, as_json: bool, **values: Any
) -> int:
    """Run scenarios: a SUITE is a folder, a file, a bundled suite (context, desk, founding, life, work; all:
    every one of them) or a bundled scenario's name (`agenteval scenario list`). Default: founding; with --tag: all.

    Without --base-url the embedded endpoint answers, in virtual time. Exit code: 0 all turns ok, 1 some failed,
    2 a mistake in options or files, 3 the endpoint failed or cells could not be judged.
    """
    chosen = suites or ((ALL,) if values["tag"] else (DEFAULT_SUITE,))
    order = Order(endpoint_options(values), plan_options(values), title_of_suites(chosen), out, chosen)
    kept: Kept | None = None
    if resume is not None:
        kept, order = stored_order(resume, replace(order, suites=suites))
    order = replace(order, disk=disk or DISK)
    order = _spelled(order)
    scenarios = load_scenarios(order.suites, order.plan.tag)
    if kept is not None:
        check_scenarios(kept.stored.manifest, scenarios)
    play = _play_simulated if order.endpoint.base_url is None else _play_over_http
    end, summary = play(order, scenarios, kept)
    text = render_json(summary) if as_json else render_terminal(summary, colour=coloured())
    click.echo(order.endpoint.secrets.text(text), nl=False)
    return _exit_code(end, summary)


def _spelled(order: Order) -> Order:
    """With every policy spelled out, and each once; those that mean the same as an earlier one are named."""
    policies: dict[str, str] = {}
    made = own.policies(allow_code=order.plan.allow_code)
    for text in spelled_policies(order.plan.policy, order.suites):
        made(text)
        first = policies.setdefault(canonical_policy(text), text)
        if first is not text:
            again = "is given twice" if text == first else f"is the same as {first}"
            tell(f"--policy {text} {again}: it is played once.")
    return replace(order, plan=replace(order.plan, policy=tuple(policies.values())))


def _exit_code(end: BatchEnd | None, summary: Summary) -> int:
    if end is None:
        return 130
    if end.stopped or any(item.lost for item in end.ends):
        return 3
    return 0 if summary.scores.turns_ok == summary.scores.turns_planned else 1


def _plan(wanted: PlanOptions, scenarios: tuple[Scenario, ...], endpoint: Endpoint) -> Plan:
    return Plan(
        scenarios=scenarios,
        thinking=planned_modes(wanted.thinking, endpoint),
        policies=wanted.policy,
        trials=wanted.trials,
        seed=wanted.seed,
        history="golden" if wanted.history == "golden" else "live",
        temperature=wanted.temperature,
        max_tokens=wanted.max_tokens,
    )


def _play_simulated(
    order: Order, scenarios: tuple[Scenario, ...], kept: Kept | None
) -> tuple[BatchEnd | None, Summary]:
    """All cells on the embedded endpoint, each with an engine of its own that knows its scenario alone."""
    endpoint, profile = simulated_endpoint(order.endpoint)
    tell(f"No --base-url: the embedded endpoint answers (profile {profile.name}).")
    plan = _plan(order.plan, scenarios, endpoint)
    cells = expand(plan)
    if kept is None:
        _tell_forecast(order, plan, cells, endpoint)
    else:
        kept.check_endpoint(endpoint)
    with _books(order, endpoint, plan, cells, kept, None) as books:
        desk_of = _desk_maker(order, endpoint, plan, books)
        known = {scenario.name: scenario for scenario in scenarios}

        def simulated_desk(cell: Cell) -> Desk:
            engine = Engine(profile, (known[cell.scenario.name],), LoopClock(), seed=cell.seed)
            return desk_of(SimulatedTransport(engine))

        try:
            end: BatchEnd | None = run_simulated(kept.left(cells) if kept else cells, simulated_desk)
        except KeyboardInterrupt:
            end = None
        return end, books.close(end)


def _play_over_http(
    order: Order, scenarios: tuple[Scenario, ...], kept: Kept | None
) -> tuple[BatchEnd | None, Summary]:
    """All cells against `--base-url`."""
    opened: list[Books] = []
    try:
        return loop_run(_over_http(order, scenarios, kept, opened))
    except KeyboardInterrupt:
        if not opened:
            tell(f"Interrupted before the first conversation: {_left_as_it_was(kept)}")
            raise
        if opened[0].summary is None:
            raise
        return None, opened[0].summary


def _left_as_it_was(kept: Kept | None) -> str:
    if kept is None:
        return "no run was begun, nothing is kept."
    stored = kept.stored
    return f"nothing was added, the run is as it was. {how_to_go_on(str(stored.path), stored.manifest)}"


async def _over_http(
    order: Order, scenarios: tuple[Scenario, ...], kept: Kept | None, opened: list[Books]
) -> tuple[BatchEnd, Summary]:
    asked = order.endpoint
    async with aclosing(http_transport(asked, order.plan.concurrency)) as transport, way_of_asking(asked) as asking:
        endpoint = await http_endpoint(asked, transport)
        tell(_greeting(endpoint))
        if kept is not None:
            kept.check_endpoint(endpoint)
        if asked.raw_text and asked.stream and endpoint.dialect.name == "llamacpp":
            tell("Note: llama.cpp tells what a model wrote of whole replies only: give --no-stream, too.")
        plan, watch = _plan(order.plan, scenarios, endpoint), LoopWatch()
        cells = expand(plan)
        left, desk_of = (kept.left(cells), kept.desk_of) if kept else (cells, _one_desk)
        if kept is None:
            _tell_forecast(order, plan, cells, endpoint)
        small = _small_question(asked, endpoint, plan, transport, asking)
        if asked.preflight and endpoint.recording is None:
            over = kept.turns_over() if kept else frozenset()
            tell_preflight(await _preflight(small, asked.secrets), left, order.plan.concurrency, over)
        with _books(order, endpoint, plan, cells, kept, watch) as books:
            opened.append(books)
            await transport.prepare(order.plan.concurrency, limits(asked))
            desk = _desk_maker(order, endpoint, plan, books, asking)(transport)
            async with watch:
                breaker = Breaker(lambda: _in_doubt(small, books), asked.patience, books.tell)
                end = await run_batch(left, desk_of(desk), order.plan.concurrency, breaker)
            return end, books.close(end)


def _tell_forecast(order: Order, plan: Plan, cells: Sequence[Cell], endpoint: Endpoint) -> None:
    lines = list(forecast(plan, cells, endpoint.family))
    for line in lines:
        tell(line)
    if lines and names_others(order.suites, plan.policies):
        tell("Knobs that fit these scenarios: --policy suite.")


async def _in_doubt(small: Asked, books: Books) -> StepError | None:
    books.small_questions += 1
    return await ping(small)


def _one_desk(desk: Desk) -> Callable[[Cell], Desk]:
    return lambda _: desk


def _small_question(
    options: EndpointOptions, endpoint: Endpoint, plan: Plan, transport: Transport, asking: Chat
) -> Asked:
    """What is asked at the take-off, and when the endpoint seems to be gone."""
    return Asked(
        transport=transport,
        dialect=endpoint.dialect,
        model=endpoint.model,
        thinking=plan.thinking[0],
        family=endpoint.family,
        extra=options.extra_body,
        stream=options.stream,
        chat=asking,
        limits=limits(options),
        retries=_retries(options),
        say=lambda text: tell(options.secrets.text(text)),
    )


def _retries(options: EndpointOptions) -> Retries:
    return Retries(options.retries, options.retry_wait)


async def _preflight(small: Asked, secrets: Secrets) -> Preflight:
    try:
        return await preflight(small)
    except EndpointError as error:  # the server's words may hold the key
        raise EndpointError(secrets.text(str(error))) from None


def _books(
    order: Order, endpoint: Endpoint, plan: Plan, cells: Sequence[Cell], kept: Kept | None, watch: LoopWatch | None
) -> Books:
    if kept is None:
        return Books.begin(order, endpoint, plan, cells, watch)
    left = {cell.id for cell in kept.left(cells)}
    if kept.repeats_a_secret(left):
        tell("Note: replies of this run repeat a secret; its conversations go on with asterisks in its place.")
    return Books.go_on(kept.stored, left, kept.lock, order, watch)


def _desk_maker(
    order: Order, endpoint: Endpoint, plan: Plan, books: Books, asking: Chat = chat
) -> Callable[[Transport], Desk]:
    """Transport → desk; all desks of a run share one accountant, and with it the vocabulary."""
    accountant = Accountant(endpoint.family)
    untimed = UNTIMED if endpoint.recording and not endpoint.recording["timed"] else None

    def desk(transport: Transport) -> Desk:
        return Desk(
            run=books.manifest.run,
            plan=plan,
            transport=transport,
            dialect=endpoint.dialect,
            model=endpoint.model,
            accountant=accountant,
            journal=books.journal,
            simulated=bool(endpoint.facts["simulated"]),
            thinking_switched=endpoint.dialect.switches(endpoint.family),
            extra=order.endpoint.extra_body,
            limits=limits(order.endpoint),
            retries=_retries(order.endpoint),
            chat=asking,
            stream=order.endpoint.stream,
            raw_text=order.endpoint.raw_text,
            family=endpoint.family,
            budget=Budget(endpoint.facts["context_window"]),
            policy=own.policies(allow_code=order.plan.allow_code),
            untimed=untimed,
            isolation=isolation(order.plan, endpoint) if order.endpoint.base_url else None,
        )

    return desk


def _greeting(endpoint: Endpoint) -> str:
    facts = endpoint.facts
    family = endpoint.family or "unknown (tokens are the server's only)"
    window = facts["context_window"]
    return (
        f"Endpoint {facts['base_url']}: model {endpoint.model}, dialect {endpoint.dialect.name} "
        f"({facts['found_by']}), family {family}{f', context window {window:,} tokens' if window else ''}."
    )
