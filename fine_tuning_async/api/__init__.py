"""The operations of the API, a mixin for each noun."""

from .files import FilesAPI
from .jobs import JobsAPI

__all__ = ["FilesAPI", "JobsAPI"]
