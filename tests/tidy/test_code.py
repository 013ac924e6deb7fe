"""Rules about the code itself. The numbers only ever go down."""

from __future__ import annotations

import ast
from pathlib import Path

from repatria import errors
from repatria.errors import RepatriaError
from tests.tidy.house import BENCH, PACKAGES, SOURCE, TESTS, functions, place, tree

SOURCE_LINES_MAX = 300
TEST_LINES_MAX = 600
FUNCTION_LINES_MAX = 50
PARAMETERS_MAX = 5
KINDS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "core", "misc", "types"}


def test_every_module_fits_in_the_hand() -> None:
    assert {place(it): n for it in [*SOURCE, *BENCH] if (n := lines(it)) > SOURCE_LINES_MAX} == {}


def test_every_test_fits_in_two_hands() -> None:
    assert {place(it): n for it in TESTS if (n := lines(it)) > TEST_LINES_MAX} == {}


def test_every_module_says_what_it_is() -> None:
    assert [place(it) for it in [*SOURCE, *BENCH] if not ast.get_docstring(tree(it))] == []


def test_every_module_is_named_by_its_noun_and_not_by_its_kind() -> None:
    assert [
        place(it) for it in [*SOURCE, *BENCH] if KINDS & set(it.with_suffix("").parts[-2:])
    ] == []


def test_every_function_fits_a_screen() -> None:
    long = [
        f"{place(module)}: {it.name}"
        for module in [*SOURCE, *BENCH, *TESTS]
        for it in functions(module)
        if (it.end_lineno or 0) - it.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


def test_every_function_asks_for_a_handful() -> None:
    greedy = [
        f"{place(module)}: {it.name}"
        for module in [*SOURCE, *BENCH]
        for it in functions(module)
        if len(_parameters(it)) > PARAMETERS_MAX and not _is_command(module, it)
    ]
    assert greedy == []


def test_every_broad_handler_raises_again() -> None:
    silent = [
        f"{place(module)}:{node.lineno}"
        for module in [*SOURCE, *BENCH]
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ExceptHandler) and _broad(node) and not _raises(node)
    ]
    assert silent == []


def test_tests_never_sleep() -> None:
    asleep = [
        f"{place(module)}:{node.lineno}"
        for module in TESTS
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep")
    ]
    assert asleep == []


def test_every_leaf_error_tells_the_operator_what_to_do() -> None:
    family = [cls for cls in vars(errors).values() if isinstance(cls, type)]
    leaves = [
        cls
        for cls in family
        if issubclass(cls, RepatriaError)
        and not [below for below in cls.__subclasses__() if below.__module__ == errors.__name__]
    ]
    assert [cls.__name__ for cls in leaves if not cls.hint] == []
    assert len(leaves) > 10


def test_every_error_outside_the_tree_hangs_on_a_branch_and_has_a_hint() -> None:
    branches = {name for name, cls in vars(errors).items() if isinstance(cls, type)}
    for module in SOURCE:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.ClassDef) and {ast.unparse(b) for b in node.bases} & branches:
                says = {ast.unparse(t) for it in node.body for t in _targets(it)}
                inherits = [
                    getattr(errors, ast.unparse(base), RepatriaError) for base in node.bases
                ]
                hints = "hint" in says or any(base.hint for base in inherits)
                assert hints or module.name == "errors.py", f"{place(module)}: {node.name}"


def test_the_house_has_the_packages_that_it_says() -> None:
    assert all(any(place(module).startswith(f"{it}/") for module in SOURCE) for it in PACKAGES)


def lines(module: Path) -> int:
    return len(module.read_text("utf-8").splitlines())


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [arg.arg for arg in given if arg.arg not in ("self", "cls")]


def _is_command(module: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A command has an option for each parameter: people read them in ``--help``, by name."""
    return place(module).startswith("flows/command/") and bool(function.decorator_list)


def _broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    named = {it.id for it in ast.walk(handler.type) if isinstance(it, ast.Name)}
    return bool(named & {"Exception", "BaseException"})


def _raises(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and (last.exc is None or last.cause is not None)


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []
