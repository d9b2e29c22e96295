"""Other sites' pages, which a browser on this machine may have open.

A service on loopback needs no key, since only this machine reaches it. But so does every page in
a browser there: it can send forms to it, or have a name of its own point at it (DNS rebinding)
and read the answers.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from search_api.problems import CrossSite, respond


class Origins:
    """ASGI middleware: refuses what another site's page has a browser ask, but for a link that
    somebody follows; browsers tell (W3C Fetch Metadata).

    While `host`, where the service listens, is this machine only and no key is needed, the name
    that is asked must be one of this machine, too.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app, self.local = app, is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refused := self._fault(scope)):
            await respond(refused)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _fault(self, scope: Scope) -> CrossSite | None:
        headers = Headers(scope=scope)
        site, mode = (headers.get(f"sec-fetch-{name}") for name in ("site", "mode"))
        follows_link = mode == "navigate" and scope["method"] == "GET"
        if site in ("cross-site", "same-site") and not follows_link:
            return CrossSite("a request from another site's page", expected="this site's own page")
        name = _name(headers.get("host", ""))
        if self.local and not is_loopback(name) and not scope["app"].state.service.keyring.required:
            return CrossSite(
                f"the host {name[:100]!r}",
                expected="localhost or 127.0.0.1, where no key is needed",
                do="make a key with search-api keys add, or have the proxy send Host: localhost",
            )
        return None


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine, without asking anybody."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(host: str) -> str:
    """A Host header without the port; "" where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
