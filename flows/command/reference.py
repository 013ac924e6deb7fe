"""Writes docs/commands.md from the command line itself: ``python -m flows.command.reference``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from flows.command.app import app
from flows.command.verb import CODES

PAGE: Final = Path(__file__).parents[2] / "docs" / "commands.md"
_INTRODUCTION: Final = """\
# Commands

<!-- Written by `python -m flows.command.reference` from the command line itself. Change that. -->

Whatever writes to a store is a rehearsal unless `--live` is said. Every command takes
`--config DIR` (default: `$REPATRIA_CONFIG`, else `./config`) and `--debug` (show the trace of a
failure). `repatria --version` prints the version. Results go to standard output, progress and
remarks to standard error. With `PREFECT_API_URL` set, or an API in the active Prefect profile,
`plan`, `rehearse`, `migrate` and `verify` are flow runs that the UI shows; with `--remote` a worker
runs them. Without an API no server is started.

Ctrl-C (or SIGTERM) stops a run at its next batch boundary, and a second one at once; the same
command carries on. `json.md` has the shapes of `--json`.

## Exit codes

| code | means |
| --- | --- |
"""


def page() -> str:
    """Return the whole page."""
    codes = "".join(f"| {code} | {means} |\n" for code, means in CODES.items())
    root: Any = typer.main.get_command(app)
    return _INTRODUCTION + codes + "".join(_commands("repatria", root))


def _commands(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer names no such type
    for child in getattr(command, "commands", {}).values():
        path = f"{name} {child.name}"
        yield f"\n## {path}\n\n{_plain(child.help or '')}\n"
        yield "".join(_options(child))
        yield "".join(_examples(child.epilog or ""))
        yield from _commands(path, child)


def _options(command: Any) -> Iterator[str]:  # noqa: ANN401
    rows = [
        f"| {_spelled(option)} | {_plain(getattr(option, 'help', '') or '')} |\n"
        for option in command.params
        if option.name not in ("config", "debug", "help", "context")
    ]
    if rows:
        yield "\n| option | meaning |\n| --- | --- |\n"
        yield from rows


def _spelled(option: Any) -> str:  # noqa: ANN401
    names = [*option.opts, *option.secondary_opts]
    if not names[0].startswith("-"):
        name = option.metavar or names[0].upper()
        many = "..." if option.nargs == -1 else ""
        return f"`{name}{many}`" if option.required else f"`[{name}]{many}`"
    value = "" if option.is_flag else f" {option.metavar or 'VALUE'}"
    needed = " (needed)" if option.required else ""
    return f"`{', '.join(names)}{value}`{needed}"


def _examples(epilog: str) -> Iterator[str]:
    if shown := re.findall(r"\[cyan\](repatria [^\[]*)\[/\]", epilog):
        yield "\n```\n" + "".join(f"{example}\n" for example in shown) + "```\n"
    if codes := re.findall(r"\[bold\](\d+)\[/\]", epilog):
        yield f"\nExit codes: {', '.join(codes)}.\n"


def _plain(text: str) -> str:
    return re.sub(r"\[/?[a-z]*\]", "", text).replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
