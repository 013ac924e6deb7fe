"""Killed at random while one request in seven goes wrong: nothing is lost all the same."""

from __future__ import annotations

import random

from tests.fire import trials
from tests.fire.proxy import spawned
from tests.fire.trials import Range

TRIALS, KILLS, PROCESSES = 3, 2, 3


def test_killed_in_a_storm_it_finishes_in_the_quiet_after_it(fire: Range) -> None:
    chance = random.Random(1_969)
    with spawned(fire.world.url, seed=1_969, share=0.0) as storm:
        for _ in range(TRIALS):
            trials.killed_in_a_storm(fire, storm, chance, KILLS)
        spoilt = sum(storm.counts()["injected"].values())
    assert spoilt > 20, "there was hardly a storm"


def test_a_door_or_a_hand_that_is_killed_is_carried_on_or_replaced(fire: Range) -> None:
    chance = random.Random(2)
    for _ in range(PROCESSES):
        trials.killed_in_processes(fire, chance)


def test_a_door_and_its_hands_that_were_frozen_do_nothing_wrong_when_they_thaw(
    fire: Range,
) -> None:
    before = fire.counts.of("frozen beyond its lease").struck
    trials.frozen_in_processes(fire, random.Random(11))
    assert fire.counts.of("frozen beyond its lease").struck > before, "it ended before"
