"""TLS: whom the transport trusts, and what it says when it does not."""

from __future__ import annotations

import asyncio

import pytest

from agenteval.client import HttpTransport
from tests.client.http.talking import POST, fault_of, run, talk
from tests.client.server import FAST, LOCALHOST_PEM, Answer, Server, Sink, chunked, sized


def test_tls_to_a_certificate_that_is_not_trusted_is_a_fault() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        fault = fault_of(await transport.exchange(POST, Sink(), FAST))
        assert fault.kind == "tls"
        assert "is not trusted: self-signed certificate" in fault.detail

    talk(scenario, [Answer((sized(b"a"),))], tls=True, url="https://127.0.0.1:0/v1")


def test_tls_without_verification() -> None:
    async def scenario(transport: HttpTransport, server: Server) -> None:
        sinks = [Sink(), Sink()]
        exchanges = [await transport.exchange(POST, sink, FAST) for sink in sinks]
        assert [exchange.fault for exchange in exchanges] == [None, None]
        assert [sink.body for sink in sinks] == [b"a", b"bc"]
        assert server.connections == 1

    answers = [Answer((sized(b"a"),)), Answer(chunked(b"b", b"c"))]
    talk(scenario, answers, tls=True, url="https://127.0.0.1:0/v1", verify_tls=False)


def test_tls_to_a_certificate_that_the_system_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(LOCALHOST_PEM))

    async def scenario(transport: HttpTransport, server: Server) -> None:
        assert (await transport.exchange(POST, Sink(), FAST)).fault is None

    talk(scenario, [Answer((sized(b"a"),))], tls=True, url="https://localhost:0/v1")


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_tls_to_a_server_without_tls_is_a_fault_that_says_so(greeting: bytes) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(greeting)
        writer.close()

    async def main() -> None:
        listener = await asyncio.start_server(plain, "127.0.0.1", 0)
        transport = HttpTransport(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        fault = fault_of(await transport.exchange(POST, Sink(), FAST))
        assert fault.kind == "tls"
        assert "does it speak plain http://?" in fault.detail
        listener.close()

    run(main())
