"""The page for investigators: the files of `search_api/page`, served as they are.

They need no key, hold no data and load nothing from elsewhere; whatever the page shows, it asks
of the other routes as any client does.
"""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FILES = Path(__file__).parents[1] / "page"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""No inline code or style, nothing from elsewhere, no frame, and no text that becomes markup."""

REVALIDATED = {"Cache-Control": "no-cache"}

router = APIRouter()


@router.get("/", include_in_schema=False)
def page() -> FileResponse:
    """The page itself."""
    headers = REVALIDATED | {"Content-Security-Policy": POLICY}
    return FileResponse(FILES / "index.html", headers=headers)


class Assets(StaticFiles):
    """What the page loads; the browser asks each time whether its copy is still the current one."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, 304, or an HTTPException."""
        response = await super().get_response(path, scope)
        response.headers.update(REVALIDATED)
        return response


assets = Assets(directory=FILES)
