"""Images with their captions, as HTML."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from indexer.index import Answer, Index
from indexer.index.cards import cards

STYLE = (
    "<style>.lineup {font: 14px/1.4 system-ui, sans-serif; color: #1c2430} "
    ".lineup figure {display: inline-block; margin: 0 .6rem .8rem 0; width: 9rem; "
    "vertical-align: top} .lineup img {width: 9rem; height: 9rem; object-fit: cover} "
    ".lineup figcaption {overflow-wrap: anywhere} .lineup h3 {margin: 1rem 0 .2rem}</style>"
)


def data_uri(index: Index, sha256: str) -> str:
    """The thumbnail of an image as a data URI; empty where none was made."""
    data = index.store.thumbnail(sha256)
    return "" if data is None else f"data:image/webp;base64,{b64encode(data).decode()}"


def sheet(index: Index, images: Iterable[tuple[str, str]]) -> str:
    """Thumbnails side by side, each (sha256, caption)."""
    return f"{STYLE}<div class='lineup'>{''.join(_figures(index, images))}</div>"


def family_cards(index: Index, limit: int = 12, exemplars: int = 5) -> str:
    """A card for each of the largest families: its facts and its exemplars, the medoid first."""
    found = cards(index)
    called = {family.id: family.name for family in found}
    parts = []
    for family in found[:limit]:
        facts = [
            f"{family.size} images, {family.labelled} labelled",
            f"name from: {family.name_from}",
            *_measured("purity", family.purity),
            *_measured("cohesion", family.cohesion),
            *_measured("stability", family.stability),
            *_measured("likely fake", family.fake_share),
            *(f"near {called[other]} ({cosine:.2f})" for other, cosine in family.nearest[:2]),
        ]
        faces = _figures(index, [(digest, digest[:12]) for digest in family.exemplars[:exemplars]])
        parts.append(f"<h3>{escape(family.name)}</h3>{escape(' · '.join(facts))}<br>")
        parts += faces
    return f"{STYLE}<div class='lineup'>{''.join(parts)}</div>"


def hits_sheet(index: Index, answer: Answer) -> str:
    """The hits of an answer, most alike first, with what each figure is worth."""
    captions = []
    for hit in answer.hits:
        chance = "" if hit.false_match_rate is None else f"<br>{escape(hit.false_match_rate.text)}"
        name = escape(hit.family or hit.label or "unknown")
        captions.append((hit.sha256, f"{name}<br>similarity {hit.similarity:.3f}{chance}"))
    figures = "".join(_figure(index, digest, caption) for digest, caption in captions)
    return f"{STYLE}<div class='lineup'>{figures}</div>"


def _figures(index: Index, images: Iterable[tuple[str, str]]) -> Sequence[str]:
    return [_figure(index, digest, escape(caption)) for digest, caption in images]


def _figure(index: Index, sha256: str, caption: str) -> str:
    picture = f"<img src='{data_uri(index, sha256)}' alt='image {sha256[:12]}'>"
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _measured(name: str, value: float | None) -> list[str]:
    return [] if value is None else [f"{name} {value:.2f}"]
