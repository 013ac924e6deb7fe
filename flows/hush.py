"""Keeps Prefect from calling an end that a flow chose itself an unexpected exception.

A run that leaves something waiting ends in a failed state, on purpose; Prefect then raises that
state to itself and logs the trace. Whoever reads the run's log would look for a defect.
"""

from __future__ import annotations

import logging
from typing import Final

from prefect.exceptions import FailedRun

RUNS: Final = "prefect.flow_runs"
"""The logger that Prefect tells the traces of flow runs."""


def chosen(record: logging.LogRecord) -> bool:
    """Let a record pass unless it is the trace of a state that a flow returned."""
    error = record.exc_info[1] if record.exc_info else None
    return not (type(error) is FailedRun and record.getMessage().startswith("Engine execution"))


def hush() -> None:
    """Begin to keep such traces out of the log; harmless to repeat."""
    logging.getLogger(RUNS).addFilter(chosen)
