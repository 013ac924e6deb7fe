"""The suite's own guard can fail: a call to anybody else is noticed."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import Egress


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "169.254.169.254"])
def test_a_call_to_somebody_else_is_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as outward, pytest.raises(Egress):
        outward.connect((host, 80))
