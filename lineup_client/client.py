"""Every operation of the service, each a method of its name."""

import json
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, Self, Unpack, overload

import httpx
from pydantic import TypeAdapter

from lineup_client.answers import (
    Answer,
    BatchLine,
    ImageAnswer,
    Ingested,
    Labelled,
    Live,
    MapsAnswer,
    Ready,
    RegionAnswer,
    Removed,
)
from lineup_client.asking import Box, Image, Label, Options, Order, given, named_bytes, upload
from lineup_client.families import (
    DecisionAnswer,
    DecisionsAnswer,
    FamiliesAnswer,
    FamilyAnswer,
    MapAnswer,
    MembersAnswer,
)
from lineup_client.transport import Body, Transport

LINE = TypeAdapter(BatchLine)


class Client:
    """A service at `url`, asked with `key` where it needs one.

    Every method raises ProblemError when the service refuses, with its reason, and
    httpx.TransportError when it cannot be reached. Safe to use from several threads.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: str | None = None,
        *,
        timeout: float = 90.0,
        patience: float = 30.0,
    ) -> None:
        """`timeout`: seconds without a byte after which a request fails; `patience`: seconds for
        which a busy service is asked again, when it says."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        http = httpx.Client(base_url=url, headers=headers, timeout=timeout)
        self._service = Transport(http, patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._service.http.close()

    # -- search

    @overload
    def search(
        self,
        image: Image | None = None,
        *,
        id: str | None = None,
        url: str | None = None,
        region: None = None,
        rerank: bool | None = None,
        **options: Unpack[Options],
    ) -> Answer: ...
    @overload
    def search(
        self,
        image: Image | None = None,
        *,
        id: str | None = None,
        url: str | None = None,
        region: Box,
        **options: Unpack[Options],
    ) -> RegionAnswer: ...
    def search(
        self,
        image: Image | None = None,
        *,
        id: str | None = None,  # noqa: A002 as the service calls it
        url: str | None = None,
        region: Box | None = None,
        rerank: bool | None = None,
        **options: Unpack[Options],
    ) -> Answer | RegionAnswer:
        """The known images most like an image, an indexed one (`id`, its sha256) or the one
        behind a `url`; with `region`, those that show that part of it; with `rerank`, first
        those that show the same."""
        named = given(id=id, url=url, rerank=rerank, **options)
        if region is None:
            return self._service.ask(Answer, "POST", "/v1/search", **upload(image, named))
        named["region"] = ",".join(map(str, region))
        return self._service.ask(RegionAnswer, "POST", "/v1/search", **upload(image, named))

    def batch(
        self,
        images: Iterable[Image] = (),
        *,
        ids: Iterable[str] = (),
        rerank: bool | None = None,
        **options: Unpack[Options],
    ) -> Iterator[BatchLine]:
        """Search with several images, or several indexed ones; each outcome comes as it is
        done, in order."""
        files = [("image", named_bytes(image)) for image in images]
        asked = given(rerank=rerank, **options)
        body: Body = {"json": {"ids": list(ids), **asked}}
        if files:
            body = {"files": files, "data": asked}
        with self._service.open("POST", "/v1/search:batch", **body) as response:
            for line in response.iter_lines():
                yield LINE.validate_json(line)

    def report(self, image: Image, *, note: str = "", **options: Unpack[Options]) -> bytes:
        """Search with an image; the answer as a signed evidence report, a ZIP file."""
        body = upload(image, {"note": note, **options})
        return self._service.read("POST", "/v1/reports", **body)

    def explain(
        self, image: Image, *, hit: str | None = None, generation: int | None = None
    ) -> MapsAnswer:
        """A picture of what matched in an image and an indexed `hit`, by its sha256; without one,
        of what speaks for fake."""
        body = upload(image, given(hit=hit, generation=generation))
        return self._service.ask(MapsAnswer, "POST", "/v1/maps", **body)

    def match(self, sha256: str, hit: str, *, generation: int | None = None) -> MapsAnswer:
        """A picture of what matched in two indexed images."""
        params = given(hit=hit, generation=generation)
        return self._service.ask(MapsAnswer, "GET", f"/v1/images/{sha256}/maps", params=params)

    # -- images

    def image(self, sha256: str, *, generation: int | None = None) -> ImageAnswer:
        """What is known of an indexed image."""
        params = given(generation=generation)
        return self._service.ask(ImageAnswer, "GET", f"/v1/images/{sha256}", params=params)

    def thumbnail(self, sha256: str, *, generation: int | None = None) -> bytes:
        """A small picture of an indexed image, WebP."""
        params = given(generation=generation)
        return self._service.read("GET", f"/v1/images/{sha256}/thumbnail", params=params)

    def add(
        self,
        image: Image,
        *,
        uri: str | None = None,
        label: Label | None = None,
        family: str | None = None,
        source: str | None = None,
        captured_at: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Ingested:
        """Add an image to the gallery, durably; the next search finds it."""
        fields = given(
            uri=uri,
            label=label,
            family=family,
            source=source,
            captured_at=captured_at,
            metadata=metadata and json.dumps(metadata),
        )
        return self._service.ask(Ingested, "POST", "/v1/images", **upload(image, fields))

    def remove(self, sha256: str) -> Removed:
        """Take an image out of the gallery; earlier generations can still be searched."""
        return self._service.ask(Removed, "DELETE", f"/v1/images/{sha256}")

    def label(self, images: Iterable[str], label: Label, family: str | None = None) -> Labelled:
        """Say of indexed images, by sha256, that they are real or fake, and of which family."""
        said = {"images": list(images), "label": label, **given(family=family)}
        return self._service.ask(Labelled, "POST", "/v1/labels", json=said)

    # -- families

    def families(
        self,
        *,
        name: str | None = None,
        named_by: Literal["analyst", "label", "metadata", "code"] | None = None,
        min_size: int | None = None,
        sort: Order | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        generation: int | None = None,
    ) -> FamiliesAnswer:
        """A page of the families in force; its `next` is the `cursor` of the one after."""
        params = given(
            name=name,
            named_by=named_by,
            min_size=min_size,
            sort=sort,
            limit=limit,
            cursor=cursor,
            generation=generation,
        )
        return self._service.ask(FamiliesAnswer, "GET", "/v1/families", params=params)

    def family(self, family: str, *, generation: int | None = None) -> FamilyAnswer:
        """One family, by its id, with its lineage."""
        params = given(generation=generation)
        return self._service.ask(FamilyAnswer, "GET", f"/v1/families/{family}", params=params)

    def members(
        self,
        family: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        generation: int | None = None,
    ) -> MembersAnswer:
        """A page of the members of a family, strongest first."""
        params = given(limit=limit, cursor=cursor, generation=generation)
        path = f"/v1/families/{family}/members"
        return self._service.ask(MembersAnswer, "GET", path, params=params)

    def gallery_map(self, *, generation: int | None = None) -> MapAnswer:
        """Where every image lies on the map of the last build of families."""
        params = given(generation=generation)
        return self._service.ask(MapAnswer, "GET", "/v1/map", params=params)

    # -- decisions

    def rename(self, family: str, name: str) -> DecisionAnswer:
        """Give a family a name."""
        return self._decide("PATCH", f"/v1/families/{family}", {"name": name})

    def merge(self, family: str, families: Iterable[str]) -> DecisionAnswer:
        """Make other families part of this one."""
        return self._decide("POST", f"/v1/families/{family}/merge", {"families": list(families)})

    def split(self, family: str, images: Iterable[str]) -> DecisionAnswer:
        """Make these images of a family a family of their own."""
        return self._decide("POST", f"/v1/families/{family}/split", {"images": list(images)})

    def pin(self, family: str, images: Iterable[str]) -> DecisionAnswer:
        """Keep these images in a family, whatever clustering says."""
        return self._decide("POST", f"/v1/families/{family}/pin", {"images": list(images)})

    def reject(self, family: str, images: Iterable[str]) -> DecisionAnswer:
        """Keep these images out of a family, whatever clustering says."""
        return self._decide("POST", f"/v1/families/{family}/reject", {"images": list(images)})

    def undo(self, number: int) -> DecisionAnswer:
        """Take a decision back."""
        return self._decide("POST", f"/v1/decisions/{number}/undo", None)

    def decisions(self) -> DecisionsAnswer:
        """What was decided, by whom and when."""
        return self._service.ask(DecisionsAnswer, "GET", "/v1/decisions")

    def _decide(self, method: str, path: str, said: Mapping[str, Any] | None) -> DecisionAnswer:
        return self._service.ask(DecisionAnswer, method, path, json=said)

    # -- the service itself

    def live(self) -> Live:
        """Whether the process answers."""
        return self._service.ask(Live, "GET", "/health/live", patient=False)

    def ready(self) -> Ready:
        """Whether searches can be answered; ProblemError says why not, at once."""
        return self._service.ask(Ready, "GET", "/health/ready", patient=False)

    def metrics(self) -> str:
        """Counts in Prometheus' text format."""
        return self._service.read("GET", "/metrics").decode()
