"""polars: the split, and then an equal verification: every value at home against its source.

What was written is read back, and the source once more; both are compared value by value, in
the order that the sinks kept. That was cheaper than a join on the key, which needs no order.
"""

from __future__ import annotations

import sys

import polars as pl

from bench.contenders.order import Order, ordered
from bench.contenders.polars_split import options, split


def verify(order: Order) -> None:
    """Compare each home with the source. Ends the program with 1 where they differ."""
    store = options(order)
    scan = pl.scan_parquet(f"{order.source}*.parquet", storage_options=store)
    for home, countries in order.countries.items():
        written = pl.read_parquet(f"{order.written(home)}all.parquet", storage_options=store)
        wanted = scan.filter(pl.col("country").is_in(countries)).collect(engine="streaming")
        if not written.equals(wanted, null_equal=True):
            sys.exit(f"{home} does not hold what the source has")


if __name__ == "__main__":
    split(ordered())
    verify(ordered())
