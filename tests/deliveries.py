"""Deliveries of webhooks, signed by hand as Standard Webhooks describes it: no code of the package is used."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

KEY = b"k" * 32
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
OTHER_SECRET = f"whsec_{base64.b64encode(b'o' * 32).decode()}"


def event(job_id: str = "ftjob-1", kind: str = "succeeded", **fields: Any) -> dict[str, Any]:
    body = {"id": "evt_1", "object": "event", "type": f"fine_tuning.job.{kind}", "created_at": 1_719_168_000}
    return {**body, "data": {"id": job_id}, **fields}


def body_of(job_id: str = "ftjob-1", kind: str = "succeeded", **fields: Any) -> bytes:
    return json.dumps(event(job_id, kind, **fields)).encode()


def signature(body: bytes, delivery_id: str, moment: str, key: bytes = KEY) -> str:
    digest = hmac.new(key, f"{delivery_id}.{moment}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def signed(body: bytes, delivery_id: str = "wh_1", *, age: float = 0, key: bytes = KEY) -> dict[str, str]:
    """The headers of a delivery that was sent `age` seconds ago."""
    moment = str(int(time.time() - age))
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": moment,
        "webhook-signature": signature(body, delivery_id, moment, key),
    }
