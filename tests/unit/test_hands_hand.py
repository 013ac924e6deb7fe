"""Whatever a hand says or dies of, its door hears of one death and no more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from flows.hands.hand import Hand, HandDied

WITHIN_S = 60


@pytest.fixture
def starter() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def death(starter: ThreadPoolExecutor, does: str) -> str:
    """Return how a hand ended that does this with the pipe ``events``."""
    program = f"import os, signal, sys; events = int(sys.argv[1]); {does}"
    hand = Hand(starter, (sys.executable, "-c", program))
    try:
        with pytest.raises(HandDied) as ended:
            hand.hear(WITHIN_S)
    finally:
        hand.end()
    return ended.value.how


@pytest.mark.parametrize(
    ("does", "how"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "signal 9 (SIGKILL)"),
        ("os.kill(os.getpid(), signal.SIGRTMIN + 6)", "signal 40"),
        ("sys.exit(3)", "exit code 3"),
        (r"os.write(events, b'{\n'); signal.pause()", "words that are none"),
        (r"os.write(events, b'\xff\n'); signal.pause()", "words that are none"),
        (r"os.write(events, b'[]\n'); signal.pause()", "words that are none"),
        ("[os.write(events, b'x' * 65536) for _ in range(999)]", "a line without an end"),
    ],
)
def test_a_hand_that_dies_or_babbles_is_a_death(
    starter: ThreadPoolExecutor, does: str, how: str
) -> None:
    assert death(starter, does) == how
