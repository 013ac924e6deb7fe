"""S3 servers by other authors than the embedded one's, started from their packages.

Each runs as a process of its own on a free port of loopback, with nothing of this machine's in its
environment, and ends with the block that started it.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

START_S_MAX = 60.0
POLL_S = 0.05


@contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """Run ministack, S3 alone: it checks digests, honours conditions, keeps versions."""
    port = _free_port()
    environment = {
        "SERVICES": "s3",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nowhere",
        "LOG_LEVEL": "ERROR",
    }
    with _served([sys.executable, "-m", "ministack"], folder, port, environment) as url:
        yield url


@contextmanager
def rclone(folder: Path) -> Iterator[str]:
    """Run ``rclone serve s3`` over a folder: it ignores every condition."""
    port = _free_port()
    found = shutil.which("rclone") or str(Path(sys.executable).with_name("rclone"))
    data = folder / "data"
    data.mkdir()
    command = [found, "serve", "s3", str(data), "--addr", f"127.0.0.1:{port}"]
    options = ["--config", str(folder / "none.conf"), "--auth-key", "AKIALIVETEST,not a secret"]
    with _served([*command, *options], folder, port, {}) as url:
        yield url


@contextmanager
def _served(
    command: Sequence[str], folder: Path, port: int, environment: Mapping[str, str]
) -> Iterator[str]:
    own = {"HOME": str(folder), "TMPDIR": str(folder), "PATH": "/usr/bin:/bin", **environment}
    log = folder / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, env=own, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        _await(server, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(10)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the server answers connections."""
    pause = threading.Event()
    for _ in range(int(START_S_MAX / POLL_S)):
        assert server.poll() is None, f"the server ended: {log.read_text('utf-8')[-2000:]}"
        with closing(socket.socket()) as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        pause.wait(POLL_S)
    raise AssertionError("the server did not start in time")
