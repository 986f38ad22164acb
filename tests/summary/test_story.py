"""What is said of a side in words: its cost beside the baseline's, and no more than was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agenteval.outcome import PrefixBreak, StepRecord, Tokens
from agenteval.summary import sides_of_runs, story, versus
from tests.records import record
from tests.summary.arms import MASK, WRONG, only, ranked, run


def talk(policy: str, *cached: int, breaks: int = 0, reusable: int | None = 90, **changes: Any) -> list[StepRecord]:
    """A turn for each number of cached tokens; the first `breaks` of them break the prefix."""
    broken: list[PrefixBreak | None] = ["policy" if at < breaks else None for at in range(len(cached))]
    return [
        record(
            cell=f"s.off.{policy}.0",
            policy=policy,
            turn=turn,
            tokens=Tokens(
                context=100,
                messages=90,
                tools=10,
                cached=known,
                completion=7,
                reusable=reusable,
                broken_by=broken[turn - 1],
            ),
            policy_report={"acted": policy != "full_history"},
            **changes,
        )
        for turn, known in enumerate(cached, start=1)
    ]


def told(*records: StepRecord) -> str:
    return story(ranked(run(*records, endpoint={"simulated": True})))[1]


@pytest.mark.parametrize(
    ("side", "says", "never"),
    [
        (talk(MASK, 50, 50), "costs nothing in prefix cache (prefill ×1.0)", "breaks the"),
        (talk(MASK, 50, 50, breaks=1), "prefill ×1.0 in all, breaks the prefix cache once", "costs nothing"),
        (talk(MASK, 50, 50, breaks=2), "prefill ×1.0 in all, breaks the prefix cache 2 times", "costs nothing"),
        (talk(MASK, 10, 10, breaks=2), "prefill ×1.8, breaks the prefix cache 2 times", "costs nothing"),
        (talk(MASK, 50, 50, reusable=None), "prefill ×1.0", "prefix cache"),
    ],
)
def test_only_what_breaks_no_prefix_costs_nothing_there(side: list[StepRecord], says: str, never: str) -> None:
    """Shorter prompts hide a break in the ratio; where the template is not known, nothing is known of breaks."""
    text = told(*talk("full_history", 50, 50), *side)
    assert says in text
    assert never not in text


def test_shorter_prompts_are_named_where_they_pay_for_the_breaks() -> None:
    short = [
        replace(step, tokens=Tokens(context=60, cached=10, broken_by="policy")) for step in talk(MASK, 50, 50, breaks=2)
    ]
    assert "prefill ×1.0 in all (shorter prompts), breaks the prefix cache 2 times" in told(
        *talk("full_history", 50, 50), *short
    )


def test_breaks_that_the_baseline_has_too_are_told_beside_its_own() -> None:
    base, new = run(*talk(MASK, 50, 50, 50, breaks=2)), run(*talk(MASK, 50, 50, 50, breaks=3))
    sides = sides_of_runs({"BASE": base, "NEW": new})
    assert "its policy breaks the prefix cache 3 times (BASE: 2)" in story(versus(sides, sides[0], "run"))[1]


@pytest.mark.parametrize(
    ("base", "new", "says"), [(70, 70, None), (70, 90, "20 tokens more"), (90, 70, "20 tokens fewer")]
)
def test_of_summaries_only_the_difference_is_a_cost(base: int, new: int, says: str | None) -> None:
    def played(size: int) -> Any:
        tokens = Tokens(context=size - 20, cached=0, completion=20)
        asked = record(cell="s.off.summarize.0", policy="summarize", purpose="summary", tokens=tokens)
        return run(*talk("summarize", 50), asked)

    sides = sides_of_runs({"BASE": played(base), "NEW": played(new)})
    text = story(versus(sides, sides[0], "run"))[1]
    assert f"{says} for summaries" in text if says else "summaries" not in text


def after(turn: int, *records: StepRecord, steps: int = 2) -> list[StepRecord]:
    """The same conversation with a turn that takes several steps."""
    more = [
        replace(step, id=f"{step.id}.{at}", step=at)
        for step in records
        if step.turn == turn
        for at in range(2, steps + 1)
    ]
    last = [replace(step, last_of_turn=step.turn != turn) for step in records]
    return [*last, *(replace(step, last_of_turn=step.step == steps) for step in more)]


def test_calls_that_a_failing_baseline_never_made_are_no_cost_of_what_fixes_it() -> None:
    base = talk("full_history", 50, 50)
    failed = [replace(base[0], findings=WRONG, ok=False), base[1]]
    mended = after(1, *talk(MASK, 50, 50), steps=4)
    fixed = ranked(run(*failed, *mended))
    assert only(fixed).extra_steps == 0
    assert "more step" not in story(fixed)[1]
    (note,) = (note for note in fixed.notes if "never came to make" in note)
    assert "prefill and output" in note
    longer = ranked(run(*base, *mended))
    assert only(longer).extra_steps == 3
    assert "3 more steps in turns that are right in both" in story(longer)[1]
    assert not any("never came to make" in note for note in longer.notes), "nothing was fixed or broken"


def broken(who: PrefixBreak, steps: list[StepRecord], times: int) -> list[StepRecord]:
    """With the prefix broken by someone at the first turns."""
    return [replace(step, tokens=replace(step.tokens, broken_by=who if step.turn <= times else None)) for step in steps]


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("policy", "its policy breaks the prefix cache"),
        ("template", "the chat template breaks the prefix cache"),
        ("history", "golden history breaks the prefix cache"),
    ],
)
@pytest.mark.parametrize(("base", "new", "times"), [(0, 1, " once"), (1, 3, " 3 times (BASE: 1)"), (2, 2, None)])
def test_who_breaks_the_prefix_cache_is_named(
    who: PrefixBreak, said: str, base: int, new: int, times: str | None
) -> None:
    """What the baseline has as often is no cost beside it."""
    sides = sides_of_runs(
        {name: run(*broken(who, talk(MASK, 50, 50, 50), count)) for name, count in (("BASE", base), ("NEW", new))}
    )
    text = story(versus(sides, sides[0], "run"))[1]
    assert (f"{said}{times}" in text) if times else ("breaks the" not in text)
    assert ("costs nothing" in text) == (times is None)


def test_of_two_that_break_it_each_is_named() -> None:
    side = [*broken("template", talk(MASK, 10, 10, 10), 2)[:2], *broken("policy", talk(MASK, 10, 10, 10), 3)[2:]]
    text = told(*talk("full_history", 50, 50, 50), *side)
    assert "breaks the prefix cache once, the chat template breaks the prefix cache 2 times" in text


def test_a_server_that_forgets_is_named() -> None:
    def sent(*cached: int) -> list[StepRecord]:
        big = talk(MASK, *cached, reusable=4000)
        return [replace(step, tokens=replace(step.tokens, context=5000)) for step in big]

    sides = sides_of_runs({"BASE": run(*sent(0, 4000, 4000)), "NEW": run(*sent(0, 4000, 16))})
    text = story(versus(sides, sides[0], "run"))[1]
    assert "the server forgot a cached prefix once" in text
