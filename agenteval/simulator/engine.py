"""The simulated engine: request in, timed bytes out.

It speaks through the real path: prompt text, tokens, prefix cache, raw model text in the family's format, bursts of
tokens, the family's parser, SSE. Time is slept on the clock that is handed in, by an absolute schedule, so that our
own CPU does not add to it. Equal seeds and equal requests in equal order give equal bytes.

Not covered: batching and queueing. Every stream runs at single-stream pace, however many there are.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import Any

from agenteval.canonical import seed_of, short_hash
from agenteval.clock import NS_PER_S, Clock
from agenteval.messages import Message
from agenteval.parsers import FAMILIES, CallDelta, Delta
from agenteval.prompts import FORMATS
from agenteval.simulator.ailments import Effect, Symptoms, effect_on
from agenteval.simulator.cache import PrefixCache, salted
from agenteval.simulator.chunks import DONE, EPOCH, Ending, Speaker, Usage
from agenteval.simulator.generation import Prefilled, Step, generate
from agenteval.simulator.library import Library
from agenteval.simulator.model import ScriptedModel
from agenteval.simulator.profiles import Profile
from agenteval.simulator.request import Received, Refusal, read_request
from agenteval.simulator.speech import Speech, Voice
from agenteval.simulator.thread import Prompt, Thread, Threads
from agenteval.tokens import vocabulary


@dataclass(frozen=True, slots=True)
class Job:
    """An admitted request: what will be said, and all that is random about it."""

    received: Received
    prompt: Prompt
    cached: int
    speech: Speech
    speaker: Speaker
    rng: Random
    admitted_at: int

    def usage(self, tokens: int) -> Usage:
        """The counts after so many generated tokens."""
        return Usage(self.prompt.tokens, tokens, self.cached, min(tokens, self.speech.thought))

    def told(self, start: int, end: int | None = None) -> Sequence[bytes] | None:
        """The tokens of which logprobs are told; None if nobody asked."""
        return self.speech.pieces[start:end] if self.received.logprobs else None

    def ending(self, *, called: bool) -> Ending:
        if self.speech.stop is None:
            return Ending("length", None)
        return Ending("tool_calls" if called else "stop", self.speech.stop)


class Engine:
    """One deployment: a profile, the scenarios that its model knows, a clock and a seed; and its prefix cache."""

    def __init__(self, profile: Profile, library: Library, clock: Clock, *, seed: int = 0) -> None:
        self.profile = profile
        self.clock = clock
        self._family = FAMILIES[profile.family]
        self._model = ScriptedModel(library)
        self._voice = Voice(profile)
        self._threads = Threads(FORMATS[profile.family], vocabulary(self._family.special))
        self._cache = PrefixCache(profile.cache_tokens)
        self._seed = seed
        self._number = 0

    def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """The SSE frames of the reply to a chat completion request, each when it is due. Raises Refusal at once."""
        return self.frames(self.admit(body))

    def admit(self, body: Mapping[str, Any]) -> Job:
        """Check a request and decide all of the reply but its timing. Raises Refusal."""
        return self._admitted(read_request(body), self._threads.new())

    def admit_bytes(self, body: bytes) -> Job:
        """The same for a body as it comes; of one that goes on with an earlier one only what is new costs time."""
        return self._admitted(*self._threads.read(body))

    def _admitted(self, received: Received, thread: Thread) -> Job:
        received = self._voice.heed(received)
        if received.model not in (None, self.profile.model):
            raise Refusal(404, f"the model {received.model!r} does not exist", "model")
        prompt = thread.prompt(
            received.messages,
            received.tools,
            thinking=received.thinking,
            keep_reasoning=received.keep_reasoning,
        )
        room = self._room(received, prompt.tokens)
        speech = self._voice.speak(self._reply(received, prompt.tokens, thread), received, room)
        self._number += 1
        now = self.clock.now()
        name = short_hash(["reply", self._seed, self._number], 32)
        return Job(
            received=received,
            prompt=prompt,
            cached=self._cache.matched(salted(prompt.marks, received.salt), prompt.tokens),
            speech=speech,
            speaker=Speaker(name, EPOCH + now // NS_PER_S, self.profile.model),
            rng=Random(seed_of("engine", self._seed, self._number)),
            admitted_at=now,
        )

    async def frames(self, job: Job) -> AsyncGenerator[bytes, None]:
        """The reply as SSE frames. Closing the iterator early stops the generation."""
        tokens, told, called = 0, 0, False
        async with aclosing(self._run(job)) as steps:
            async for step in steps:
                if tokens == 0:
                    yield job.speaker.role()
                tokens = step.tokens
                called = called or _calls(step)
                for frame in _step_frames(job, step, told):
                    told = tokens
                    yield frame
        yield job.speaker.finish(job.ending(called=called), job.told(told))
        if job.received.counted:
            yield job.speaker.usage(job.usage(tokens))
        yield DONE

    async def whole(self, job: Job) -> AsyncGenerator[bytes, None]:
        """The reply as one JSON body, when its last token is due."""
        deltas: list[Delta] = []
        tokens, called = 0, False
        async with aclosing(self._run(job)) as steps:
            async for step in steps:
                deltas += step.deltas
                tokens = step.tokens
                called = called or _calls(step)
        yield job.speaker.whole(deltas, job.ending(called=called), job.usage(tokens), job.told(0))

    async def _run(self, job: Job) -> AsyncGenerator[Step, None]:
        """The engine's steps, each when it is due; what was computed stays in the prefix cache, also after a cut."""
        tokens = 0
        try:
            for step in self._steps(job):
                elapsed = (self.clock.now() - job.admitted_at) / NS_PER_S
                await self.clock.sleep(max(0.0, step.at - elapsed))
                if not tokens:
                    self._cache.remember(salted(job.prompt.marks, job.received.salt))
                tokens = step.tokens
                yield step
        finally:
            if tokens:
                marks = job.prompt.followed_by(job.speech.ids[: tokens - 1])
                self._cache.remember(salted(marks, job.received.salt))

    def _steps(self, job: Job) -> Iterator[Step]:
        parser = self._family.parser(job.received.tools, job.received.thinking)
        start = Prefilled(job.prompt.tokens, job.cached)
        return generate(job.speech, parser, self.profile.pace(), start, job.rng)

    def _reply(self, received: Received, prompt_tokens: int, thread: Thread) -> Message:
        ailments = self.profile.ailments

        def effect(stale: int) -> Effect | None:
            return effect_on(Symptoms(prompt_tokens, received.messages, received.thinking, stale), ailments)

        return self._model.reply(received, effect, lambda: thread.text(received.messages))

    def _room(self, received: Received, prompt_tokens: int) -> int:
        """The most tokens that may be generated."""
        limit = self.profile.max_model_len
        wanted = received.max_tokens or 1
        if prompt_tokens + wanted > limit:
            raise Refusal(
                400,
                f"the prompt has {prompt_tokens} tokens and up to {wanted} were asked for, together more than the "
                f"model's context length of {limit}",
                "messages",
            )
        return received.max_tokens or limit - prompt_tokens


def _calls(step: Step) -> bool:
    return any(isinstance(delta, CallDelta) for delta in step.deltas)


def _step_frames(job: Job, step: Step, told: int) -> Iterator[bytes]:
    """The first one tells the logprobs of all tokens behind the `told` ones."""
    usage = job.usage(step.tokens) if job.received.running else None
    tokens = job.told(told, step.tokens)
    for number, delta in enumerate(step.deltas):
        yield job.speaker.delta(delta, usage, None if number else tokens)
    if not step.deltas and (usage is not None or tokens):
        yield job.speaker.delta(None, usage, tokens)
