"""The one place where the server's state is touched, under a lock."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .clock import Clock
from .errors import NotRunningError, StartError, UnknownWebhookError
from .personalities import Personality
from .progress import Progress
from .requestlog import RequestLog
from .store import Store
from .store.opening import check_sync, reason
from .training.progress import TrainedProgress
from .webhooks import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .ids import Minter
    from .store.opening import Sync
    from .training import Trainer
    from .webhooks import Webhook


class Service:
    """Holds the store, the clock; brings the state up to date before each use.

    What became due meanwhile is applied, each thing at the time it was due at, when the next request or control
    call comes; where there are webhooks, a task in the serving loop looks too. Any thread may call.

    Args:
        db: The database's file, or None for memory.
        seed: What ids and losses are drawn from.
        speed: See `Clock`.
        personality: The kind of server that it is; OpenAI itself if left out.
        sync: What a commit survives.
        trainer: What trains the jobs, in its own time; None simulates it, in the server's.

    Raises:
        ValueError: `speed` or `sync` is out of bounds.
    """

    def __init__(
        self,
        db: str | None,
        seed: int,
        speed: float | None,
        personality: Personality | None = None,
        sync: Sync = "normal",
        trainer: Trainer | None = None,
    ) -> None:
        check_sync(sync)
        self.personality: Personality = personality or Personality()
        self.mint: Minter = self.personality.ways.minter(seed)
        self.clock: Clock = Clock(speed)
        self.log: RequestLog = RequestLog()
        self.organization: str = self.mint.make("org-", "organization")
        # The same file, wherever the process goes until it is opened again.
        self._db = None if db is None else str(Path(db).absolute())
        self._sync = sync
        self._lock = threading.RLock()
        self._store: Store | None = None
        self.resets: int = 0
        self._request = 0
        self._webhooks: dict[str, Webhook] = {}
        self._listeners: list[Callable[[], object]] = []
        self.trainer: Trainer | None = trainer
        self.ready: deque[str] = deque()
        """The ids of jobs that wait for the trainer; some of them may do so no more."""

    @property
    def store(self) -> Store:
        """The store, to be used within `session`."""
        if self._store is None:
            raise NotRunningError("the server is not running: start it, or mount its app, first")
        return self._store

    @property
    def progress(self) -> Progress:
        """The walk of jobs, to be used within `session`."""
        held = self.store, self.mint, self.organization, self.personality.ways
        return Progress(*held) if self.trainer is None else TrainedProgress(*held, self.ready.append)

    def open(self, ticks: Callable[[], float]) -> None:
        """Open the store; time runs by `ticks` from now.

        Raises:
            StartError: The store is open already, or cannot be opened.
        """
        with self._lock:
            if self._store is not None:
                raise StartError("this server is running already: one server, one loop")
            try:
                self._store = Store(self._db, self._sync)
                self._go_on(ticks)
                for webhook in self._webhooks.values():
                    self._store.webhooks.put(webhook)
            except (sqlite3.Error, ValueError, TypeError) as error:  # the tables are whole, a job in them is not
                self._abandon()
                raise StartError(f"cannot use the database {self._db}: {reason(error)}") from error

    def close(self) -> None:
        """Close the store; with a database in memory, everything is forgotten."""
        with self._lock:
            if self._store is not None:
                with suppress(sqlite3.Error):  # what a full disk will not take now, happens at the next start
                    self._catch_up()
                    self._store.save_time(self.clock.now())
            self.clock.stop()
            self._abandon()
            self.ready.clear()

    def _abandon(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()

    @contextmanager
    def session(self) -> Iterator[float]:
        """Enter with the state brought up to date, in a transaction; yields the time."""
        with self._lock:
            now, store = self._catch_up(), self.store
            before = store.changes
            with store.transaction():
                yield now
                if store.changes != before:
                    # What was written bears this time: after a crash it must not come again.
                    store.save_time(now)
            if store.changes != before:
                self._tell()

    @contextmanager
    def heard(self, changed: asyncio.Event) -> Iterator[None]:
        """Set an event of the running loop whenever something was written, for as long as the block runs."""
        listener = partial(asyncio.get_running_loop().call_soon_threadsafe, changed.set)
        with self._lock:
            self._listeners.append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(listener)

    def next_request_id(self) -> str:
        """Return the id of the next request."""
        with self._lock:
            self._request += 1
            return self.mint.hexadecimal("req_", self._request)

    def advance(self, seconds: float) -> None:
        """Move time forward, with everything that becomes due."""
        with self._lock:
            store = self.store
            self.clock.advance(seconds)
            self._catch_up()
            store.save_time(self.clock.now())

    def until_next_job(self) -> float | None:
        """Return after how many seconds of the loop a job moves on by itself, or None."""
        due = self.store.jobs.earliest()
        return None if due is None else self.clock.until(due)

    def add_webhook(self, url: str, secret: str | None, events: Iterable[str] | None) -> str:
        """Add a webhook, now or when the store is opened; return its secret."""
        webhook = checked(url, self.mint.secret(url) if secret is None else secret, events)
        with self._lock:
            self._webhooks[url] = webhook
            if self._store is not None:
                self._store.webhooks.put(webhook)
                self._tell()
        return webhook.secret

    def remove_webhook(self, url: str) -> None:
        """Remove a webhook with what waits for it.

        Raises:
            UnknownWebhookError: There is none of this URL.
        """
        with self._lock:
            known = self._webhooks.pop(url, None) is not None
            if self._store is not None:
                with self._store.transaction():
                    known |= self._store.webhooks.remove(url)
        if not known:
            raise UnknownWebhookError(f"the server has no webhook {url!r}")

    def renew(self, seed: int) -> None:
        """Forget everything, the time and the webhooks included, and begin with a seed."""
        with self._lock:
            for url in list(self._webhooks):
                self.remove_webhook(url)
            self.mint = self.personality.ways.minter(seed)
            self.organization = self.mint.make("org-", "organization")
            self.clock.restart()
            self.reset()

    def reset(self) -> None:
        """Forget everything but the time."""
        with self._lock:
            self.store.clear()
            self.store.save_time(self.clock.now())
            self.log.clear()
            self.resets += 1
            self._request = 0
            self.ready.clear()
            self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _go_on(self, ticks: Callable[[], float]) -> None:
        wall, progress = time.time(), self.progress
        before = self.store.time() or wall
        now = max(wall, before)
        self.clock.start(now, ticks)
        with self.store.transaction():
            for job in self.store.jobs.waiting():
                progress.shift(job, now - before)
            for job in self.store.jobs.in_hands():
                progress.take_up(job, now)
            self.store.save_time(now)

    def _catch_up(self) -> float:
        now, jobs, files, uploads = self.clock.now(), self.store.jobs, self.store.files, self.store.uploads
        job, stale, lapsed = jobs.next_due(now), files.expired(now), uploads.lapsed(now)
        if job is None and not stale and not lapsed:
            return now
        progress = self.progress
        with self.store.transaction():
            while job is not None:
                progress.run(job, now)
                job = jobs.next_due(now)
            for seq in stale:
                files.discard(seq)
            for seq in lapsed:
                uploads.end(seq, "expired")
            self.store.save_time(now)
        self._tell()
        return now
