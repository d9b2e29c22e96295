"""What is told of every request: an id, a line in the log, counts for Prometheus.

Never a body, a file name, a filter or a query string: who may read the log need not learn what
was asked.
"""

import logging
import re
import time
from typing import Final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api import metrics
from search_api.access import RULES

REQUEST_ID: Final = "X-Request-Id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = logging.getLogger(__name__)


class Observed:
    """ASGI middleware, the outermost: sees every answer, also the refusals of the others."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _ACCEPTED.fullmatch(given) else uuid4().hex

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            self._tell(scope, request_id, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        rule = RULES.find(scope["method"], scope["path"])
        method, route = (scope["method"], rule[0]) if rule else ("other", "other")
        metrics.REQUESTS.labels(method, route, str(status)).inc()
        metrics.SECONDS.labels(route).observe(seconds)
        caller, client = scope.get("caller"), scope.get("client")
        facts = {
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "key": caller.name if caller else None,
            "client": client[0] if client else None,
        }
        log.info("request", extra={"facts": facts})
