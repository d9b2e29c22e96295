"""Names of families that nobody has named."""

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final

DISTINCTIVE: Final = 3.0
"""Standard errors by which a metadata term must stand out."""
COMMON: Final = 0.5
"""Share of the members that must have a metadata term that names the family."""


@lru_cache(maxsize=1 << 16)
def code_name(family: str) -> str:
    """A pronounceable name that depends on the id alone, such as "Bolime-47"."""
    digest = hashlib.sha256(family.encode()).digest()
    consonants, vowels = "bdfgklmnprstvz", "aeiou"
    syllables = [
        consonants[a % len(consonants)] + vowels[b % len(vowels)]
        for a, b in zip(digest[0:3], digest[3:6], strict=True)
    ]
    return f"{''.join(syllables).capitalize()}-{digest[6] % 90 + 10}"


def distinctive(
    inside: Sequence[Collection[str]], everywhere: Mapping[str, int], count: int
) -> str | None:
    """The term that sets the members apart most, or None if none does.

    Log-odds ratio against all other images with half an image added to every count, in
    standard errors (Monroe, Colaresi and Quinn, 2008).
    """
    here = Counter(term for terms in inside for term in set(terms))
    outside = count - len(inside)
    best: tuple[float, str] | None = None
    for term in sorted(here):
        if here[term] < COMMON * len(inside):
            continue
        a, b = here[term] + 0.5, len(inside) - here[term] + 0.5
        c, d = everywhere[term] - here[term] + 0.5, outside - everywhere[term] + here[term] + 0.5
        z = math.log(a * d / (b * c)) / math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
        if z >= DISTINCTIVE and (best is None or z > best[0]):
            best = (z, term)
    return best[1] if best else None
