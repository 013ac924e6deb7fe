"""A command of ours: takes --config and --debug everywhere, and fails in one clear paragraph.

What was foreseen says what, where, why and what to do, and exits with the code of its branch of
the error tree. What was not is a defect: it says so, exits 1, and shows its trace with --debug.
"""

from __future__ import annotations

import inspect
import os
import textwrap
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Final

import typer

from repatria.errors import RepatriaError

CONFIG_VARIABLE: Final = "REPATRIA_CONFIG"
WIDTH: Final = 100

CODES: Final = {
    0: "done",
    1: "a defect of Repatria",
    2: "the command was not understood",
    10: "refused: a person must change something",
    11: "two things that must agree do not",
    12: "a store or server was away, and patience ran out",
    13: "a newer worker took over",
    14: "ended incomplete: something waits",
}
"""What each exit code means; they never change."""


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="DIR",
        help=f"Folder of the configuration; default: ${CONFIG_VARIABLE}, else ./config.",
        rich_help_panel="Everywhere",
        show_default=False,
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", metavar="", help="Show the trace of a failure.", rich_help_panel="Everywhere"
    ),
]


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of everywhere, and make its failures plain."""

    @wraps(function)
    def run(*, config: Path | None = None, debug: bool = False, **given: object) -> None:
        with told_plainly(config, debug=debug):
            function(**given)

    run.__doc__ = flowing(inspect.getdoc(function) or "")
    plain = inspect.signature(function, eval_str=True)
    run.__signature__ = plain.replace(  # type: ignore[attr-defined]
        parameters=[
            *plain.parameters.values(),
            Parameter("config", Parameter.KEYWORD_ONLY, default=None, annotation=Config),
            Parameter("debug", Parameter.KEYWORD_ONLY, default=False, annotation=Debug),
        ]
    )
    return run


def flowing(text: str) -> str:
    """Let each paragraph of a docstring be one line, for the screen to wrap."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


@contextmanager
def told_plainly(config: Path | None, *, debug: bool) -> Iterator[None]:
    """Heed the options of everywhere; turn a failure into words and an exit code."""
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config)
    try:
        yield
    except RepatriaError as error:
        _say(str(error), error.hint, debug=debug)
        raise typer.Exit(error.exit_code) from error
    except BrokenPipeError:
        raise  # Whoever read our output has seen enough.
    except Exception as error:
        if _is_usage(error):
            raise
        _say(*defect(error, debug=debug), debug=debug)
        raise typer.Exit(1) from error


def defect(error: Exception, *, debug: bool) -> tuple[str, str]:
    """Say that an error is a defect, and how to report it.

    Its own text is left out unless it was asked for: nobody vouches that it holds no record.
    """
    what = f"this is a defect of Repatria ({type(error).__name__}), not of your data"
    if debug:
        return what, "Please report it with the trace above; check that it holds nothing private."
    return what, "Nothing that was committed is lost. Run it again with --debug, and report it."


def _is_usage(error: Exception) -> bool:
    return isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "exit_code")


def _say(message: str, hint: str, *, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    for line in paragraph(message, hint):
        typer.echo(line, err=True)


def paragraph(message: str, hint: str) -> Iterator[str]:
    """Yield a failure as lines: what went wrong, then what to do."""
    text = message.strip()
    text = text[:1].upper() + text[1:]
    if "\n" in text:
        yield from (line for line in text.splitlines() if line.strip())
    else:
        yield from textwrap.wrap(
            text if text.endswith((".", "!")) else f"{text}.", WIDTH, break_on_hyphens=False
        )
    if hint:
        yield from textwrap.wrap(f"→ {hint}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def ending(*examples: str, codes: tuple[int, ...] = (0, 1, 2, 10, 12)) -> str:
    """Write the end of a command's help: examples, then its exit codes."""
    shown = "\n\n".join(f"  [cyan]{example}[/]" for example in examples)
    told = " · ".join(f"[bold]{code}[/] {CODES[code]}" for code in codes)
    return f"[bold]Examples[/]\n\n{shown}\n\n[bold]Exit codes[/]\n\n  {told}"
