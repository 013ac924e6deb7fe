"""A process that imports everything once, and forks for each command.

``python -m tests.fire.driver`` reads requests and writes answers, a line of JSON each. ``fork``
runs one command of ours in a child, which opens its house, its ledger and its clients after the
fork, and so shares none of them with anybody. ``wait`` waits until a child ended (or stopped, if
that is asked for); ``look`` says whether it has ended.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import boto3
import pytest
from botocore.loaders import JSONFileLoader

from flows.command import running
from flows.command.app import app
from tests.fire import failpoint

assert running is not None, "what a command would import late, and slowly, is there before the fork"


def main() -> None:
    """Serve until standard input ends."""
    _read_once()
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {"fork": _fork, "wait": _wait, "look": _look}[asked["do"]](asked)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _read_once() -> None:
    """Read the descriptions of S3 before any fork: they are most of what a client costs."""
    load = JSONFileLoader.load_file
    plain = JSONFileLoader()
    once = cache(lambda path: load(plain, path))

    def load_file(_: JSONFileLoader, file_path: str) -> Any:
        return once(file_path)

    JSONFileLoader.load_file = load_file  # type: ignore[assignment, method-assign]
    boto3.client("s3", region_name="us-east-1")


def _fork(asked: Mapping[str, Any]) -> dict[str, Any]:
    pid = os.fork()
    if pid == 0:
        _child(asked)
    return {"pid": pid}


def _child(asked: Mapping[str, Any]) -> NoReturn:
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, "out"), (2, "err")):
            said = Path(asked["folder"]) / name
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        with pytest.MonkeyPatch.context() as patch:
            failpoint.of(asked).install(patch)
            app([*asked["words"], "--config", asked["config"]], prog_name="repatria")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(asked: Mapping[str, Any]) -> dict[str, Any]:
    _, status = os.waitpid(asked["pid"], os.WUNTRACED if asked.get("stopped") else 0)
    if os.WIFSTOPPED(status):
        return {"stopped": True}
    return {"code": os.waitstatus_to_exitcode(status)}


def _look(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether a child has ended; it can still be waited for."""
    found = os.waitid(os.P_PID, asked["pid"], os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return {"ended": found is not None}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
