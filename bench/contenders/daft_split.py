"""daft: one lazy read of the whole prefix, filtered and written once for each home.

A read for each home took less time and memory than to hold Europe between the two writes.
Nothing is verified.
"""

from __future__ import annotations

import daft
from daft.io import IOConfig, S3Config

from bench.contenders.order import KEY, SECRET, Order, ordered


def split(order: Order) -> None:
    """Part the records of a Parquet prefix by home."""
    store = IOConfig(
        s3=S3Config(
            endpoint_url=order.endpoint,
            region_name="us-east-1",
            key_id=KEY,
            access_key=SECRET,
            use_ssl=False,
        )
    )
    rows = daft.read_parquet(f"{order.source}*.parquet", io_config=store)
    for home, countries in order.countries.items():
        rows.where(rows["country"].is_in(list(countries))).write_parquet(
            order.written(home).rstrip("/"), compression=order.codec, io_config=store
        )


if __name__ == "__main__":
    split(ordered())
