"""A trainer that runs in a process of its own; the job's metadata say how it behaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn


def report(kind: str, **said: Any) -> None:
    write(json.dumps({"report": kind, **said}) + "\n")


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def sleep() -> NoReturn:
    while True:
        time.sleep(60)


def ignore_cancel(_: dict[str, Any]) -> None:
    """Neither listen to SIGTERM, nor let a child listen to it; tell the process ids of both."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    report("note", message=f"{os.getpid()} {child.pid}")
    sleep()


def block(_: dict[str, Any]) -> None:
    report("note", message=str(os.getpid()))
    sleep()


def train_on(task: dict[str, Any]) -> None:
    """Report steps for ever; ignore that there are enough of them, but tell of it with a file."""
    told = Path(task["training_file"]).parents[1] / f"{os.getpid()}.closed"
    signal.signal(signal.SIGTERM, lambda *_: told.touch())
    for number in range(1, 1_000_000):
        report("step", number=number, total=1_000_000)
        time.sleep(0.001)


def crash(_: dict[str, Any]) -> None:
    report("step", number=1, total=9, metrics={"train_loss": 2.0})
    sys.stderr.write("loading\nout of memory\n")
    os._exit(3)


def leave_a_child(_: dict[str, Any]) -> None:
    """End, while a child holds stdout and stderr open."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    report("note", message=f"{os.getpid()} {child.pid}")
    sys.stderr.write("out of memory\n")
    sys.stderr.flush()
    os._exit(3)


def be_killed(_: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def talk_nonsense(_: dict[str, Any]) -> None:
    write("Epoch 1/3 [=====>    ]\n")
    sleep()


def talk_endlessly(_: dict[str, Any]) -> None:
    while True:
        write("x" * 100_000)


def say_why(_: dict[str, Any]) -> None:
    report("failed", message="the loss is not a number", code="diverged", param="learning_rate_multiplier")


def train(task: dict[str, Any]) -> None:
    """Train until it is asked to pause; then save a checkpoint. Gone on with, walk to the end."""
    lines = Path(task["training_file"]).read_bytes().splitlines()
    if task["checkpoint"] is None:
        report("step", number=1, total=len(lines), metrics={"train_loss": 2.0})
        assert json.loads(sys.stdin.readline()) == {"pause": True}
        report("checkpoint", step=1, artefact="weights/1")
        return
    assert task["checkpoint"]["artefact"] == "weights/1"
    for number in range(2, len(lines) + 1):
        report("step", number=number, total=len(lines), metrics={"train_loss": 2.0 / number})
    results = Path(task["training_file"]).with_name("results.csv")
    results.write_text("step,train_loss\n10,0.2\n")
    report("finished", artefact="weights/final", trained_tokens=1234, result_file=str(results))
    sleep()


if __name__ == "__main__":
    ordered = json.loads(sys.stdin.readline())
    globals()[ordered["metadata"]["does"]](ordered)
