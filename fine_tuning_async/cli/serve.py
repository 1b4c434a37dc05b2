"""The `serve` command: the local server in the foreground."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations at run time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urljoin

from cyclopts import Parameter

from fine_tuning_async import server
from fine_tuning_async._urls import is_loopback
from fine_tuning_async.server.clock import FASTEST
from fine_tuning_async.server.personalities import Like  # noqa: TC001 - as above
from fine_tuning_async.server.store.opening import Sync  # noqa: TC001 - as above

from .failure import CommandFailure, Misuse
from .output import complain, harmless, tell

if TYPE_CHECKING:
    from collections.abc import Coroutine

HIGHEST_PORT = 65_535
SPEED = 60.0


def _check_port(_: object, port: int) -> None:
    if not 0 <= port <= HIGHEST_PORT:
        raise ValueError(f"must be 0 to {HIGHEST_PORT}")


def _check_speed(_: object, speed: float) -> None:
    if not 0 <= speed <= FASTEST:
        raise ValueError(f"must be a number from 0 to {FASTEST:,}")


def _check_host(_: object, host: str) -> None:
    if not host:
        raise ValueError("must be an address or a name; 0.0.0.0 is every address of this machine")


def serve(
    *,
    host: Annotated[str, Parameter(validator=_check_host)] = "127.0.0.1",
    port: Annotated[int, Parameter(validator=_check_port)] = 0,
    db: Path | None = None,
    seed: int = 0,
    speed: Annotated[float, Parameter(validator=_check_speed)] = SPEED,
    webhook: tuple[str, ...] = (),
    like: Like = "openai",
    sync: Sync = "normal",
    archive: Path | None = None,
) -> None:
    """Run the local server until Ctrl-C or SIGTERM.

    It prints one line on stdout once it can be reached: `listening on http://127.0.0.1:PORT/v1`. Give that URL
    to any client of the API as its base URL, with any key. Its root, which a line on stderr names, shows in a
    browser what happens. Trainings are simulated.

    Args:
        host: The address to listen on. Anyone who can reach it can use the server.
        port: The port to listen on; 0 takes a free one.
        db: A database file that keeps jobs and files for the next time; without it, they are forgotten.
        seed: What ids and losses are drawn from: same seed, same requests, same answers.
        speed: Simulated seconds in a second: at 60, a minute of training takes a second. 0 stops the clock, and
            jobs stay as they are.
        webhook: A URL that is told of the end of each job; may be given several times. Deliveries are signed with
            the secret in OPENAI_WEBHOOK_SECRET, or else with one of the server's own, which is printed.
        like: The kind of server that it passes for. For azure, the line names the endpoint; for gateway, a base
            URL with a prefix.
        sync: What an answered request survives in the database: normal the death of the server, full a power cut
            too, at the cost of a wait for the disk in each request that writes.
        archive: A directory made by `fine-tuning archive`, to be served read-only in place of all that: code that
            is written against the API still reads its history there. Of the other options, host and port apply.
    """
    if not is_loopback(host):
        complain(harmless(f"warning: {host} can be reached from other machines, and any key is accepted"))
    if archive is not None:
        _refuse_others(db, webhook, seed, speed != SPEED, like != "openai", sync != "normal")
        _run(server.serve_archive(archive, host=host, port=port, announce=tell))
        return
    _run(
        server.serve(
            host=host,
            port=port,
            db=None if db is None else str(db),
            seed=seed,
            speed=speed or None,
            webhooks=webhook,
            webhook_secret=os.environ.get("OPENAI_WEBHOOK_SECRET") or None,
            like=like,
            sync=sync,
            announce=_announce,
        )
    )


def _refuse_others(*others: object) -> None:
    if any(others):
        raise Misuse("an archive stays as it is: of the other options, only --host and --port go with it")


def _run(serving: Coroutine[object, object, None]) -> None:
    try:
        asyncio.run(serving)
    except server.StartError as error:
        raise CommandFailure(str(error)) from error


def _announce(line: str) -> None:
    tell(line)
    said, _, url = line.rpartition(" ")
    if said == "listening on":
        complain(f"to watch it, open {urljoin(url, '/')} in a browser")
