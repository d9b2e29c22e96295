"""What speaks for fake: where greying out lowers the evidence, and what the model attends to."""

from typing import Final

import numpy as np

from indexer.errors import UsageError
from indexer.explain.canvas import patch_boxes, to_draw_on
from indexer.explain.explanation import Explanation, Looker, worth
from indexer.images.heatmap import Panel, sheet
from indexer.index import Index
from indexer.maps import at_random, attribution, judge, strongest, windows
from indexer.types import Bool, Encoded, Float32, Passport

SHARE: Final = 0.3
"""So many of the patches are greyed out, and shown alone, to see what the evidence does."""

LIMITS: Final = (
    "This is not a tamper localisation: a detector may call an image fake by parts that nobody "
    "touched, and overlook those that somebody did."
)
MAPS: Final = {"occlusion": "The map by occlusion", "rollout": "The map of attention"}


def explain_fake(index: Index, looker: Looker, generation: int) -> Explanation:
    """It rests on the checkpoint alone; `generation` is only named. Raises UsageError where
    the checkpoint has no head, since then nothing speaks for fake."""
    encoded = looker.encoded
    grid = encoded.patches.shape[0], encoded.patches.shape[1]
    parts, nothing = windows(grid), np.zeros((1, *grid), bool)
    evidence = _evidence(looker, np.concatenate([nothing, ~nothing, parts]))
    whole, none = float(evidence[0]), float(evidence[1])
    maps = {
        "occlusion": attribution(parts, whole - evidence[2:]),
        "rollout": looker.attend().reshape(grid),
    }
    chosen = [strongest(values, SHARE) for values in maps.values()]
    masks = np.concatenate([np.stack(chosen), at_random(grid, SHARE)])
    deleted, inserted = np.split(_evidence(looker, np.concatenate([masks, ~masks])), 2)
    effects = (whole - deleted) + (inserted - none)
    by_chance = effects[len(chosen) :]
    most = float(maps["occlusion"].max())
    figures = {
        name: judge(SHARE, effect, by_chance) for name, effect in zip(maps, effects, strict=False)
    }
    effect = f"greying out its strongest {SHARE:.0%}, then all but these, moves the log-odds by"
    words = [worth(MAPS[name], effect, figure) for name, figure in figures.items()]
    return Explanation(
        kind="fake",
        query_sha256=encoded.facts.sha256,
        other_sha256=None,
        generation=generation,
        picture=_drawn(index.store.passport, encoded, maps, f"{' '.join(words)} {LIMITS}"),
        alt="The image, then twice in colours: yellow where greying it out lowers the evidence of "
        "fake most, and yellow where the model attends to most",
        says=(
            f"The log-odds of fake are {whole:.2f} for the image and {none:.2f} for a grey one.",
            f"Greying out a part lowers them by {most:.2f} at most (below 0: none does).",
            *words,
            LIMITS,
        ),
        faithfulness=figures,
        missing={},
    )


def _evidence(looker: Looker, masks: Bool) -> Float32:
    """(n,) log-odds of fake."""
    evidence = looker.vary(masks).evidence
    if evidence is None:
        raise UsageError(
            "this checkpoint has no head: it says nothing of fake",
            do="ask what matched instead, or use a checkpoint with a head",
        )
    return evidence


def _drawn(passport: Passport, encoded: Encoded, maps: dict[str, Float32], note: str) -> bytes:
    facts = encoded.facts
    boxes = patch_boxes(passport, facts, len(encoded.patches))
    image = to_draw_on(encoded.thumbnail, facts.sha256)
    occlusion, rollout = maps["occlusion"].ravel(), maps["rollout"].ravel()
    return sheet(
        "What speaks for fake (not where it was tampered with)",
        [
            Panel(f"Asked about {facts.sha256[:12]}", image),
            Panel(
                "Occlusion: what the evidence loses",
                image,
                "fall of the log-odds of fake",
                boxes,
                occlusion,
                float(occlusion.min()),
                float(occlusion.max()),
            ),
            Panel(
                "Attention rollout: what the model looks at, fake or not",
                image,
                "share of attention, in %",
                boxes,
                100 * rollout,
                0.0,
                float(100 * rollout.max()),
            ),
        ],
        note,
    )
