"""A signed evidence report about an uploaded image."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from indexer.custody.signing import SigningKey
from indexer.errors import NotFound
from indexer.evidence import Asked, default_key, make_report
from search_api.access import CallerOf
from search_api.asking import FORM, MAX_FIELD_BYTES, Upload, form_schema, media_type
from search_api.looking import Remote
from search_api.problems import UnsupportedMediaType, documented
from search_api.routes.search import UPLOAD_ERRORS
from search_api.service import ServiceOf

router = APIRouter(prefix="/v1", tags=["reports"])


class ReportQuery(Upload):
    """A search whose answer is wanted as a report."""

    note: str = Field("", max_length=10_000, description="What the analyst has to say; signed too.")


class Zip(Response):
    """A signed package."""

    media_type = "application/zip"


PROBLEMS = documented(
    NotFound("no generation 9 in the index"),
    UnsupportedMediaType("a body of type text/plain", expected=FORM),
    *UPLOAD_ERRORS,
)


@router.post(
    "/reports",
    response_class=Zip,
    responses=PROBLEMS,
    openapi_extra={
        "requestBody": {"required": True, "content": {FORM: {"schema": form_schema(ReportQuery)}}}
    },
)
async def report(request: Request, service: ServiceOf, caller: CallerOf) -> Zip:
    """Search with an uploaded image and answer with a signed evidence report, a ZIP file.

    It holds report.html to read and print, report.json, the image, thumbnails of its hits, maps
    of what matched and of what speaks for fake, and the calibration; `indexer report verify`
    checks it. The service does not keep it; the audit chain has its sha256.
    """
    kind = media_type(request)
    if kind != FORM:
        raise UnsupportedMediaType(f"a body of type {kind or 'unknown'}", expected=FORM)
    async with request.form(max_files=1, max_fields=10, max_part_size=MAX_FIELD_BYTES) as form:
        asked = ReportQuery.of(form)
        where = asked.filter()
        name, data = asked.image.filename or "", await asked.image.read()
    encoded = await service.encode_query(data, caller.name, thumbnail=True)
    looker = Remote(service, data, encoded)
    wanted = Asked(data, name, asked.k, where, asked.generation, asked.risk)
    key = SigningKey.load_or_make(service.settings.signing_key or default_key())
    package = await run_in_threadpool(
        make_report, service.index, wanted, looker, key, note=asked.note, author=caller.name
    )
    disposition = f'attachment; filename="report-{encoded.facts.sha256[:12]}.zip"'
    return Zip(package, headers={"Content-Disposition": disposition})
