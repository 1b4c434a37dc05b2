"""The seam behind which jobs are trained."""

from __future__ import annotations

from .process import ProcessTrainer
from .protocol import Checkpoint, DataFile, Finished, Note, Report, Step, Trainer, TrainingFailed, TrainingTask
from .simulation import Simulation

__all__ = [
    "Checkpoint",
    "DataFile",
    "Finished",
    "Note",
    "ProcessTrainer",
    "Report",
    "Simulation",
    "Step",
    "Trainer",
    "TrainingFailed",
    "TrainingTask",
]
