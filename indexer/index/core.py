"""The index: the truth and what is derived from it."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from indexer.errors import NotFound, PassportMismatch, UsageError
from indexer.index import deriving
from indexer.index.assembling import advance, assemble
from indexer.index.derived import Derived, drafted, load, publish
from indexer.index.derived_folder import DerivedDamaged, place
from indexer.index.deriving import UNCOVERED, UNCOVERED_IMAGES, Fitted
from indexer.index.engines import KEY, InProcess, engine_of, without_engine
from indexer.index.gallery import Gallery
from indexer.index.home import TRUTH, Home, truth_at
from indexer.index.keeping import PatchPolicy, without_patches
from indexer.index.patch_gallery import PatchGallery, patches_at
from indexer.index.usable import usable
from indexer.store import Store, is_url
from indexer.types import Passport
from indexer.vectors.milvus import Milvus, checked_url

if TYPE_CHECKING:
    import pandas as pd

    from indexer.encoder import VitEncoder
    from indexer.index.standing import Standing

GROWTH = 1.2
"""`build` fits anew when the gallery has grown by this factor since the last fit."""


class Index:
    """An open index. Safe to search from several threads."""

    def __init__(
        self, where: str | Path, store: Store, encoder: "VitEncoder | None" = None
    ) -> None:
        self.home, self.store = Home.of(where, store.identity), store
        self._encoder, self._engine = encoder, engine_of(store)
        self.standing: Standing | None = None
        """What the last decision of this process left in force; `indexer.index.families`'s own."""
        self._latest: Gallery | None = None
        self._earlier: Gallery | None = None
        self._patches: PatchGallery | None = None
        self._lock, self._earlier_lock = threading.RLock(), threading.Lock()
        self._renewing = threading.Lock()

    @classmethod
    def create(
        cls,
        path: str | Path,
        encoder: "VitEncoder",
        author: str = "indexer",
        patches: PatchPolicy = PatchPolicy(),  # noqa: B008 frozen
        vectors: str | None = None,
    ) -> Self:
        """A new, empty index for this encoder's encodings, in a new or empty folder or, by its
        URL (`postgresql+psycopg://...`), in an empty database.

        `patches` says which of them every image keeps, `vectors` the URL of the Milvus that
        searches (None: FAISS does).
        """
        reference = {
            "name": encoder.checkpoint.name,
            "revision": encoder.checkpoint.revision,
            "load": dict(encoder.reference),
            "patches": patches.reference,
            "operating_points": [
                {
                    "false_alarm": p.false_alarm,
                    "threshold": p.threshold,
                    "basis": f"{p.note} (evidence grade {p.grade})",
                }
                for p in encoder.checkpoint.operating_points
                if p.false_alarm is not None
            ],
        }
        index = cls.create_for(path, encoder.passport, reference, author, vectors)
        index.use(encoder)
        return index

    @classmethod
    def create_for(
        cls,
        path: str | Path,
        passport: Passport,
        reference: Mapping[str, Any],
        author: str,
        vectors: str | None = None,
    ) -> Self:
        """As `create`, for encodings that were made elsewhere; `reference` is what the store
        of another index says of its checkpoint."""
        reference = _prepared(path, reference, vectors)
        return cls(path, Store.create(truth_at(path), passport, reference, author))

    def copy(
        self,
        path: str | Path,
        author: str,
        vectors: str | None = None,
        on_progress: Callable[[int], object] = lambda _: None,
    ) -> Self:
        """The same index at another place, on whatever engines: see `Store.copy`. `vectors` as
        for `create`; what is derived is derived anew when the copy is first searched."""
        reference = _prepared(path, self.store.reference, vectors)
        store = self.store.copy(truth_at(path), reference, author, on_progress)
        return type(self)(path, store)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open an existing index. Raises NotFound or IndexDamaged."""
        if not cls.exists(path):
            raise NotFound(
                f"{path} is not an index" + ("" if is_url(path) else f" (it holds no {TRUTH})"),
                do=f"make one with: indexer build SOURCE --index {path}",
            )
        return cls(path, Store.open(truth_at(path)))

    @staticmethod
    def exists(path: str | Path) -> bool:
        """Whether the folder, or the database of a URL, holds an index."""
        return Store.exists(truth_at(path))

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
        """Release the store."""
        self.store.close()

    @property
    def path(self) -> Path | str:
        """What commands call it: its folder, or the URL of its truth."""
        return self.home.where

    @property
    def derived_root(self) -> Path:
        """The folder of all derived sets."""
        return self.home.derived

    @property
    def checkpoint(self) -> dict[str, Any]:
        """What made the encodings: {"name", "revision", "weights_sha256"}."""
        return {
            "name": self.store.reference["name"],
            "revision": self.store.reference["revision"],
            "weights_sha256": self.store.passport.weights_sha256,
        }

    @property
    def vectors(self) -> str | None:
        """The URL of the Milvus that searches; None: FAISS does, in this process."""
        url: str | None = self.store.reference.get(KEY)
        return url

    @property
    def patch_policy(self) -> PatchPolicy:
        """Which patches every image of this index keeps."""
        return PatchPolicy.of(self.store.reference)

    @property
    def encoder(self) -> "VitEncoder":
        """The encoder of this index, loaded on first use.

        Raises CheckpointError when the checkpoint is not to be had, PassportMismatch when it
        no longer yields comparable encodings.
        """
        with self._lock:
            if self._encoder is not None:
                return self._encoder
            from indexer.encoder import load_encoder  # torch, only where a query needs it

            encoder = load_encoder(**self.load)
            self.use(encoder)
            return encoder

    def names(self, ref: str) -> bool:
        """Whether `ref` is how this index finds its checkpoint."""
        recorded = self.store.reference["load"]["ref"]
        return recorded in (ref, str(Path(ref).resolve()))

    def use(self, encoder: "VitEncoder") -> None:
        """Encode with this encoder from now on.

        Raises PassportMismatch, naming each field, unless its encodings are comparable.
        """
        self.check(
            encoder.passport,
            "this checkpoint's encodings",
            do="use the checkpoint that the index was built with, or build another index",
        )
        self._encoder = encoder

    def check(self, passport: Passport, what: str, do: str) -> None:
        """Raises PassportMismatch, naming each field and telling what to `do`, unless encodings
        with this passport are comparable; `what` they are called."""
        check_passport(self.store.passport, passport, what, f"in {self.path}", do)

    @property
    def load(self) -> dict[str, Any]:
        """What `indexer.encoder.load_encoder` is given for this index's encoder."""
        return dict(self._encoder.reference if self._encoder else self.store.reference["load"])

    # -- data frames

    def images(self, generation: int | None = None) -> "pd.DataFrame":
        """See `indexer.index.frames.images`."""
        from indexer.index import frames  # pandas, only where a frame is wanted

        return frames.images(self, generation)

    def families(self, generation: int | None = None) -> "pd.DataFrame":
        """See `indexer.index.frames.families`."""
        from indexer.index import frames

        return frames.families(self, generation)

    def labels(self, generation: int | None = None) -> "pd.DataFrame":
        """See `indexer.index.frames.labels`."""
        from indexer.index import frames

        return frames.labels(self, generation)

    # -- generations

    def gallery(self, generation: int | None = None) -> Gallery:
        """The gallery at a generation (None: the latest), ready to be searched.

        Raises NotFound for a generation that was never committed.
        """
        with self._lock:
            latest = self.store.generation
            follows = self._latest is None or self._latest.generation < latest
            if self._latest is None or follows:
                self._latest = self._at(latest, self._latest)
            gallery = self._latest
        if follows and self._renewing.acquire(blocking=False):
            try:
                self._renew(gallery)
            finally:
                self._renewing.release()
        if generation is None or generation == latest:
            return gallery
        if not 0 <= generation <= latest:
            raise NotFound(f"generation {generation}", expected=f"one of 0 to {latest}")
        with self._earlier_lock:
            if self._earlier is None or self._earlier.generation != generation:
                self._earlier = self._at(generation, gallery)
            return self._earlier

    def patches(self, generation: int | None = None) -> PatchGallery:
        """The patches at a generation (None: the latest), ready to be searched; derived when
        they are first asked for. Raises NotFound for a generation that was never committed,
        UsageError where no image keeps any.
        """
        with self._lock:
            latest = self.store.generation
            at = latest if generation is None else generation
            if not 0 <= at <= latest:
                raise NotFound(f"generation {at}", expected=f"one of 0 to {latest}")
            if self._patches is None or self._patches.generation != at:
                self._patches = patches_at(self.store, self.derived_root / "patches", at)
            if not len(self._patches.live):
                raise without_patches(self.path)
            return self._patches

    def _at(self, generation: int, known: Gallery | None) -> Gallery:
        """The gallery at a generation, from a `known` one where that is of use."""
        fit = self.store.fit_at(generation)
        if known is None or fit is None or known.derived.fit != fit.generation:
            return assemble(self.store, self._derived(generation), generation)
        if known.generation <= generation:
            return advance(self.store, known, generation)
        if known.derived.covers <= generation:
            return assemble(self.store, known.derived, generation)
        return assemble(self.store, self._derived(generation), generation)

    def _renew(self, gallery: Gallery) -> None:
        """Go over to a newer derived set of the same fit, if there is one; searches go on with
        the old one meanwhile."""
        if self.store.fit_at(gallery.generation) is None:
            return  # each generation is derived by itself
        derived = self._derived(gallery.generation, gallery.derived)
        if derived is not gallery.derived:
            renewed = assemble(self.store, derived, gallery.generation)
            with self._lock:
                if self._latest and self._latest.derived is gallery.derived:
                    self._latest = advance(self.store, renewed, self._latest.generation)

    def _derived(self, generation: int, current: Derived | None = None) -> Derived:
        """The newest usable derived set for a generation; computed again when there is none."""
        fit = self.store.fit_at(generation)
        if fit is None:  # before the first fit: a build that runs, or was cut short
            fitted = deriving.fit(self.store, generation)
            return deriving.derive(
                self.store, InProcess(), fitted, fit=generation, covers=generation
            )
        for folder, found in usable(self.store, self.derived_root, fit, generation):
            if current is not None and current.covers == found["covers"]:
                return current
            with suppress(DerivedDamaged):  # the next older set, or the truth
                return load(folder, self._engine)
        fitted = deriving.fit(self.store, fit.fitted_on)
        derived = deriving.derive(
            self.store, self._engine, fitted, fit=fit.generation, covers=fit.fitted_on
        )
        self._publish(fit.generation, derived)
        return derived

    def _publish(self, generation: int, derived: Derived) -> None:
        publish(self.derived_root, generation, derived)
        self._engine.announce(derived.vectors)

    def fit(self, author: str = "indexer") -> Derived:
        """Fit projection and calibration on the gallery as it is: a new generation.

        Until it is committed every search, here and in other processes, uses the old one.
        """
        fitted_on = self.store.generation
        fitted = deriving.fit(self.store, fitted_on)
        derived = deriving.derive(self.store, self._engine, fitted, fit=-1, covers=fitted_on)
        draft = drafted(self.derived_root, derived)  # not in the commit, which others wait for
        with self.store.commit("fit", author) as txn:
            place(draft, txn.generation, fit=txn.generation)
            txn.fit(fitted_on)
            txn.note(
                projection=draft.sums["projection.safetensors"],
                calibration=draft.sums["calibration.json"],
            )
        self._engine.announce(derived.vectors)
        return replace(derived, fit=txn.generation)

    def due(self) -> bool:
        """Whether `refresh` would do anything."""
        ids = self.store.ids()
        return self._fit_is_due(len(ids)) or self._vectors_are_due(len(ids))

    def refresh(self, author: str = "indexer") -> None:
        """After new images: fit anew, or only derive vectors anew, when they are worth it."""
        generation = self.store.generation
        ids = self.store.ids(generation=generation)
        if self._fit_is_due(len(ids)):
            self.fit(author)
        elif self._vectors_are_due(len(ids)):
            gallery = self.gallery(generation)
            derived = deriving.searchable(
                self.store,
                self._engine,
                Fitted(gallery.derived.projection, gallery.derived.calibration),
                ids,
                gallery.descriptors(ids),
                fit=gallery.derived.fit,
                covers=generation,
            )
            self._publish(generation, derived)

    def _fit_is_due(self, images: int) -> bool:
        fit = self.store.fit_at(self.store.generation)
        return images > 0 and (
            fit is None or images > GROWTH * len(self.store.ids(generation=fit.fitted_on))
        )

    def _vectors_are_due(self, images: int) -> bool:
        gallery = self.gallery()
        uncovered = len(gallery.recent) + len(gallery.removed)
        return uncovered > min(UNCOVERED * images, UNCOVERED_IMAGES)


