"""A hand: the program of a child process that decodes for a door, one stripe at a time.

``python -m flows.hands.child EVENTS PARENT`` reads orders from standard input and writes events to
the file descriptor EVENTS, both as lines of JSON. Being killed is safe at every moment, so that a
hand ends at once when its door is gone: the kernel sees to it on Linux, and the end of its orders
everywhere. Ctrl-C and SIGTERM are the door's to hear, who says when to stop.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Final

from flows.hands import wire
from flows.hands.errand import Errand, Verb, joined
from flows.jobs import Job
from flows.part import Part
from flows.wiring import House, open_house
from repatria.attempt import poison
from repatria.errors import RepatriaError
from repatria.names import DatasetName
from repatria.slice import Slice

BEAT_S: Final = 1.0
"""Seconds between two signs of life. A decoder that never lets go of the interpreter stops them."""
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


class Voice:
    """Says events, from several threads."""

    def __init__(self, events: int) -> None:
        self._stream = os.fdopen(events, "wb")
        self._lock = threading.Lock()
        self.batches = 0

    def say(self, at: str, **told: object) -> None:
        """Say one event, whole."""
        with self._lock:
            try:
                self._stream.write(wire.line({"at": at, **told}))
                self._stream.flush()
            except BrokenPipeError:
                os._exit(0)  # Nobody hears us any more.

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        """Tell of a batch."""
        self.batches += 1
        self.say("batch", dataset=dataset, counts=[read, moved, bytes_read])

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        """Tell of a slice."""
        self.say("slice", dataset=dataset, label=label, failed=failed)


class Witness:
    """Tells the door what is decoded, and refuses what it knows to be poison."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self.poison: dict[tuple[str, str], int] = {}
        self.passed_over: list[str] = []

    def begins(self, piece: Slice) -> None:
        """Tell of a slice before a decoder sees it. Raises ``Poison``."""
        if ends := self.poison.get((piece.id, piece.version)):
            self.passed_over.append(piece.label)
            raise poison(piece, ends)
        self._voice.say(
            "begins",
            slice=piece.id,
            version=piece.version,
            dataset=piece.dataset,
            site=piece.site,
            label=piece.label,
        )

    def ends(self, piece: Slice) -> None:
        """Tell that a decoder is done."""
        self._voice.say("ends")


class Hand:
    """Does what it is told until it is told to leave."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.witness = Witness(voice)
        self.orders: queue.SimpleQueue[wire.Message] = queue.SimpleQueue()
        self.stop = threading.Event()
        self.house: House | None = None

    def listen(self) -> None:
        """Hear orders; leave at once when they end."""
        for text in sys.stdin.buffer:
            order = wire.message(text)
            if order["do"] == "stop":
                self.stop.set()
            else:
                self.orders.put(order)
        os._exit(0)

    def beat(self) -> None:
        """Show signs of life: a number that changes while batches or calls to stores do."""
        while True:
            meters = list(self.house.meters.values()) if self.house else []
            totals = [meter.total() for meter in meters]
            self.voice.say(
                "beat", signs=[self.voice.batches, *(t.calls + t.bytes_in for t in totals)]
            )
            threading.Event().wait(BEAT_S)

    def work(self) -> None:
        """Open the house, then follow orders, one after another."""
        opening = self.orders.get()
        errand = Errand.heard(opening["errand"])
        with ExitStack() as stack, self._failing():
            part = Part(opening["of"], self.witness)
            self.house = stack.enter_context(open_house(errand.folder, part))
            do = self._planner(errand, self.house)
            if errand.verb is not Verb.PLAN:
                do = self._worker(stack.enter_context(joined(self.house, errand)))
            while (order := self.orders.get())["do"] != "leave":
                self.witness.poison = {(piece, version): n for piece, version, n in order["poison"]}
                try:
                    done = do(order)
                except RepatriaError as error:
                    self._fail(error)
                else:
                    self.voice.say("done", meters=wire.meters_told(self.house), **done)

    def _worker(self, job: Job) -> Callable[[wire.Message], dict[str, object]]:
        def do(order: wire.Message) -> dict[str, object]:
            run = job.take_over if order.get("over") else job.run_stripe
            tally = run(order["stripe"], self.voice, self.stop.is_set)
            return {"tally": asdict(tally)}

        return do

    def _planner(self, errand: Errand, house: House) -> Callable[[wire.Message], dict[str, object]]:
        def do(_order: wire.Message) -> dict[str, object]:
            from flows.preparing import make_plan  # noqa: PLC0415 - movers need it not

            made = make_plan(house, errand.order.datasets, errand.order.regions)
            return {"plan": made.digest}

        return do

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Tell the door of whatever ends this hand, and nobody else: texts may hold anything."""
        try:
            yield
        except Exception as error:
            self._fail(error)
            raise SystemExit(1) from error

    def _fail(self, error: Exception) -> None:
        meters = wire.meters_told(self.house) if self.house is not None else {}
        self.voice.say("failed", meters=meters, **wire.told(error))


def bind(parent: int) -> None:
    """Let the kernel end this process with its door, and ignore what is the door's to hear."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Be a hand."""
    events, parent = map(int, arguments)
    bind(parent)
    hand = Hand(Voice(events))
    for work in (hand.listen, hand.beat):
        threading.Thread(target=work, daemon=True).start()
    # The thread that listens holds the orders, over which an orderly exit would abort.
    try:
        hand.work()
    except SystemExit:
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
