"""The same creates by the official SDK, as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai

from fine_tuning_async import FineTuningClient
from tests.heavy.creates import EXAMPLE, MODEL, Outcome, begin_storm, count_jobs, each_at_once

if TYPE_CHECKING:
    from fine_tuning_async.server import LocalServer


async def create(server: LocalServer, calls: int) -> Outcome:
    """Create through the storm; what raises is not called again."""
    outcome = Outcome()
    async with FineTuningClient("k", base_url=server.url) as ours:
        file = await ours.upload_file(EXAMPLE * 12)
    async with openai.AsyncOpenAI(api_key="k", base_url=server.url) as client:
        begin_storm(server)

        async def call(number: int) -> None:
            try:
                await client.fine_tuning.jobs.create(model=MODEL, training_file=file.id, seed=number)
            except openai.OpenAIError:
                outcome.raised += 1

        await each_at_once(calls, call)
        server.faults.clear()
    await count_jobs(server.url, outcome)
    return outcome
