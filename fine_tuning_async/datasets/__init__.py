"""The check of a training file before it is uploaded."""

from ._check import check_dataset
from ._report import DatasetProblem, DatasetReport, ProblemKind

__all__ = ["DatasetProblem", "DatasetReport", "ProblemKind", "check_dataset"]
