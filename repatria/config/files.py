"""The files of a configuration: found, read and laid together into one tree.

Every ``*.yaml`` below the folder counts, but for hidden files and folders and ``schema/``. A
link may lead anywhere (that is how clusters mount a configuration), to a regular file.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from repatria.config.config_model import SPREADABLE, ConfigModel
from repatria.config.problem import Mark, Problem
from repatria.config.problem import Path as KeyPath
from repatria.config.yaml_strict import BYTES_MAX, Parsed, Value, parse

FILES_MAX: Final = 200
SCHEMA_FOLDER: Final = "schema"


@dataclass(slots=True)
class Tree:
    """What all files say together. ``whole`` is False if one could not be read to its end."""

    value: dict[str, Value] = field(default_factory=dict)
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    whole: bool = True


def gather(folder: Path) -> Tree:
    """Read every file of ``folder``. Never raises for what a file holds."""
    tree = Tree()
    if not folder.is_dir():
        return _broken(tree, "", f"{folder.name!r} is not a folder")
    found = sorted(path for path in folder.rglob("*.y*ml") if _counts(path.relative_to(folder)))
    if not found:
        return _broken(tree, "", "no *.yaml file is in the folder of the configuration")
    if len(found) > FILES_MAX:
        return _broken(tree, "", f"more than {FILES_MAX} files are in the folder")
    for path in found:
        _add(tree, path, path.relative_to(folder).as_posix())
    return tree


def _counts(relative: Path) -> bool:
    hidden = any(part.startswith(".") for part in relative.parts)
    return (
        not hidden and relative.parts[0] != SCHEMA_FOLDER and relative.suffix in (".yaml", ".yml")
    )


def _broken(tree: Tree, file: str, says: str) -> Tree:
    tree.problems.append(Problem((), says, mark=Mark(file, 1) if file else None))
    tree.whole = False
    return tree


def _add(tree: Tree, path: Path, file: str) -> None:
    if path.suffix == ".yml":
        _broken(tree, file, "is not read: name it .yaml, or move it away")
        return
    try:
        parsed = parse(_bytes(path), file)
    except OSError as error:
        _broken(tree, file, f"cannot be read: {error.strerror or 'not a regular file'}")
        return
    tree.problems += parsed.problems
    tree.whole &= parsed.whole
    _merge(tree, parsed, file)


def _bytes(path: Path) -> bytes:
    """Return what a regular file holds, one byte more than the limit at most."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError
    with path.open("rb") as stream:
        return stream.read(BYTES_MAX + 1)


def _merge(tree: Tree, parsed: Parsed, file: str) -> None:
    if parsed.value is None:
        return
    if not isinstance(parsed.value, dict):
        known = ", ".join(ConfigModel.model_fields)
        _broken(tree, file, f"expected sections at the top: {known}")
        return
    for section, inner in parsed.value.items():
        spread = section in SPREADABLE and isinstance(inner, dict)
        standing = tree.value.get(section)
        if section not in tree.value:
            tree.value[section] = dict(inner) if spread and isinstance(inner, dict) else inner
            _mark(tree, parsed, (section,))
        elif spread and isinstance(inner, dict) and isinstance(standing, dict):
            _spread(tree, parsed, section, standing)
        else:
            _twice(tree, parsed, (section,))


def _spread(tree: Tree, parsed: Parsed, section: str, standing: dict[str, Value]) -> None:
    assert isinstance(parsed.value, dict)
    inner = parsed.value[section]
    assert isinstance(inner, dict)
    for name, value in inner.items():
        if name in standing:
            _twice(tree, parsed, (section, name))
        else:
            standing[name] = value
            _mark(tree, parsed, (section, name))


def _twice(tree: Tree, parsed: Parsed, path: KeyPath) -> None:
    first = tree.marks[path]
    says = f"stands in two files; first in {first.file}, line {first.line}"
    tree.problems.append(Problem(path, says, mark=parsed.marks[path]))


def _mark(tree: Tree, parsed: Parsed, path: KeyPath) -> None:
    """Take over the lines of everything at or below ``path``."""
    size = len(path)
    for inner, mark in parsed.marks.items():
        if inner[:size] == path:
            tree.marks.setdefault(inner, mark)
