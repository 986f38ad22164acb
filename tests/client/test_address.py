"""Base URLs as people write them."""

from __future__ import annotations

import pytest

from agenteval.client import normalise_base_url
from agenteval.client.address import address_of
from agenteval.errors import UsageError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:8000/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        (" http://localhost:8000/v1// ", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/models", "http://localhost:8000/v1"),
        ("HTTP://LocalHost:8000", "http://localhost:8000/v1"),
        ("http://box/llm", "http://box/llm/v1"),
        ("https://box/llm/v1", "https://box/llm/v1"),
        ("https://api.example/api/paas/v4", "https://api.example/api/paas/v4"),
        ("http://box:80/v1", "http://box/v1"),
        ("https://box:443", "https://box/v1"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
        ("http://bücher.example", "http://xn--bcher-kva.example/v1"),
    ],
)
def test_a_base_url_is_completed(text: str, url: str) -> None:
    assert normalise_base_url(text) == url
    assert normalise_base_url(url) == url


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "does not begin with http:// or https://"),
        ("localhost:8000", "does not begin with http:// or https://"),
        ("ftp://box", "has the scheme 'ftp'"),
        ("http://", "names no host"),
        ("http://:8000", "names no host"),
        ("http://box:port", "has a host or port that cannot be read"),
        ("http://box:70000", "has a host or port that cannot be read"),
        ("http://box:0", "names port 0"),
        ("http://[::1", "has a host or port that cannot be read"),
        ("http://a..b", "has a host or port that cannot be read"),
        ("http://box/v1?key=1", "has a query or a fragment"),
        ("http://box/v1#x", "has a query or a fragment"),
        ("http://box/my path", "holds blanks"),
        ("http://box\r\nx: y", "holds blanks"),
        ("http://box/pfad/ä", "has a path with characters beyond ASCII"),
        ("http://me:secret@box", "holds credentials"),
        ("me:secret@box", "does not begin with http:// or https://"),
        ("http://me:secret@box:port", "cannot be read"),
    ],
)
def test_junk_is_refused_with_a_sentence_and_an_example(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match="http://localhost:8000/v1") as caught:
        normalise_base_url(text)
    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)


def test_paths_stand_on_the_servers_root_and_v1_is_the_apis_own() -> None:
    plain, versioned = address_of("http://box:1"), address_of("http://box:1/api/paas/v4")
    assert plain.target("/v1/models") == "/v1/models"
    assert plain.target("/version") == "/version"
    assert versioned.target("/v1/chat/completions") == "/api/paas/v4/chat/completions"
    assert versioned.target("/version") == "/api/paas/version"
