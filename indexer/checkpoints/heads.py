"""What the logits of a checkpoint mean. The fake class is stated by somebody, never guessed."""

import re
from collections.abc import Mapping
from typing import Any

from indexer.checkpoints.values import Head
from indexer.errors import CheckpointError

FAKE_WORDS = frozenset(
    ("fake", "deepfake", "ai", "artificial", "generated", "synthetic", "manipulated", "forged")
)
"""A label with one of these words, and without a negation, is the fake class."""

_NEGATIONS = frozenset(("no", "non", "not", "un"))


def read_labels(config: Mapping[str, Any], classes: int) -> tuple[str, ...]:
    """Class names in index order, from `id2label` or timm's `label_names`.

    A configuration that names none gives LABEL_0, LABEL_1, ... as transformers does.
    Raises CheckpointError when the names do not number the logits.
    """
    named = config.get("id2label") or dict(enumerate(_timm_labels(config)))
    labels = {int(index): str(name) for index, name in named.items()}
    if not labels:
        return tuple(f"LABEL_{index}" for index in range(classes))
    if sorted(labels) != list(range(classes)):
        raise CheckpointError(
            f"config.json names the classes {sorted(labels)}", expected=f"0 to {classes - 1}"
        )
    return tuple(labels[index] for index in range(classes))


def read_head(labels: tuple[str, ...], fake_label: str | None) -> Head:
    """Head semantics for these class names; `fake_label` (a name) overrides the names.

    One logit means "more is more fake", the convention of a binary detector. Raises
    CheckpointError ("label order unknown") when nobody says which class is fake.
    """
    if not labels:
        return Head("none")
    if fake_label is not None:
        matches = [index for index, name in enumerate(labels) if name == fake_label]
    elif len(labels) == 1:
        matches = [0]
    else:
        matches = [index for index, name in enumerate(labels) if _names_fake(name)]
    if len(matches) != 1:
        shown = ", ".join(labels[:4]) + (", ..." if len(labels) > 4 else "")
        raise CheckpointError(
            f"label order unknown: {len(matches)} of the {len(labels)} classes ({shown}) "
            + (f"are named {fake_label!r}" if fake_label else "name a fake"),
            expected="exactly one fake class",
            do="say which with --fake-label NAME",
        )
    return Head("sigmoid" if len(labels) == 1 else "softmax", labels, matches[0])


def _timm_labels(config: Mapping[str, Any]) -> list[str]:
    names = config.get("label_names") or config.get("pretrained_cfg", {}).get("label_names")
    return list(names or ())


def _names_fake(label: str) -> bool:
    words = set(re.findall(r"[a-z]+", label.lower()))
    return bool(words & FAKE_WORDS) and not words & _NEGATIONS
