from __future__ import annotations

import pytest

from connectors.probing import try_promises
from repatria.errors import RepatriaError, StoreRefused, Transient
from repatria.stored import Honours
from tests.unit.failing_bucket import FailingBucket

UNKNOWN = StoreRefused("not implemented", code="NotImplemented")


def test_a_fault_while_trying_is_not_a_promise_kept() -> None:
    for puts_before in range(6):
        bucket = FailingBucket()
        bucket.lost = [None] * puts_before + [Transient("away")]
        with pytest.raises(Transient):
            try_promises(bucket, "_repatria/probe")


def test_a_store_that_knows_no_conditions_honours_none() -> None:
    bucket = FailingBucket()
    bucket.lost = [UNKNOWN] * 4  # Of as many puts.
    seen = try_promises(bucket, "_repatria/probe")
    assert seen == Honours(create_only=False, replace_only=False, checksums=None, listed=None)


@pytest.mark.parametrize("puts_before", [0, 1, 2, 3, 4, 5])
def test_another_refusal_is_not_taken_for_it(puts_before: int) -> None:
    bucket = FailingBucket()
    elsewhere: RepatriaError = StoreRefused("elsewhere", code="PermanentRedirect")
    bucket.lost = [None] * puts_before + [elsewhere]
    with pytest.raises(StoreRefused, match="elsewhere"):
        try_promises(bucket, "_repatria/probe")
