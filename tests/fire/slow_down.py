"""A storm of SlowDown by the clock: all requests are refused, then half of them, then none.

With the limits that are the default, but for the wait between two attempts: a storm outlasts the
attempts of a call, so that runs end by name, and the same commands finish when it is over.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from repatria.limits import Limits
from tests.fire import matrix
from tests.fire.faults import Fault
from tests.fire.ground import Ground
from tests.fire.proxy import proxied, storm
from tests.fire.store import plain_client, s3_server

ALL_S: Final = 30.0
HALF_S: Final = 20.0
RUNS_IN_QUIET_MAX: Final = 2


def outlived(folder: Path, seed: int) -> int:
    """Give the commands through a storm and after it; return how many requests it refused.

    Fails if a run of the worst part makes more requests than one call may, if a run ends other
    than complete or throttled, or if home is not what it should be in the end.
    """
    os.environ.update(matrix.environment())
    with s3_server() as url, plain_client(url) as s3, proxied(url, seed) as proxy:
        ground = Ground(folder, s3, proxy.url, {"wait_s_max": 5.0})
        ground.lay()
        ground.begin()
        ground.trust()
        proxy.forget()
        refused = 0
        for share, lasts in ((1.0, ALL_S), (0.5, HALF_S)):
            proxy.rules = [storm(share, (Fault.SLOW_DOWN,))]
            until = time.monotonic() + lasts
            while time.monotonic() < until:
                before = proxy.asked.total()
                ended = ground.work()
                assert ended.complete or ended.told.startswith("Throttled"), ended.told
                asked = proxy.asked.total() - before
                assert share < 1 or asked <= Limits().attempts, "it was asked too often"
            refused += proxy.injected.total()
        proxy.rules = []
        assert any(ground.work().complete for _ in range(RUNS_IN_QUIET_MAX)), "it does not end"
        assert ground.at_home() == ground.expected()
        return refused
