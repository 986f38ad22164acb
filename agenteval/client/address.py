"""Base URLs as people write them: `http://localhost:8000`, `…/v1/`, `…/v1/chat/completions`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from agenteval.errors import UsageError

_EXAMPLE = "for example http://localhost:8000/v1"
_VERSION = re.compile(r"/v\d+[a-z0-9]*$")
_ENDPOINT = re.compile(r"(/chat)?/completions$|/models$")


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go. `api` is the path of the API's root (`/v1`), `root` is it without its last part."""

    host: str
    port: int
    tls: bool
    api: str

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.authority}{self.api}"

    @property
    def root(self) -> str:
        return self.api.rpartition("/")[0]

    @property
    def authority(self) -> str:
        """host:port as in a Host header; the port is left out where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @property
    def where(self) -> str:
        """host:port for sentences."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def target(self, path: str) -> str:
        """The request target of a path on the server's root; `/v1/…` means the API's root of any version."""
        return self.api + path.removeprefix("/v1") if path.startswith("/v1/") else self.root + path


def normalise_base_url(text: str) -> str:
    """The URL of the API's root, ending in `/v1` (or the version that was given), without a slash at its end.

    Raises UsageError with a sentence that says what is wrong and shows an example.
    """
    return address_of(text).url


def address_of(text: str) -> Address:
    """The parts of a base URL. Raises UsageError as `normalise_base_url` does."""
    url = text.strip()
    if re.search(r"[\x00-\x20\x7f]", url):  # urlsplit would drop some of these in silence
        raise _mistake(text, "holds blanks or control characters")
    if "://" not in url:
        raise _mistake(text, "does not begin with http:// or https://")
    try:
        parts = urlsplit(url)
        host, port = _ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        raise _mistake(text, "has a host or port that cannot be read") from None
    problem = _problem(parts, host)
    if problem:
        raise _mistake(text, problem)
    tls = parts.scheme == "https"
    return Address(host, (443 if tls else 80) if port is None else port, tls, _api_path(parts.path))


def _mistake(text: str, problem: str) -> UsageError:
    """The sentence for a base URL; what may be a password in it is not repeated."""
    return UsageError(f"the base URL {re.sub('[^/]*@', '…@', text)!r} {problem}; {_EXAMPLE}")


def _ascii_host(host: str) -> str:
    """Raises ValueError for a name that cannot be resolved (empty or too long labels)."""
    encoded = host.encode("idna").decode()
    return host if host.isascii() else encoded


def _problem(parts: SplitResult, host: str) -> str | None:
    if parts.scheme not in ("http", "https"):
        return f"has the scheme {parts.scheme!r}; only http and https are spoken"
    if parts.username or parts.password:
        return "holds credentials; give the key with --api-key instead"
    if not host:
        return "names no host"
    if parts.port == 0:
        return "names port 0"
    if parts.query or parts.fragment:
        return "has a query or a fragment; only scheme, host, port and path are used"
    return None if parts.path.isascii() else "has a path with characters beyond ASCII"


def api_root(path: str) -> str:
    """A path without the endpoint at its end, and without a slash there."""
    return _ENDPOINT.sub("", path.rstrip("/")).rstrip("/")


def _api_path(path: str) -> str:
    path = api_root(path)
    return path if _VERSION.search(path) else path + "/v1"
