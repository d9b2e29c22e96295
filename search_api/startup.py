"""A start that fails for a known reason is told in one line, and one that leaves the door open
says so."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.errors import LineupError
from indexer.index import Index
from search_api.origins import is_loopback
from search_api.settings import Settings


class Startup:
    """ASGI wrapper, around the whole application: `failure` is what ended its start."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.failure: LineupError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def without_traceback(message: Message) -> None:
            if message["type"] != "lifespan.startup.failed":  # what is raised says it better
                await send(message)

        try:
            await self.app(scope, receive, without_traceback)
        except LineupError as error:
            self.failure = error
            await send({"type": "lifespan.startup.failed"})


def open_door(settings: Settings, index: Index) -> str | None:
    """The warning of a service that others can reach and that asks nobody for a key."""
    if settings.auth == "required" or is_loopback(settings.host) or index.store.api_keys():
        return None
    return (
        f"warning: whoever reaches {settings.host}:{settings.port} may search, add, label and "
        "remove images, since there is no key; expected a key where others than this machine "
        f"listen; make one with: search-api keys add NAME --index {settings.index}, "
        "or start with --auth required"
    )
