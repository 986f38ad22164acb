"""The one border where socket, TLS and HTTP trouble becomes a `Fault`: a sentence that a person can act
on."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from agenteval.client.address import Address, address_of, api_root
from agenteval.errors import UsageError
from agenteval.visible import on_one_line
from agenteval.wire import Fault, FaultKind, Limits

MAX_QUOTED = 500

_SECRET_TEXT = re.compile(r"\b(Bearer\s+|sk-)[\w.~+/=-]{6,}")


def quoted(text: str) -> str:
    """A server's words inside a sentence of ours: on one line, not long, without control characters.

    What looks like a key is masked, since some servers repeat the one that they refuse. Frames are a
    recording: there only the secrets that are known are masked.
    """
    return on_one_line(_SECRET_TEXT.sub(r"\1…", text[:20_000]))[:MAX_QUOTED]


def connect_fault(error: OSError, address: Address, limits: Limits) -> Fault:
    """Why no connection could be opened."""
    where = address.where
    if isinstance(error, socket.gaierror):
        name = address.host
        return Fault("dns", f"the name {name!r} does not resolve ({error.strerror}); is it spelled right?")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Fault("tls", f"the certificate of {where} is not trusted: {error.verify_message}; --insecure accepts it")
    if isinstance(error, ssl.SSLError):
        return Fault("tls", f"no TLS with {where} ({error.reason or error}); does it speak plain http://?")
    if isinstance(error, ConnectionRefusedError):
        return Fault("refused", f"nothing listens on {where}; is the server running, and is this its port?")
    if isinstance(error, TimeoutError):
        kind, hint = ("TLS connection", " (does it speak plain http://?)") if address.tls else ("connection", "")
        said = f"{where} accepted no {kind} within {limits.connect_s:g} s{hint}"
        return Fault("timeout_connect", f"{said}; {TIMEOUT_OPTIONS['timeout_connect']} allows more")
    if address.tls and isinstance(error, ConnectionError):
        return Fault("tls", f"{where} broke off during the TLS handshake; does it speak plain http://?")
    return Fault("connect", f"no connection to {where}: {error.strerror or error}")


def closed_fault(error: Exception | None, where: str, body_bytes: int, *, answered: bool) -> Fault:
    """Why a reply is not complete: the connection ended inside it."""
    kind: FaultKind = "cut" if error is None else "reset"
    how = "closed the connection" if error is None else f"broke the connection ({error})"
    when = f"after {body_bytes} bytes of the reply's body" if answered else "without an answer"
    return Fault(kind, f"{where} {how} {when}")


TIMEOUT_OPTIONS: Mapping[FaultKind, str] = {
    "timeout_connect": "--timeout-connect",
    "timeout_first_frame": "--timeout",
    "timeout_between": "--timeout-between",
    "timeout_total": "--timeout-total",
}
"""Kind → the option that allows more time."""


def timeout_fault(kind: FaultKind, where: str, limits: Limits, came: str = "nothing of a reply") -> Fault:
    """Which limit was passed, and the option for it. `came`: what there was before the first frame."""
    sentences: dict[FaultKind, str] = {
        "timeout_first_frame": f"{where} sent {came} within {limits.first_frame_s:g} s",
        "timeout_between": f"{where} fell silent for {limits.between_s:g} s inside its reply",
        "timeout_total": f"the reply of {where} took longer than {limits.total_s:g} s",
    }
    more = f"; {TIMEOUT_OPTIONS[kind]} allows more" if limits.own else ""
    return Fault(kind, sentences[kind] + more)


def redirect_fault(status: int, location: str, asked: Address) -> Fault:
    """Redirects are not followed: a measured request has one address. Credentials and query of the new one are not
    repeated."""
    said = f"{asked.where} redirects ({status})"
    try:
        new = urlsplit(urljoin(f"{asked.url}/", location))
    except ValueError:
        return Fault("protocol", f"{said} to an address that cannot be read; give the right base URL")
    if new.scheme not in ("http", "https"):
        return Fault("protocol", f"{said} to an address that is not of HTTP; give the right base URL")
    root = f"{new.scheme}://{new.netloc.rpartition('@')[2]}"
    shown, base = quoted(root + new.path), quoted(root + api_root(new.path))
    if _is(root + new.path, asked):
        advice = "that is the same base URL; let the server answer there without a redirect"
    else:
        advice = f"give {'that address' if base == shown else base} as the base URL"
    return Fault("protocol", f"{said} to {shown}; {advice}")


def _is(url: str, address: Address) -> bool:
    try:
        return address_of(url) == address
    except UsageError:
        return False
