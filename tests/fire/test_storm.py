"""Killed at random while one request in seven goes wrong: nothing is lost all the same."""

from __future__ import annotations

import random

from tests.fire import trials
from tests.fire.proxy import spawned
from tests.fire.trials import Range

TRIALS, KILLS = 3, 2


def test_killed_in_a_storm_it_finishes_in_the_quiet_after_it(fire: Range) -> None:
    chance = random.Random(1_969)
    with spawned(fire.world.url, seed=1_969, share=0.0) as storm:
        for _ in range(TRIALS):
            trials.killed_in_a_storm(fire, storm, chance, KILLS)
        spoilt = sum(storm.counts()["injected"].values())
    assert spoilt > 20, "there was hardly a storm"
