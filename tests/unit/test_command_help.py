"""Help: a table of contents that needs nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from flows.command.app import app
from flows.command.verb import CODES

HEAVY = ("boto3", "botocore", "numpy", "prefect", "pyarrow", "pydantic", "sqlalchemy")


def leaves(command: Any, name: str = "repatria") -> dict[str, Any]:
    found = {}
    for child in getattr(command, "commands", {}).values():
        path = f"{name} {child.name}"
        if child.callback is not None:
            found[path] = child
        found |= leaves(child, path)
    return found


COMMANDS = leaves(typer.main.get_command(app))


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from flows.command import main\n"
        "sys.argv = ['repatria', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('loaded:', [name for name in {HEAVY} if name in sys.modules])\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "loaded: []" in told.stdout
    assert "Prepare" in told.stdout


def test_help_reads_like_a_table_of_contents() -> None:
    told = CliRunner().invoke(app, ["--help"]).output
    words = ("─ Prepare", " init ", "─ Move", " migrate ", "─ Check", " status ")
    places = [told.index(word) for word in words]
    assert places == sorted(places)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_an_example_and_its_exit_codes(path: str) -> None:
    epilog = COMMANDS[path].epilog
    assert f"[cyan]{path}" in epilog
    assert f"[bold]0[/] {CODES[0]}" in epilog


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_says_what_it_does_and_takes_the_options_of_everywhere(path: str) -> None:
    command = COMMANDS[path]
    names = {name for option in command.params for name in option.opts}
    assert {"--config", "--debug"} <= names
    assert command.help
    bare = [it.name for it in command.params if it.name != "context" and not getattr(it, "help", 1)]
    assert bare == []


def test_the_version_is_told() -> None:
    told = CliRunner().invoke(app, ["--version"])
    assert (told.exit_code, told.output) == (0, f"repatria {metadata.version('repatria')}\n")


@pytest.mark.parametrize("path", COMMANDS)
def test_a_flag_is_shown_without_a_value(path: str) -> None:
    flags = [it for it in COMMANDS[path].params if getattr(it, "is_flag", False)]
    assert [it.name for it in flags if it.metavar != ""] == []


@pytest.mark.parametrize("named", ["67a2", "not-a-digest", "0" * 65])
@pytest.mark.parametrize("arguments", [("verify", "--plan"), ("plan", "show")])
def test_what_is_no_digest_of_a_plan_is_not_understood(
    arguments: tuple[str, ...], named: str
) -> None:
    told = CliRunner().invoke(app, [*arguments, named], env={"COLUMNS": "200"})
    assert told.exit_code == 2
    assert "at least 8 hexadecimal digits of its digest" in told.output


@pytest.mark.parametrize("share", ["0%", "-5%", "101%", "much"])
def test_a_sample_that_is_no_share_is_not_understood(share: str) -> None:
    assert CliRunner().invoke(app, ["rehearse", f"--sample={share}"]).exit_code == 2
