"""How well does an index find families, and do its figures hold? Arrays in, dataclasses out."""

from indexer.evaluation.evaluate import Baseline, Evaluation, against, evaluate
from indexer.evaluation.measured import Measured
from indexer.evaluation.novelty import leave_families_out
from indexer.evaluation.report import report_html

__all__ = [
    "Baseline",
    "Evaluation",
    "Measured",
    "against",
    "evaluate",
    "leave_families_out",
    "report_html",
]
