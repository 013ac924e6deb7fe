"""A job whose stripes are run by hands: started when they are needed, replaced when they end.

To whoever works through the stripes (threads, Prefect tasks) it is a job like any other. Each
caller's thread drives one hand. A hand that ends without a word, or gives no sign of life while it
decodes, is replaced, and its stripe run again: what it committed stands.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flows.hands import wire
from flows.hands.deaths import Announced, Deaths
from flows.hands.errand import Errand, Verb
from flows.hands.hand import PROGRAM, Hand, HandDied
from repatria.errors import Stopped
from repatria.names import DatasetName

if TYPE_CHECKING:
    from flows.wiring import House
    from repatria.ports.rules import Progresses

STARTING_S: Final = 120.0
"""Seconds that a hand has for its first word, which needs most of its imports."""
TICK_S: Final = 0.25
"""How often a thread that waits for its hand looks whether it should stop."""


@dataclass(slots=True)
class Hands:
    """The hands of one errand. ``of`` is how many there may be at once, all houses together."""

    house: House
    errand: Errand
    deaths: Deaths
    of: int = 1
    program: Sequence[str] = PROGRAM
    _idle: list[Hand] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _starter: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="hands")
    )

    def close(self) -> None:
        """Let every hand leave."""
        with self._lock:
            leaving, self._idle = self._idle, []
        for hand in leaving:
            hand.leave()
        self._starter.shutdown()

    @contextmanager
    def borrowed(self) -> Iterator[Hand]:
        """Lend a hand for one order; it is ended unless the order was followed to its end."""
        hand = self._taken()
        try:
            yield hand
        except BaseException:
            hand.end()
            raise
        with self._lock:
            self._idle.append(hand)

    def _taken(self) -> Hand:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        hand = Hand(self._starter, self.program)
        try:
            hand.order("open", errand=self.errand.told(), of=self.of)
        except BaseException:
            hand.end()
            raise
        return hand

    def follow(
        self, what: dict[str, object], progress: Progresses, stopping: Callable[[], bool]
    ) -> wire.Message:
        """Have one order followed to its end, by as many hands as that takes; return its answer.

        Raises what the hand raised, and ``HandsLost``.
        """
        while True:
            dialogue = _Dialogue(self, progress, stopping)
            try:
                with self.borrowed() as hand:
                    answer = dialogue.hold(hand, what)
            except HandDied as death:
                self.deaths.died(dialogue.at, death.how)
                if stopping():
                    raise Stopped("stopped when a worker process ended, as asked") from death
                continue
            wire.add_meters(self.house, answer["meters"])
            if answer["at"] == "failed":
                raise wire.failure(answer)
            return answer


class _Dialogue:
    """One order given to one hand, and what is heard until it is done."""

    def __init__(self, hands: Hands, progress: Progresses, stopping: Callable[[], bool]) -> None:
        self.hands = hands
        self.progress = progress
        self.stopping = stopping
        self.clock = hands.house.clock
        self.patience_s = hands.house.config.limits.decode_s_max
        self.at: Announced | None = None
        self.heard_at = self.alive_at = self.clock.monotonic()
        self.signs: object = None
        self.silent = True

    def hold(self, hand: Hand, what: dict[str, object]) -> wire.Message:
        """Give the order and hear the hand out. Raises ``HandDied``."""
        hand.order("work", poison=self.hands.deaths.poison(), **what)
        told = False
        while True:
            if not told and self.stopping():
                if self.hands.errand.verb is Verb.PLAN:
                    raise Stopped("planning was stopped, as asked; nothing of it is kept")
                hand.order("stop")
                told = True
            event = hand.hear(TICK_S)
            if event is None:
                self._still_alive()
            elif event["at"] in ("done", "failed"):
                return event
            else:
                self._heed(event)

    def _still_alive(self) -> None:
        """Raise ``HandDied`` for one that has been silent, or decoding, for too long."""
        since = self.heard_at if self.at is None else self.alive_at
        most = max(self.patience_s, STARTING_S) if self.silent else self.patience_s
        if self.clock.monotonic() - since > most:
            raise HandDied(f"silence for {most:g} s")

    def _heed(self, event: wire.Message) -> None:
        self.silent, self.heard_at = False, self.clock.monotonic()
        if event["at"] != "beat" or event["signs"] != self.signs:
            self.alive_at = self.heard_at
        match event["at"]:
            case "beat":
                self.signs = event["signs"]
                self._still_alive()
            case "begins":
                self.at = announced(event)
            case "ends":
                self.at = None
            case "batch":
                self.hands.deaths.progressed()
                self.progress.batch(DatasetName(event["dataset"]), *event["counts"])
            case "slice":
                dataset = DatasetName(event["dataset"])
                self.progress.slice_done(dataset, event["label"], event["failed"])
            case _:
                raise HandDied("words that are none")


def announced(event: wire.Message) -> Announced:
    """Read what a hand says that it decodes."""
    told: dict[str, Any] = {name: event[name] for name in Announced.__slots__}
    return Announced(**told)
