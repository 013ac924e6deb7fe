"""Loads the configuration of a folder: everything is right, or everything wrong is said at once.

In order: the files are read strictly; what looks like a secret is refused, unread; each part
is validated by its model; parts with a mistake are put aside, and the rest is checked against
each other. The environment has no part in it: two people with one folder have one digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from repatria.config.config_model import SPREADABLE, ConfigModel, nouns
from repatria.config.crosscheck.everything import crosscheck
from repatria.config.digest import canonical, digest
from repatria.config.explain import explain
from repatria.config.files import Tree, gather
from repatria.config.loaded import Config
from repatria.config.problem import Path as KeyPath
from repatria.config.problem import Problem
from repatria.config.reading import Reading
from repatria.config.schema import schema
from repatria.config.secrecy import secrets
from repatria.errors import ConfigRefused


def load(folder: Path) -> Config:
    """Return the configuration in ``folder``; relative paths in it begin there.

    Raises ``ConfigRefused`` with a line for each problem: file, line, path, value, expectation.
    """
    tree = gather(folder)
    found = [*tree.problems, *(_inside(tree) if tree.whole else ())]
    if found:
        raise _refusal(tree, found)
    model = ConfigModel.model_validate_json(json.dumps(tree.value))
    text = canonical(nouns(model, Path))
    config = nouns(model, lambda written: (folder / written).resolve())
    return replace(config, canonical=text, digest=digest(text))


def _inside(tree: Tree) -> list[Problem]:
    """Return what is wrong with the values, and between them."""
    secret = list(secrets(tree.value))
    silent = [problem.path for problem in (*tree.problems, *secret)]
    value: dict[str, Any] = tree.value
    wrong: list[Problem] = []
    try:
        model = ConfigModel.model_validate_json(json.dumps(value))
    except ValidationError as error:
        wrong = list(explain(error, value, schema()))
        sound = _without(value, [problem.path for problem in wrong])
        model = ConfigModel.model_validate_json(json.dumps(sound))
    broken = {problem.path[0] for problem in (*wrong, *tree.problems) if problem.path}
    reading = Reading.of(model, value, regions="regions" not in broken)
    return [*secret, *_audible(wrong, silent), *crosscheck(reading)]


def _audible(problems: Iterable[Problem], silent: Iterable[KeyPath]) -> list[Problem]:
    """Leave out what follows from a problem that is told already."""
    told = {path for path in silent if path}
    return [
        problem
        for problem in problems
        if not any(problem.path[: len(path)] == path for path in told)
    ]


def _without(value: dict[str, Any], paths: Iterable[KeyPath]) -> dict[str, Any]:
    """Return the tree without the smallest whole parts that hold a mistake."""
    sound = {key: dict(v) if isinstance(v, dict) else v for key, v in value.items()}
    for path in paths:
        if len(path) > 1 and path[0] in SPREADABLE:
            sound[str(path[0])].pop(path[1], None)
        elif path:
            sound.pop(str(path[0]), None)
    return sound


def _refusal(tree: Tree, problems: list[Problem]) -> ConfigRefused:
    placed = [problem.found(tree.marks) for problem in problems]
    placed.sort(key=lambda it: (it.mark.file, it.mark.line) if it.mark else ("", 0))
    lines = list(dict.fromkeys(str(problem) for problem in placed))
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    told = "\n".join(f"  {line}" for line in lines)
    return ConfigRefused(f"the configuration has {count}:\n{told}\n ", problems=len(lines))
