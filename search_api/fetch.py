"""Query by URL: fetch an image from a host on the operator's list, and from nowhere else.

A URL from a client is a way into the network that the service stands in. So: https only, a list
of hosts, no port but 443; the host is resolved once, every address must be public, and the
connection goes to the address that was checked, which leaves nothing to rebind. Each redirect goes
through the same gate.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from search_api.problems import UrlRefused, UrlUnreachable

REDIRECTS: Final = 3
EMBEDDING: Final = tuple(
    ipaddress.ip_network(block)
    for block in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
"""IPv6 blocks whose addresses stand for IPv4 ones (NAT64, 6to4, Teredo)."""

Resolve = Callable[[str], Awaitable[Sequence[str]]]


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, and of nothing else."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and (
        ip.ipv4_mapped or any(ip in block for block in EMBEDDING)
    ):
        return False
    return ip.is_global and not ip.is_multicast


async def resolve(host: str) -> Sequence[str]:
    """Every address of a host. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches images from `hosts`: exact names, or "*.example.org" for those below one."""

    hosts: Sequence[str]
    max_bytes: int
    seconds: float = 10.0
    port: int = 443
    resolve: Resolve = resolve
    allowed: Callable[[str], bool] = is_public
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    async def fetch(self, url: str) -> bytes:
        """The bytes behind a URL. Raises UrlRefused or UrlUnreachable."""
        try:
            async with (
                asyncio.timeout(self.seconds),
                httpx.AsyncClient(
                    verify=self.trust, trust_env=False, timeout=self.seconds
                ) as client,
            ):
                for _ in range(REDIRECTS + 1):
                    found = await self._step(client, url)
                    if isinstance(found, bytes):
                        return found
                    url = urljoin(url, found)
        except (httpx.HTTPError, OSError) as error:  # TimeoutError is one
            raise UrlUnreachable(f"the URL cannot be fetched: {type(error).__name__}") from error
        raise UrlRefused(f"more than {REDIRECTS} redirects")

    async def _step(self, client: httpx.AsyncClient, url: str) -> bytes | str:
        """The body, or where a redirect leads."""
        host, target = self._checked(url)
        addresses = await self.resolve(host)
        if not addresses or not all(map(self.allowed, addresses)):
            raise UrlRefused(f"{host} has an address that is not public")
        pinned = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
        request = client.build_request(
            "GET",
            f"https://{pinned}:{self.port}{target}",
            headers={"Host": host, "Accept": "image/*", "Accept-Encoding": "identity"},
            extensions={"sni_hostname": host},
        )
        response = await client.send(request, stream=True)
        try:
            return await self._body(response)
        finally:
            await response.aclose()

    async def _body(self, response: httpx.Response) -> bytes | str:
        if response.is_redirect:
            return response.headers["location"]
        if response.status_code != 200:
            raise UrlUnreachable(f"the URL was answered with {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise UrlRefused("a compressed answer", expected="the image as it is")
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > self.max_bytes:
                raise UrlRefused(f"more than {self.max_bytes:,} bytes", expected="a smaller image")
        return bytes(data)

    def _checked(self, url: str) -> tuple[str, str]:
        """Host and what to ask of it. Raises UrlRefused before anything is resolved."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            raise UrlRefused("a URL that cannot be read") from None
        if parts.scheme != "https" or port not in (None, 443) or parts.username is not None:
            raise UrlRefused("the URL", expected="https://host/path, without port or user")
        if not any(_matches(host, pattern) for pattern in self.hosts):
            raise UrlRefused(
                f"the host {host[:100]!r} is not on this service's list",
                do="save the image and upload it, or ask the operator",
            )
        return host, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern
