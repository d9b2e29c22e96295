"""How well does an index find families, and do its figures hold? Arrays in, dataclasses out."""

from indexer.evaluation.evaluate import Evaluation, against, evaluate
from indexer.evaluation.measured import Measured
from indexer.evaluation.novelty import leave_families_out

__all__ = ["Evaluation", "Measured", "against", "evaluate", "leave_families_out"]
