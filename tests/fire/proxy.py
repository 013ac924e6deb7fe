"""A seeded fault proxy: stands before an S3 server and spoils what it is told to spoil.

In this process, for trials that change the rules as they go::

    with proxied("http://127.0.0.1:9000", seed=7) as proxy:
        proxy.rules = [Rule((Fault.RESET_AFTER,), {Operation.CREATE}, after=2)]   # the third put
        proxy.rules = [storm(0.15)]                                    # 15 % of all requests
        ...  # work through proxy.url
        proxy.rules = []                                               # faults off
        assert proxy.injected[Fault.RESET_AFTER, Operation.CREATE] == 1

As a process of its own (random kills: the proxy outlives whoever is killed)::

    python -m tests.fire.proxy --upstream http://127.0.0.1:9000 --seed 7 --storm 0.15

``--faults reset-before,cut`` chooses what the storm is made of, ``--verifies`` refuses puts whose
digest is wrong (moto itself does not). ``spawned`` starts that process and speaks with it::

    with spawned("http://127.0.0.1:9000", seed=7, share=0.15) as proxy:
        ...                                  # through proxy.url, from any process
        proxy.storm(0.0)                     # faults off; any other share: on again
        assert proxy.counts()["injected"]    # {"cut get": 3, …}; "asked": {"get": 41, …}

Which request is hit is decided by the seed, the operation, the path and how often that was asked
before: not by the order in which threads come. What no rule hits passes unchanged, and ``injected``
counts only what really happened: a fault that could do nothing to an answer is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from tests.fire.asked import PUTS, Operation, key_of, operation_of
from tests.fire.faults import STORM, Fault, digest_refusal, fits, flipped, made_up, spoilt
from tests.fire.line import Line
from tests.fire.wire import HEAD_BYTES, Answer, Broken, Request, read_answer, read_request

LOGGED_MAX = 20_000

T = TypeVar("T")


@dataclass(frozen=True)
class Rule:
    """Which requests are spoilt, and how: one of ``faults``, at random.

    ``operations`` None: any. ``path`` is how ``bucket/key`` begins. Of those that match, the first
    ``after`` pass, then ``times`` (None: all) are hit, each with probability ``share``.
    """

    faults: Sequence[Fault]
    operations: Collection[Operation] | None = None
    path: str = ""
    after: int = 0
    times: int | None = 1
    share: float = 1.0


def storm(share: float, faults: Sequence[Fault] = STORM) -> Rule:
    """Return the rule of a storm: that share of all requests is spoilt, each in some way."""
    return Rule(faults, times=None, share=share)


class Asked(NamedTuple):
    """One request as the proxy saw it; status 0: no answer was sent."""

    operation: Operation
    path: str
    status: int
    fault: Fault | None


@dataclass
class _Standing:
    """A rule, and how far it has come."""

    rule: Rule
    matched: int = 0
    hit: int = 0


class FaultProxy:
    """A server on a free port of loopback, in front of ``upstream``, with a thread of its own."""

    def __init__(self, upstream: str, seed: int = 0, *, verifies: bool = False) -> None:
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname or "", parts.port or 80)
        self.seed = seed
        self.verifies = verifies
        self.injected: Counter[tuple[Fault, Operation]] = Counter()
        self.asked: Counter[Operation] = Counter()
        self.went_elsewhere = 0
        self.log: list[Asked] = []
        self._standing: list[_Standing] = []
        self._seen: Counter[tuple[Operation, str]] = Counter()
        self._answers: dict[Operation, list[tuple[str, Answer]]] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._port, self._elsewhere = self._call(self._begin())

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def rules(self) -> list[Rule]:
        """What is spoilt; the first rule that hits a request has it. Setting counts anew."""
        return [standing.rule for standing in self._standing]

    @rules.setter
    def rules(self, rules: Sequence[Rule]) -> None:
        with self._lock:
            self._standing = [_Standing(rule) for rule in rules]

    def forget(self) -> None:
        """Forget rules, counts, log and old answers: the next trial begins."""
        with self._lock:
            self._standing = []
            self.injected.clear()
            self.asked.clear()
            self.log.clear()
            self._seen.clear()
            self._answers.clear()
            self.went_elsewhere = 0

    def end(self) -> None:
        """Listen no more, and break what is under way."""
        self._call(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _begin(self) -> tuple[int, str]:
        here = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_BYTES)
        there = await asyncio.start_server(self._strayed, "127.0.0.1", 0)
        self._servers = [here, there]
        ports = [server.sockets[0].getsockname()[1] for server in self._servers]
        return ports[0], f"127.0.0.1:{ports[1]}"

    async def _finish(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _strayed(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Stand where redirects lead: whoever comes here followed one."""
        self.went_elsewhere += 1
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(Broken, ConnectionError, asyncio.CancelledError):
                while request := await read_request(reader, writer):
                    if not await self._meet(request, Line(reader, writer)):
                        break
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _meet(self, request: Request, line: Line) -> bool:
        """Answer one request; return whether the connection may go on."""
        operation, path = operation_of(request), key_of(request)
        trial = self._judge(operation, path, request)
        if trial is None:
            real = await self._ask(request, operation)
            self._note(operation, path, real.status, None)
            await line.send(request, real)
            return True
        if trial.fault is Fault.RESET_BEFORE:
            self._note(operation, path, 0, trial)
            line.reset()
            return False
        return await self._spoil(trial, request, line)

    async def _spoil(self, trial: _Trial, request: Request, line: Line) -> bool:
        operation, path, fault = trial.operation, key_of(request), trial.fault
        invented = made_up(fault, self._elsewhere)
        if invented is not None:
            self._note(operation, path, invented.status, trial)
            await line.send(request, invented)
            return True
        sent = request
        if fault is Fault.FLIP_REQUEST:
            sent = replace(request, body=flipped(request.body, trial.chance))
        real = await self._ask(sent, operation)
        if fault is Fault.DUPLICATE:
            real = await self._ask(sent, operation)
        told = spoilt(fault, real, self._other(operation, request), trial.chance)
        if told is None:
            trial.standing.hit -= 1
            self._note(operation, path, real.status, None)
            await line.send(request, real)
            return True
        self._note(operation, path, real.status, trial)
        return await line.carry(fault, request, told)

    async def _ask(self, request: Request, operation: Operation) -> Answer:
        """Ask the store."""
        if self.verifies and operation in PUTS and (refusal := digest_refusal(request)):
            return refusal
        reader, writer = await asyncio.open_connection(*self.upstream, limit=HEAD_BYTES)
        try:
            writer.write(request.lines())
            await writer.drain()
            real = await read_answer(reader, request)
        finally:
            writer.close()
        if real.status < 300:
            self._keep(operation, request, real)
        return real

    def _judge(self, operation: Operation, path: str, request: Request) -> _Trial | None:
        """Say whether and how a request is spoilt."""
        with self._lock:
            number = self._seen[operation, path]
            self._seen[operation, path] += 1
            for standing in self._standing:
                rule = standing.rule
                chance = Random(f"{self.seed} {operation} {path} {number}")
                faults = [fault for fault in rule.faults if fits(fault, operation, request)]
                if not faults or not _meant(rule, operation, path):
                    continue
                standing.matched += 1
                used_up = rule.times is not None and standing.hit >= rule.times
                if standing.matched <= rule.after or used_up or chance.random() >= rule.share:
                    continue
                standing.hit += 1
                return _Trial(chance.choice(faults), operation, chance, standing)
        return None

    def _keep(self, operation: Operation, request: Request, real: Answer) -> None:
        about = _about(request)
        with self._lock:
            kept = [it for it in self._answers.get(operation, ()) if it[0] != about]
            self._answers[operation] = [*kept, (about, real)][-2:]

    def _other(self, operation: Operation, request: Request) -> Answer | None:
        """Return the last answer about anything else."""
        about = _about(request)
        with self._lock:
            kept = reversed(self._answers.get(operation, []))
            return next((real for where, real in kept if where != about), None)

    def _note(self, operation: Operation, path: str, status: int, trial: _Trial | None) -> None:
        """Count a request, before its answer is sent: whoever has the answer finds it counted."""
        with self._lock:
            self.asked[operation] += 1
            fault = None if trial is None else trial.fault
            if fault is not None:
                self.injected[fault, operation] += 1
            if len(self.log) < LOGGED_MAX:
                self.log.append(Asked(operation, path, status, fault))


