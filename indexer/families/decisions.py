"""What analysts decided, as an append-only sequence that is replayed over every clustering.

Clustering proposes, decisions dispose: `apply` is a pure fold of the decisions over whatever
the last build found, so nothing that an analyst said is ever overwritten, and an undo is one
more decision that takes another one out of the fold.
"""

from collections.abc import Sequence

from indexer.errors import NotFound, UsageError
from indexer.families.actions import Action, Decision, Merge, Pin, Reject, Rename, Split, Undo
from indexer.families.fold import Base, Fold, State


def apply(decisions: Sequence[Decision], base: Base) -> State:
    """Replay the decisions, oldest first, over what clustering found."""
    return replayed(decisions, base).frozen()


def decided(decision: Decision, past: Sequence[Decision], base: Base) -> Fold:
    """What one more decision makes of `past`: `replayed` of all of them.

    Raises NotFound for an unknown family or decision, UsageError for a void decision.
    """
    action = decision.action
    if isinstance(action, Undo):
        if action.decision not in {earlier.number for earlier in past}:
            raise NotFound(f"no decision {action.decision}", do="list the decisions")
        if action.decision in _undone(past):
            raise UsageError(f"decision {action.decision} is undone already", do="undo its undo")
        return replayed([*past, decision], base)
    fold = replayed(past, base)
    take(fold, decision)
    return fold


def take(fold: Fold, decision: Decision) -> None:
    """Apply one more decision, which is no undo, to what all before it came to.

    Raises as `decided` does; then the fold is of no more use.
    """
    action = decision.action
    unknown = [family for family in _families(action) if family not in fold.size]
    if unknown:
        raise NotFound(f"no family {unknown[0]}", do="list the families")
    others = fold.called(action.name) if isinstance(action, Rename) else []
    if isinstance(action, Rename) and set(others) - {action.family}:
        raise UsageError(f"there is a family called {action.name}", do="merge the two")
    if reason := fold.take(decision):
        raise UsageError(reason, do="label the images anew or undo the decision it contradicts")


def replayed(decisions: Sequence[Decision], base: Base) -> Fold:
    """The decisions in force, oldest first, taken one by one."""
    fold = Fold(base)
    for decision in active(decisions):
        fold.take(decision)
    return fold


def active(decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions in force, oldest first: no undo and nothing that an undo in force names."""
    undone = _undone(decisions)
    return [d for d in decisions if d.number not in undone and not isinstance(d.action, Undo)]


def _undone(decisions: Sequence[Decision]) -> set[int]:
    undone: set[int] = set()
    for decision in reversed(decisions):
        if isinstance(decision.action, Undo) and decision.number not in undone:
            undone.add(decision.action.decision)
    return undone


def _families(action: Action) -> tuple[str, ...]:
    """The families that an action names."""
    match action:
        case Reject() | Rename() | Split() | Pin():
            return (action.family,)
        case Merge():
            return (action.into, *action.families)
        case _:
            return ()
