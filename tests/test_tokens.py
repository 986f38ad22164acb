"""The packaged vocabulary, and estimates that learn only from the server."""

from __future__ import annotations

import inspect
import socket
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval import tokens
from agenteval.errors import UsageError
from agenteval.parsers import FAMILIES
from agenteval.tokens import (
    PATTERN,
    UNCALIBRATED_CHARACTERS_PER_TOKEN,
    Calibration,
    TokenCount,
    vocabulary,
)

GLM = FAMILIES["glm47"].special


def server(value: int) -> TokenCount:
    return TokenCount(value, "server")


# --- vocabulary -----------------------------------------------------------------------------------------------


def test_ids_are_those_of_o200k() -> None:
    assert vocabulary().encode("hello world") == [24912, 2375]
    assert vocabulary().encode("") == []


def test_words_are_cut_as_o200k_cuts_them() -> None:
    assert vocabulary().pieces("It's 0123456!\n\n") == [b"It's", b" ", b"012", b"345", b"6", b"!\n\n"]


def test_the_pattern_is_the_published_one() -> None:
    source = inspect.getsource(import_module("tiktoken_ext.openai_public").o200k_base)
    published = [line.strip()[4:-4] for line in source.splitlines() if line.strip().startswith('r"""')]
    assert "|".join(published) == PATTERN


def test_special_strings_are_single_tokens_wherever_they_stand() -> None:
    ids = vocabulary(GLM).encode("a<tool_call>get</tool_call><|user|>")
    assert len(ids) == 5
    assert len({ids[1], ids[3], ids[4]}) == 3
    assert min(ids[1], ids[3], ids[4]) >= 200_000
    assert vocabulary(GLM).pieces("a<tool_call>b") == [b"a", b"<tool_call>", b"b"]


def test_of_overlapping_special_strings_the_longest_counts() -> None:
    assert vocabulary(("<a>", "<a><b>")).pieces("<a><b><a>") == [b"<a><b>", b"<a>"]


@pytest.mark.parametrize("text", ["<|endoftext|>", "<|endofprompt|>", "<|fim_prefix|>", "half \ud83d", " " * 1_100_000])
def test_no_text_is_refused(text: str) -> None:
    assert vocabulary().count(text) == len(vocabulary().pieces(text)) > 0


def test_a_long_blank_costs_at_most_one_token_more_for_each_cut() -> None:
    blank = " " * 250_000
    whole = len(tokens._encoding().encode_ordinary(f"a{blank}b"))
    assert 0 <= vocabulary().count(f"a{blank}b") - whole <= 2


@given(st.text(), st.sampled_from([(), GLM]))
def test_the_pieces_are_the_text(text: str, special: tuple[str, ...]) -> None:
    pieces = vocabulary(special).pieces(text)
    assert b"".join(pieces) == text.encode()
    assert len(pieces) == vocabulary(special).count(text)


def test_a_vocabulary_is_made_once_and_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)
    tokens._encoding.cache_clear()
    vocabulary.cache_clear()
    assert vocabulary(GLM) is vocabulary(GLM)
    assert vocabulary().count("hello world") == 2


def test_a_damaged_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/o200k_base.tiktoken").write_bytes(b"AAAA 0\n")
    monkeypatch.setattr(tokens, "files", lambda _package: tmp_path)
    with pytest.raises(UsageError, match=r"o200k_base\.tiktoken is damaged"):
        tokens._encoding.__wrapped__()


# --- calibration ----------------------------------------------------------------------------------------------


def test_without_evidence_an_estimate_says_what_it_assumes() -> None:
    calibration = Calibration()
    assert calibration.pairs == 0
    assert calibration.units_per_token == UNCALIBRATED_CHARACTERS_PER_TOKEN == 4.0
    assert calibration.estimate(400) == TokenCount(100, "estimate")


def test_evidence_is_weighed_by_its_length() -> None:
    calibration = Calibration().learn(100, server(50)).learn(900, server(150))
    assert calibration.units_per_token == 5.0
    assert calibration.pairs == 2
    assert calibration.estimate(1000) == TokenCount(200, "estimate")


def test_only_the_servers_own_counts_teach() -> None:
    guesses = (TokenCount(10, "tokenizer"), TokenCount(10, "estimate"), server(0))
    assert all(Calibration().learn(100, guess) == Calibration() for guess in guesses)
    assert Calibration().learn(0, server(10)) == Calibration()


def test_sources_are_never_mixed() -> None:
    tokenized = Calibration().learn(100, TokenCount(50, "server_tokenize"))
    counted = tokenized.learn(300, server(100))
    assert (counted.source, counted.pairs, counted.units_per_token) == ("server", 1, 3.0)
    assert counted.learn(100, TokenCount(50, "server_tokenize")) == counted
