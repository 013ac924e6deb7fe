"""Each fault on each operation: retried or told, never accepted; and then all is well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fire.asked import Operation
from tests.fire.faults import Fault
from tests.fire.ground import Ground
from tests.fire.matrix import (
    AGAIN,
    CELLS,
    PIECES,
    VERIFIED,
    Blow,
    Matrix,
    cells_of,
    environment,
    promises_of,
)
from tests.fire.proxy import FaultProxy
from tests.fire.store import plain_client


@pytest.fixture(scope="module")
def ground(
    store: str, standing_proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    with pytest.MonkeyPatch.context() as patch, plain_client(store) as s3:
        for name, value in environment().items():
            patch.setenv(name, value)
        ground = Ground(tmp_path_factory.mktemp("ground"), s3, standing_proxy.url)
        ground.lay()
        ground.begin()
        ground.trust()
        yield ground


@pytest.fixture
def matrix(ground: Ground, proxy: FaultProxy) -> Matrix:
    return Matrix(ground, proxy)


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_on_each_operation_is_survived_and_nothing_is_lost_or_doubled(
    matrix: Matrix, fault: Fault
) -> None:
    cells = [it for it in cells_of(fault) if (fault, it) != (Fault.FLIP_ANSWER, PIECES)]
    told = matrix.trial(Blow(fault), cells)
    assert told
    assert VERIFIED not in told


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.FLIP_ANSWER, Fault.SLOW_DOWN])
def test_a_fault_while_promises_are_tried_does_not_make_a_liar_of_a_store_for_ever(
    matrix: Matrix, fault: Fault
) -> None:
    matrix.trial(Blow(fault), promises_of(fault))


def test_a_key_that_a_listing_forgets_is_found_by_the_audit_of_the_same_run(
    matrix: Matrix,
) -> None:
    lists = [cell for cell in CELLS if cell.operation is Operation.LIST]
    assert matrix.trial(Blow(Fault.FORGET_KEY), lists) == ["audit: new"]


def test_bits_flipped_in_pieces_are_found_by_the_decoder_or_by_verification(matrix: Matrix) -> None:
    told = matrix.trial(Blow(Fault.FLIP_ANSWER, times=None), [PIECES])
    assert told[-1] == VERIFIED or "quarantined" in told[-1], told


def test_a_store_that_takes_whatever_it_is_sent_is_found_out_by_reading_back(
    matrix: Matrix,
) -> None:
    creates = [cell for cell in CELLS if cell.operation is Operation.CREATE]
    told = matrix.trial(Blow(Fault.FLIP_REQUEST, times=None), creates)
    assert told == ["ReadBackMismatch: a parcel's bytes are not those sent"]


def test_a_store_that_verifies_refuses_a_flipped_put_and_it_is_put_again(matrix: Matrix) -> None:
    puts = [it for it in CELLS if it.operation in (Operation.CREATE, Operation.REPLACE)]
    matrix.proxy.verifies = True
    try:
        assert set(matrix.trial(Blow(Fault.FLIP_REQUEST), puts)) == {AGAIN}
    finally:
        matrix.proxy.verifies = False


def test_the_matrix_has_enough_of_both() -> None:
    assert len(Fault) >= 14
    assert sum(len(cells_of(fault)) for fault in Fault) >= 112
    assert {cell.operation for cell in CELLS} > {Operation.CREATE, Operation.REPLACE}
