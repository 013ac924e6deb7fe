"""A service that is ended takes along whatever it started."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

import pytest

from flows.world import services
from flows.world.services import Service

DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
signal.pause()
"""
LEADER = f"""
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {DEAF!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
signal.pause()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="NOT RUN: no processes as files here")
def test_what_a_service_started_does_not_outlive_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "REST_S_MAX", 0.2)
    service = Service(tmp_path, "leader")
    service.start([sys.executable, "-c", LEADER], dict(os.environ))
    service.ready(lambda: bool(service.log.read_text()), within_s=60)
    child = os.pidfd_open(int(service.log.read_text()))
    assert service.stop()
    assert select.select([child], [], [], 10)[0], "what it started lives on"
    os.close(child)
