"""How far each figure can be trusted, from labelled images: arrays in, dataclasses out."""

from indexer.calibration.annotations import Annotations
from indexer.calibration.calibration import Calibration, fit_calibration
from indexer.calibration.comparisons import SILENT
from indexer.calibration.crossfit import HeldOut, cross_fit
from indexer.calibration.estimate import Estimate, Missing, one_in
from indexer.calibration.likelihood import odds, verbal
from indexer.calibration.score import OperatingPoint
from indexer.calibration.verdict import RISK, Evidence, Verdict

__all__ = [
    "RISK",
    "SILENT",
    "Annotations",
    "Calibration",
    "Estimate",
    "Evidence",
    "HeldOut",
    "Missing",
    "OperatingPoint",
    "Verdict",
    "cross_fit",
    "fit_calibration",
    "odds",
    "one_in",
    "verbal",
]
