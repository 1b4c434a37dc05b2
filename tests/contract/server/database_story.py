"""Writes `old_databases/N.sql`: what a database holds after a story that leaves something in every table.

`python -m tests.contract.server.database_story` writes that of today's version, to be kept when the tables change.
Those of earlier versions were written by the code of their time, each with as much of the story as it knew.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from fine_tuning_async.server import LocalServer
from fine_tuning_async.server.store.schema import VERSION
from tests.contract.server.http_api import Api

FOLDER = Path(__file__).parent / "old_databases"
SEED = 7
KEY = "key-of-done"
LINE = b'{"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": "4"}]}\n'
WEBHOOK = "http://127.0.0.1:9/"


def wish(file_id: str, suffix: str, *, epochs: int = 1, **more: object) -> dict[str, object]:
    """The body of a create: five examples in a batch, so that two steps are an epoch."""
    hyperparameters = {"n_epochs": epochs, "batch_size": 5}
    method = {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}
    return {"model": "gpt-4o-mini", "training_file": file_id, "method": method, "suffix": suffix, **more}


def tell(server: LocalServer, api: Api) -> None:
    """Leave a job in every state, files of every kind, an unfinished upload, a delivery that waits."""
    train = api.upload(LINE * 10).json["id"]
    api.upload(b"{}\n", filename="b.jsonl", purpose="batch")
    server.add_webhook(WEBHOOK, secret="whsec_" + "A" * 44)

    def job(suffix: str, epochs: int = 1, headers: dict[str, str] | None = None) -> str:
        metadata = {"run": "1"} if headers else None
        body = wish(train, suffix, epochs=epochs, metadata=metadata)
        return str(api.call("POST", "/fine_tuning/jobs", body, headers).json["id"])

    done = job("done", headers={"Idempotency-Key": KEY})
    server.finish(done)
    server.fail(job("failed"), code="server_error")
    api.post(f"/fine_tuning/jobs/{job('cancelled')}/cancel")
    job("running", 4)
    paused = job("paused", 4)
    server.advance(27)
    api.post(f"/fine_tuning/jobs/{paused}/pause")
    server.advance(5)
    job("waiting")
    model = api.job(done)["fine_tuned_model"]
    api.post(f"/fine_tuning/checkpoints/{model}/permissions", {"project_ids": ["proj-1"]})
    _upload(api, [LINE * 5, LINE * 5], size=len(LINE) * 10)
    _upload(api, [b"a part"], size=9)


def _upload(api: Api, parts: list[bytes], *, size: int) -> None:
    body = {"bytes": size, "filename": "parts.jsonl", "mime_type": "text/jsonl", "purpose": "fine-tune"}
    path = f"/uploads/{api.post('/uploads', body).json['id']}"
    ids = [_part(api, path, content) for content in parts]
    if size == sum(map(len, parts)):
        api.post(f"{path}/complete", {"part_ids": ids})


def _part(api: Api, path: str, content: bytes) -> str:
    form = b'--b\r\nContent-Disposition: form-data; name="data"; filename="x"\r\n\r\n' + content + b"\r\n--b--\r\n"
    return str(api.post(f"{path}/parts", form, Content_Type="multipart/form-data; boundary=b").json["id"])


def dump(path: Path) -> str:
    """The SQL that makes a database like that of a file; JSON in it is left legible."""
    with closing(sqlite3.connect(path)) as connection:
        lines = "\n".join(connection.iterdump())
        marks = [
            f"PRAGMA {name} = {connection.execute(f'PRAGMA {name}').fetchone()[0]};"
            for name in ("application_id", "user_version")
        ]
    return "\n".join([re.sub(r"X'([0-9A-F]+)'", _legible, lines), *marks, ""])


def _legible(found: re.Match[str]) -> str:
    text = bytes.fromhex(found[1]).decode(errors="replace")
    quoted = text.replace("'", "''")
    return f"CAST('{quoted}' AS BLOB)" if text.isprintable() and "\ufffd" not in text else found[0]


def restore(name: str, path: Path) -> Path:
    """Make the database of a dump."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FOLDER / f"{name}.sql").read_text())
    return path


def write(folder: Path) -> str:
    """The dump of today's version."""
    path = folder / "story.db"
    with LocalServer(db=path, seed=SEED) as server:
        tell(server, Api(server.url))
    return dump(path)


def rows(path: Path, query: str) -> list[Any]:
    """What a query finds in a file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if (FOLDER / f"{VERSION}.sql").write_text(write(Path(folder))) else 1)
