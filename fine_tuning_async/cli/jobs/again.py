"""Runs a create again without making anything twice: finds the job of a key, and files that are there already.

A job bears its key and a digest of its contents in its metadata, so that both are known without any memory on this
machine, and before a file is uploaded once more.
"""

from __future__ import annotations

import hashlib
import secrets
from itertools import islice
from typing import TYPE_CHECKING

from fine_tuning_async.api._marks import KEY
from fine_tuning_async.cli.failure import Misuse
from fine_tuning_async.cli.paging import LARGE_PAGE
from fine_tuning_async.errors import FineTuningError

from .plan import CONTENTS

if TYPE_CHECKING:
    from fine_tuning_async.client import FineTuningClient
    from fine_tuning_async.models import File, FineTuningJob

    from .plan import Contents, Plan

CANDIDATES = 3
"""How many files of the same name and size are compared; a run that failed has left one."""


def new_key() -> str:
    """Return a key that nobody has used."""
    return f"cli-{secrets.token_hex(12)}"


async def job_of(client: FineTuningClient, key: str, plan: Plan) -> FineTuningJob | None:
    """Return the job that was made with a key, the oldest of several.

    Raises:
        Misuse: The key has made a job of something else.
    """
    found = None
    # Compared here as well: some servers ignore the filter.
    async for job in client.list_jobs(metadata={KEY: key}, limit=LARGE_PAGE):
        is_ours = (job.metadata or {}).get(KEY) == key
        if is_ours and (found is None or job.created_at <= found.created_at):
            found = job
    if found is None or (found.metadata or {}).get(CONTENTS) == plan.contents:
        return found
    raise Misuse(
        f"the key {key!r} has made job {found.id} with other contents or options; nothing was created. "
        "Repeat what it was made with, or leave --idempotency-key out for a new job"
    )


async def uploaded(client: FineTuningClient, contents: Contents) -> File | None:
    """Return a file on the server that has these contents, as an interrupted run has left it."""
    listing = client.list_files(purpose="fine-tune")
    wanted = contents.path.name, contents.size
    alike = [each async for each in listing if (each.filename, each.bytes) == wanted and each.status != "error"]
    for file in islice(alike, CANDIDATES):
        try:
            if await _digest(client, file.id) == contents.sha256:
                return file
        except FineTuningError:  # not every account may read it back: then it is uploaded once more
            continue
    return None


async def _digest(client: FineTuningClient, file_id: str) -> str:
    digest = hashlib.sha256()
    async with client.stream_file(file_id) as chunks:
        async for chunk in chunks:
            digest.update(chunk)
    return digest.hexdigest()
