"""The application: settings in, ASGI app out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser

from indexer import __version__
from search_api import access, problems
from search_api.headers import SecurityHeaders
from search_api.limits import BodyLimit, RequestLimit
from search_api.observe import Observed
from search_api.origins import Origins
from search_api.routes import (
    batch,
    decisions,
    families,
    gallery_map,
    health,
    images,
    ingest,
    labels,
    maps,
    metrics,
    page,
    reports,
    search,
)
from search_api.service import open_service
from search_api.settings import Settings

REFUSALS = (
    problems.Unauthenticated("no key", expected="the header Authorization: Bearer lineup_..."),
    problems.Forbidden("the key desk has the scopes read", expected="ingest"),
    problems.CrossSite("a request from another site's page", expected="this site's own page"),
    problems.TooManyRequests("more than 100 requests a second with this key", {}),
    HTTPException(408, "a request body that was not there within 60 s"),
    problems.Overloaded("64 requests are in work", do="try again later"),
)
"""What any route that needs a scope may answer."""


def create_app(settings: Settings) -> FastAPI:
    """The service over one index; everything is opened when the app starts, not before."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_service(settings) as app.state.service:
            yield

    app = FastAPI(
        title="Lineup",
        summary="Have we seen this kind of fake before, and what else came from the same hand?",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # both pages load scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(app)
    gallery = (
        search,
        batch,
        maps,
        reports,
        images,
        ingest,
        labels,
        families,
        decisions,
        gallery_map,
    )
    for routes in (*gallery, health, metrics, page):
        app.include_router(routes.router)
    app.mount("/assets", page.assets)
    MultiPartParser.spool_max_size = settings.max_upload_bytes  # beyond it, a file is made
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_upload_bytes,
        max_memory=settings.max_body_memory,
        seconds=settings.body_timeout,
    )
    app.add_middleware(access.Access)
    app.add_middleware(Origins, host=settings.host)
    app.add_middleware(RequestLimit, max_requests=settings.max_requests)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Observed)
    document = app.openapi()
    document["components"]["schemas"].update(problems.components())
    access.describe(document, problems.documented(*REFUSALS))
    return app
