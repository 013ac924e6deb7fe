"""One planted bug: a patch whose first lines say what is wrong, what it breaks, who notices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
ROOT: Final = FOLDER.parents[1]
HEAD: Final = ("wrong", "breaks", "red")


@dataclass(frozen=True)
class Bug:
    """``red`` are the tests, as pytest names them, of which at least one must fail."""

    name: str
    patch: Path
    wrong: str
    breaks: str
    red: tuple[str, ...]


def bugs() -> list[Bug]:
    """Return every bug that is kept, by name."""
    return [_read(patch) for patch in sorted(FOLDER.glob("*.patch"))]


def _read(patch: Path) -> Bug:
    told: dict[str, str] = {}
    for line in patch.read_text("utf-8").splitlines():
        name, _, text = line.removeprefix("# ").partition(": ")
        if not line.startswith("# ") or name not in HEAD:
            break
        told[name] = text.strip()
    assert tuple(told) == HEAD, f"{patch.name} begins with {HEAD}"
    return Bug(patch.stem, patch, told["wrong"], told["breaks"], tuple(told["red"].split()))
