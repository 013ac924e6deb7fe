"""The store of a benchmark: its server started and stopped, its buckets made and emptied.

Whoever measures asks it for the CPU seconds that it used, so that they are not anybody's.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from bench.measure import own_cpu_s


@dataclass(frozen=True, slots=True)
class Store:
    """A server that runs."""

    port: int
    pid: int

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_s(self) -> float:
        """Return the CPU seconds that the server used so far."""
        return own_cpu_s(self.pid)

    def make(self, bucket: str, location: str) -> None:
        """Make a bucket."""
        body = f"<C><LocationConstraint>{location}</LocationConstraint></C>"
        self._ask("PUT", f"/{bucket}", body.encode())

    def drop(self, bucket: str) -> None:
        """Remove a bucket with everything in it."""
        for key in self.keys(bucket):
            self._ask("DELETE", f"/{bucket}/{key}")
        self._ask("DELETE", f"/{bucket}")

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """Return the keys of a bucket, as a URL writes them."""
        found: list[str] = []
        more = True
        while more:
            after = found[-1] if found else ""
            page = self._ask(
                "GET",
                f"/{bucket}?list-type=2&encoding-type=url&prefix={prefix}&start-after={after}",
            )
            tree = ET.fromstring(page)  # noqa: S314 - our own server's
            said = {one.tag.rpartition("}")[2]: one.text or "" for one in tree}
            found += [one.text or "" for one in tree.iter() if one.tag.endswith("}Key")]
            more = said["IsTruncated"] == "true"
        return found

    def get(self, bucket: str, key: str) -> bytes:
        """Return the bytes of an object; its key as a URL writes it."""
        return self._ask("GET", f"/{bucket}/{key}")

    def _ask(self, method: str, target: str, body: bytes = b"") -> bytes:
        line = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            line.request(method, target, body)
            answer = line.getresponse()
            content = answer.read()
        finally:
            line.close()
        if answer.status >= 300:
            raise RuntimeError(f"the bench's store answers {answer.status} to a {method}")
        return content


@contextmanager
def served(indexes: Sequence[Path], under: Path) -> Iterator[Store]:
    """Run a server that holds ``indexes``; what is put there goes away with it."""
    under.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="store-", dir=under))
    server = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "bench.server", folder, *indexes],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    try:
        assert server.stdout is not None, "asked for above"
        yield Store(int(server.stdout.readline()), server.pid)
    finally:
        server.communicate()
        shutil.rmtree(folder)
