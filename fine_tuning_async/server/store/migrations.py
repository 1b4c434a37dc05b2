"""The steps from the tables of an earlier version to today's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from fine_tuning_async.server.ids import OWNER
from fine_tuning_async.server.views import model_view

from .schema import APPLICATION, SCHEMA, VERSION

if TYPE_CHECKING:
    import sqlite3


def bring_up_to_date(connection: sqlite3.Connection, version: int) -> None:
    """Give a file of this version, 0 if it is empty, today's tables: all of them, or after a crash none.

    Version 1 had no permissions, 2 no uploads. Three sets of tables were written as 3: with uploads, with
    webhooks, with both. So what is missing is made, whatever is there; columns have not changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        if version:
            _convert(connection, version)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _convert(connection: sqlite3.Connection, version: int) -> None:
    # The rules for training files have changed since: they are read again when a job needs them.
    connection.execute("DELETE FROM verdicts")
    if version == 1:
        _make_checkpoints_models(connection)


def _make_checkpoints_models(connection: sqlite3.Connection) -> None:
    """Let each checkpoint be a model; a job's last one was already, unless it was deleted."""
    rows = connection.execute(
        "SELECT c.model, c.view, j.record FROM checkpoints AS c JOIN jobs AS j ON j.seq = c.job_seq"
    ).fetchall()
    for model, view, record in rows:
        if model != orjson.loads(record)["fine_tuned_model"]:
            row = model, model_view(model, orjson.loads(view)["created_at"], OWNER)
            connection.execute("INSERT INTO models (id, view) VALUES (?, ?)", row)
