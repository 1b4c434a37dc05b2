"""A resumable copy of everything an account has."""

from fine_tuning_async.errors import ArchiveError

from ._archive import Archive
from ._archiving import OnArchiveProgress, archive_account
from ._progress import ArchiveProgress
from ._report import ArchivedFile, ArchiveGap, ArchiveReport, ArchiveSummary
from ._verify import ArchiveDamage, ArchiveVerification

__all__ = [
    "Archive",
    "ArchiveDamage",
    "ArchiveError",
    "ArchiveGap",
    "ArchiveProgress",
    "ArchiveReport",
    "ArchiveSummary",
    "ArchiveVerification",
    "ArchivedFile",
    "OnArchiveProgress",
    "archive_account",
]