@dataclass(frozen=True)
class _Trial:
    """One request that is to be spoilt."""

    fault: Fault
    operation: Operation
    chance: Random
    standing: _Standing


@contextmanager
def proxied(upstream: str, seed: int = 0, *, verifies: bool = False) -> Iterator[FaultProxy]:
    """Stand in the way for the length of a ``with`` block."""
    proxy = FaultProxy(upstream, seed, verifies=verifies)
    try:
        yield proxy
    finally:
        proxy.end()


def _about(request: Request) -> str:
    return f"{request.target} {request.header('Range')}"


def _meant(rule: Rule, operation: Operation, path: str) -> bool:
    named = rule.operations is None or operation in rule.operations
    return named and path.startswith(rule.path)


class Spawned:
    """A fault proxy in a process of its own, told what to do on its standard input."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = self._heard().strip()

    def storm(self, share: float) -> None:
        """Spoil that share of all requests from now on; 0: none."""
        self._say(f"storm {share}")

    def counts(self) -> dict[str, dict[str, int]]:
        """Return what was ``injected`` and what was ``asked`` since it began."""
        self._say("counts")
        told: dict[str, dict[str, int]] = json.loads(self._heard())
        return told

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _heard(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the fault proxy ended"
        return line


@contextmanager
def spawned(
    upstream: str, *, seed: int, share: float, faults: Sequence[Fault] = STORM
) -> Iterator[Spawned]:
    """Run a fault proxy as a process of its own for the length of a ``with`` block."""
    chosen = ",".join(faults)
    told = ["--upstream", upstream, "--seed", str(seed), "--storm", str(share), "--faults", chosen]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fire.proxy", *told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            yield Spawned(process)
        finally:
            process.communicate()  # Its standard input ends, and so does it.


def main() -> None:
    """Stand in the way until standard input ends."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--storm", type=float, default=0.0)
    parser.add_argument("--faults", default=",".join(STORM))
    parser.add_argument("--verifies", action="store_true")
    told = parser.parse_args()
    faults = [Fault(name) for name in told.faults.split(",")]
    with proxied(told.upstream, told.seed, verifies=told.verifies) as proxy:
        proxy.rules = [storm(told.storm, faults)]
        _say(proxy.url)
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            if word == "storm":
                proxy.rules = [storm(float(rest), faults)]
            elif word == "counts":
                _say(_counted(proxy))
        _say(_counted(proxy))


def _counted(proxy: FaultProxy) -> str:
    injected = {f"{fault} {it}": count for (fault, it), count in sorted(proxy.injected.items())}
    asked = {str(it): count for it, count in sorted(proxy.asked.items())}
    return json.dumps({"injected": injected, "asked": asked})


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