def check_passport(own: Passport, other: Passport, what: str, where: str, do: str) -> None:
    """Raises PassportMismatch, unless encodings with both passports are comparable: `what`
    came with the `other` one, `where` the own one stands, and what to `do`."""
    if differences := own.differences(other):
        found = "; ".join(f"{key} {theirs}" for key, (_, theirs) in differences.items())
        expected = "; ".join(f"{key} {mine}" for key, (mine, _) in differences.items())
        raise PassportMismatch(f"{what} have {found}", expected=f"{expected}, as {where}", do=do)


def _prepared(
    path: str | Path, reference: Mapping[str, Any], vectors: str | None
) -> dict[str, Any]:
    """The reference of a new index, for which there is a folder where it needs one. Raises
    UsageError where it cannot be, VectorsUnavailable where Milvus is not to be reached."""
    if not is_url(path):
        _refuse_taken(Path(path))
    reference = without_engine(reference)
    if vectors is not None:
        reference[KEY] = checked_url(vectors)
        Milvus(reference[KEY])  # what cannot be reached is refused before any work
    if not is_url(path):
        Path(path).mkdir(parents=True, exist_ok=True)
    return reference


def _refuse_taken(root: Path) -> None:
    """Raises UsageError where a new index cannot be; what a killed `create` left behind counts
    as nothing."""
    names = [path.name for path in root.iterdir()] if root.is_dir() else []
    if (root.exists() and not root.is_dir()) or any(not n.startswith(TRUTH) for n in names):
        raise UsageError(f"{root} exists and is not an index", expected="a new folder")
