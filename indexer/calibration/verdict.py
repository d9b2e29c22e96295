"""What is concluded of a query, apart from what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["known family", "novel fake", "looks authentic", "inconclusive"]
RISK = 0.05
MAX_CANDIDATES = 3
"""More families than this that a query could belong to name none of them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on.

    `p_values` family -> p-value that the query belongs to it, empty where families could not
    be calibrated; `affinity` family -> mean similarity to its nearest members; `p_known` the
    p-value that it is of any of them, None where that is not calibrated; `p_real` the p-value
    that it is one of the real images, None without enough of them; `nearest_is_real` says
    which side the most alike group is on; `alarm` whether the score exceeds its 5%
    false-alarm threshold, None without such a threshold; `probability_fake` in [0, 1] at even
    priors, None where uncalibrated.
    """

    p_values: Mapping[str, float]
    affinity: Mapping[str, float]
    p_known: float | None
    p_real: float | None
    nearest_is_real: bool
    alarm: bool | None
    probability_fake: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A conclusion at the operator's `risk` of excluding the true family.

    `families` are those that the query could belong to, most alike first; for "known family"
    the true one is among them with probability 1 - risk if it is in the gallery at all.
    """

    kind: Kind
    reason: str
    families: tuple[str, ...]
    risk: float
    evidence: Evidence


def conclude(evidence: Evidence, risk: float = RISK) -> Verdict:
    """The verdict of the evidence at a risk level in (0, 1)."""
    fits = sorted(
        (name for name, p in evidence.p_values.items() if p > risk),
        key=lambda name: (-evidence.affinity[name], name),
    )
    kind, reason = _decide(evidence, fits, risk)
    return Verdict(kind, reason, tuple(fits), risk, evidence)


def _decide(evidence: Evidence, fits: list[str], risk: float) -> tuple[Kind, str]:
    alarm, p_real = evidence.alarm, evidence.p_real
    unlike_real = p_real is not None and p_real <= risk
    said = {
        True: "the score raises the alarm",
        False: "the score raises no alarm",
        None: "the score has no threshold to judge it by",
    }[alarm]
    if not evidence.p_values:
        return "inconclusive", f"no family is calibrated in this gallery; {said}"
    if alarm and fits and evidence.p_known is not None and evidence.p_known <= risk:
        unlike = f"it is less alike any known family than members are (p = {evidence.p_known:.2f})"
        return "novel fake", f"{said}, and {unlike}, though {len(fits)} cannot be excluded"
    if not fits:
        if alarm:
            return "novel fake", f"{said}, and no known family explains the image at risk {risk:g}"
        if alarm is False and p_real is not None and not unlike_real:
            return "looks authentic", f"{said}, it resembles real images (p = {p_real:.2f}) only"
        return "inconclusive", f"no known family explains the image, but {said}"
    named = ", ".join(
        f"{name} (p = {evidence.p_values[name]:.2f})" for name in fits[:MAX_CANDIDATES]
    )
    if alarm or unlike_real:
        if len(fits) > MAX_CANDIDATES:
            return (
                "inconclusive",
                f"{len(fits)} families fit, too many to name one; nearest {named}",
            )
        why = said if alarm else f"it is unlike the real images (p = {p_real:.2f})"
        return "known family", f"{why}, and it is as typical as members of {named}"
    if alarm is False and evidence.nearest_is_real and p_real is not None:
        excluded = f"{len(fits)} of the known families cannot be excluded"
        alike = f"the most alike images are real (p = {p_real:.2f})"
        return "looks authentic", f"{said}, and {alike}, though {excluded}"
    return "inconclusive", f"{named} fit, but so do real images, and {said}"
