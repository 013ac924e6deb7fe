"""The page about the commands is what the commands say about themselves."""

from __future__ import annotations

from flows.command.reference import PAGE, page


def test_the_page_is_what_the_commands_say_now() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m flows.command.reference`"
