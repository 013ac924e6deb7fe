"""The board says how far a run has come, and in a rehearsal what would move."""

from __future__ import annotations

import logging

import pytest

from connectors.memory.rules import MemoryClock
from flows.board import Board
from repatria.names import DatasetName

POSTS = DatasetName("posts")


@pytest.mark.parametrize(("rehearsed", "told"), [(True, "3 would move"), (False, "3 moved")])
def test_what_was_read_and_moved_is_told(rehearsed: bool, told: str) -> None:
    board = Board(logging.getLogger("board"), MemoryClock(), rehearsed=rehearsed)
    board.batch(POSTS, 7, 3, 100)
    board.slice_done(POSTS, "a", None)
    assert board.told() == f"1 of 0 slices done, 7 records read, {told}"


def test_a_run_that_moves_nothing_tells_of_no_moving() -> None:
    board = Board(logging.getLogger("board"), MemoryClock())
    board.batch(POSTS, 7, 0, 100)
    assert "move" not in board.told()
