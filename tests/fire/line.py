"""The connection between a fault proxy and whoever asks: how each fault looks from there."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass

from tests.fire.faults import Fault
from tests.fire.wire import Answer, Request

DRIP_PIECES = 20
DRIP_S = 0.01
STALL_S = 600.0
NOT_HTTP = b"\x00\xffthis is not HTTP\r\n\r\n" * 3


@dataclass(frozen=True)
class Line:
    """The connection to whoever asks."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, request: Request, told: Answer) -> None:
        """Send an answer as it is."""
        self.writer.write(told.head() + (b"" if request.method == "HEAD" else told.body))
        await self.writer.drain()

    def reset(self) -> None:
        """End the connection with RST."""
        linger = struct.pack("ii", 1, 0)
        sock = self.writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def carry(self, fault: Fault, request: Request, told: Answer) -> bool:
        """Send an answer the way a fault has it; return whether the connection may go on."""
        whole = told.head() + (b"" if request.method == "HEAD" else told.body)
        head = len(told.head())
        half = head + len(told.body) // 2 if len(whole) > head else head // 2
        match fault:
            case Fault.RESET_AFTER:
                self.reset()
            case Fault.CUT:
                await self._write(whole[:half])
            case Fault.CUT_HEAD:
                await self._write(whole[: head // 2])
            case Fault.GARBAGE:
                await self._write(b"\x00\xffthis is not HTTP\r\n\r\n" * 3)
            case Fault.STALL:
                await self._hold()
            case Fault.STALL_MIDWAY:
                await self._write(whole[:half])
                await self._hold()
            case Fault.DRIP:
                await self._drip(whole)
                return True
            case _:
                await self._write(whole)
                return True
        return False

    async def _write(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def _hold(self) -> None:
        """Say nothing until whoever asked goes away."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.reader.read(1), STALL_S)

    async def _drip(self, whole: bytes) -> None:
        size = max(1, -(-len(whole) // DRIP_PIECES))
        for at in range(0, len(whole), size):
            await self._write(whole[at : at + size])
            await asyncio.sleep(DRIP_S)
