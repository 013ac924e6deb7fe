"""The command line: ``repatria``."""

from flows.command.app import main

__all__ = ["main"]
