"""Nothing here can delete from a store (law 5): no port has the method, no client the call."""

from __future__ import annotations

import ast

from tests.tidy.house import SOURCE, functions, place, tree

PORTS = [module for module in SOURCE if place(module).startswith("repatria/ports/")]
VERBS = {"delete", "erase", "expire", "purge", "remove", "wipe"}


def test_no_port_has_a_method_that_deletes() -> None:
    named = [it.name for module in PORTS for it in functions(module)]
    assert len(named) > 50
    assert [name for name in named if name.split("_")[0] in VERBS] == []


def test_nobody_calls_what_deletes_from_a_bucket() -> None:
    calls = [
        f"{place(module)}:{node.lineno}"
        for module in SOURCE
        for node in ast.walk(tree(module))
        if (isinstance(node, ast.Attribute) and _deletes(node.attr))
        or (isinstance(node, ast.Constant) and _deletes(str(node.value)))
    ]
    assert calls == []


def _deletes(name: str) -> bool:
    plain = name.replace("_", "").lower()
    return plain.startswith(("deleteobject", "deletebucket", "putbucketlifecycle"))
