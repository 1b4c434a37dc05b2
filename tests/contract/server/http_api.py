"""A plain HTTP client for the server's tests: the package's own client is not used here."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from tests.specification import Witness

BOUNDARY = "----of-the-test"
RECORDED = Path(__file__).parents[4] / "shared" / "data" / "responses"


def recorded(name: str) -> dict[str, Any]:
    """Return what a real server has answered."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip("the recorded answers are not beside the repository")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]


class Api:
    """Sends one request at a time to a server.

    Args:
        url: The server's base URL.
        witness: What looks at each answer.
    """

    def __init__(self, url: str, witness: Witness | None = None) -> None:
        self.url = url
        self.witness = witness

    def call(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
        sent = {"Authorization": "Bearer sk-test", **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, parts.path + path, body, sent)
            response = connection.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()
        if self.witness is not None:
            self.witness.see(method, path, answer.status, answer.headers.get("content-type", ""), answer.body)
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> Answer:
        return self.call("POST", path, body, {k.replace("_", "-"): v for k, v in headers.items()})

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    def upload(
        self, content: bytes, *, file_first: bool = False, filename: str = "t.jsonl", **fields: Any
    ) -> Answer:
        fields = {"purpose": "fine-tune", **fields}
        parts = [
            f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode()
            for name, text in fields.items()
        ]
        head = f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'.encode()
        parts.insert(0 if file_first else len(parts), head + content)
        form = b"".join(f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts)
        form += f"--{BOUNDARY}--\r\n".encode()
        return self.call("POST", "/files", form, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})

    def training_file(self, examples: int = 10) -> str:
        return str(self.upload(chat_lines(examples)).json["id"])

    def create(self, file_id: str | None = None, **fields: Any) -> dict[str, Any]:
        body = {"model": "gpt-4o-mini", "training_file": file_id or self.training_file(), **fields}
        answer = self.post("/fine_tuning/jobs", body)
        assert answer.status == 200, answer.body
        job: dict[str, Any] = answer.json
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.get(f"/fine_tuning/jobs/{job_id}").json
        return job

    def events(self, job_id: str) -> list[dict[str, Any]]:
        """Return all events, oldest first."""
        found: list[dict[str, Any]] = []
        path = f"/fine_tuning/jobs/{job_id}/events?limit=100"
        while True:
            after = f"&after={found[-1]['id']}" if found else ""
            page = self.get(path + after).json
            found += page["data"]
            if not page["has_more"]:
                return found[::-1]


def chat_lines(count: int) -> bytes:
    lines = []
    for number in range(count):
        user = {"role": "user", "content": f"question {number}"}
        row = {"messages": [user, {"role": "assistant", "content": "an answer"}]}
        lines.append(json.dumps(row).encode())
    return b"\n".join(lines) + b"\n" * bool(lines)
