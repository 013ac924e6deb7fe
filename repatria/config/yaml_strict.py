"""Strict YAML: a small, safe and unsurprising part of the language.

Plain words mean what YAML 1.2's JSON schema says and nothing else: ``true``, ``false``,
``null``, decimal numbers. So ``NO`` is Norway, ``on`` is a word, ``1_000`` and ``0777`` and
``12:30`` are text, and text where a number belongs is refused further up. Anchors, aliases,
tags, merge keys, second documents, repeated keys and keys that are not text are refused here,
and so is more than a person would write: the document is read event by event and reading
stops at the limit, so that no small file becomes a large value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

import yaml

from repatria.config.problem import Mark, Path, Problem, shown

BYTES_MAX: Final = 1024 * 1024
NODES_MAX: Final = 10_000
DEPTH_MAX: Final = 32

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]

_WORDS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][-+]?[0-9]{1,2})?")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _Stop(Exception):
    """The file goes on beyond a limit, or uses what makes the rest unreadable."""


@dataclass(slots=True)
class Parsed:
    """What a file says, where each part of it stands, and what is wrong with it."""

    value: Value = None
    marks: dict[Path, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    whole: bool = False  #: Whether the file was read to its end.


def parse(data: bytes, file: str) -> Parsed:
    """Read one file. Never raises: what is wrong with it is among its problems."""
    reader = _Reader(file)
    if len(data) > BYTES_MAX:
        reader.complain((), f"is larger than {BYTES_MAX} bytes", 1)
        return reader.parsed
    try:
        reader.read(data.decode("utf-8"))
        reader.parsed.whole = True
    except UnicodeDecodeError as error:
        reader.complain((), f"is not UTF-8 (byte {error.start})", 1)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        reader.complain((), f"is not YAML: {error.problem or error.context}", line)
    except yaml.YAMLError:
        reader.complain((), "holds a character that YAML does not allow", 1)
    except _Stop:
        pass
    return reader.parsed


class _Reader:
    """Builds a value from the events of one file."""

    def __init__(self, file: str) -> None:
        self.parsed = Parsed()
        self._file = file
        self._nodes = 0

    def complain(self, path: Path, says: str, line: int, value: str = "") -> None:
        self.parsed.problems.append(Problem(path, says, value, Mark(self._file, line)))

    def read(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=yaml.SafeLoader)
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._stop((), event, "holds a second document; write one file for each")
                self._explicit(event)
            elif isinstance(event, yaml.NodeEvent):
                self.parsed.value = self._node(event, (), 0)

    def _explicit(self, event: yaml.DocumentStartEvent) -> None:
        if event.version or event.tags:
            self._stop((), event, "has a %YAML or %TAG directive; remove it")

    def _stop(self, path: Path, event: yaml.Event, says: str) -> None:
        self.complain(path, says, _line(event))
        raise _Stop

    def _node(self, event: yaml.NodeEvent, path: Path, depth: int) -> Value:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            self._stop(path, event, f"the file has more than {NODES_MAX} values")
        if depth > DEPTH_MAX:
            self._stop(path, event, f"is nested deeper than {DEPTH_MAX} levels")
        self.parsed.marks.setdefault(path, Mark(self._file, _line(event)))
        if isinstance(event, yaml.AliasEvent):
            self.complain(path, "aliases are refused; write it out", _line(event))
            return None
        self._refuse_properties(event, path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        assert isinstance(event, yaml.ScalarEvent)
        if _SURROGATE.search(event.value):
            self.complain(path, "holds half a character (a lone surrogate)", _line(event))
            return None
        return _scalar(event)

    def _refuse_properties(self, event: yaml.NodeEvent, path: Path) -> None:
        line = _line(event)
        if event.anchor is not None:
            self.complain(path, "anchors are refused; write it out where it is needed", line)
        if getattr(event, "tag", None) is not None:
            self.complain(path, "tags are refused; write a plain value", line)

    def _sequence(self, path: Path, depth: int) -> Value:
        items: list[Value] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(_starts(event), (*path, len(items)), depth + 1))
        return items

    def _mapping(self, path: Path, depth: int) -> Value:
        entries: dict[str, Value] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key, line = self._key(_starts(event), path, depth), _line(event)
            inner = (*path, key) if key is not None else path
            if key in entries:
                first = self.parsed.marks[inner].line
                self.complain(inner, f"stands here twice; first in line {first}", line)
            elif key is not None:
                self.parsed.marks[inner] = Mark(self._file, line)
            value = self._node(_starts(next(self._events)), inner, depth + 1)
            if key is not None:
                entries.setdefault(key, value)
        return entries

    def _key(self, event: yaml.NodeEvent, path: Path, depth: int) -> str | None:
        line = _line(event)
        key = self._node(event, (*path, "?"), depth + 1)
        if not isinstance(key, str):
            value = shown(key, path)
            self.complain(path, "a key must be text; put it in quotes", line, value)
            return None
        if key == "<<":
            self.complain((*path, key), "merge keys are refused; write it out", line)
            return None
        return key


def _scalar(event: yaml.ScalarEvent) -> Value:
    text = event.value
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _starts(event: yaml.Event) -> yaml.NodeEvent:
    """Return the event as the beginning of a value, which the parser guarantees here."""
    assert isinstance(event, yaml.NodeEvent)
    return event
