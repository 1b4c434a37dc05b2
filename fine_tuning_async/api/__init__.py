"""The operations of the API, a mixin for each noun."""

from .anything import RequestAPI
from .checkpoints import CheckpointsAPI
from .downloads import DownloadsAPI
from .files import FilesAPI
from .graders import GradersAPI
from .jobs import JobsAPI
from .model_registry import ModelRegistryAPI

__all__ = ["CheckpointsAPI", "DownloadsAPI", "FilesAPI", "GradersAPI", "JobsAPI", "ModelRegistryAPI", "RequestAPI"]
