"""polars: one lazy scan of JSON lines, plain or gzipped, one filter and one sink per home.

polars reads every value and writes it anew; nothing is verified. Gzip is polars' own, at the
level that Repatria writes.
"""

from __future__ import annotations

import polars as pl

from bench.contenders.order import Order, ordered
from bench.contenders.polars_split import options

_INFERRED_ROWS = 1000


def split(order: Order) -> None:
    """Part the records of a prefix of JSON lines by home."""
    store = options(order)
    gzipped = order.form == "jsonl-gz"
    ending = "jsonl.gz" if gzipped else "jsonl"
    scan = pl.scan_ndjson(
        f"{order.source}*.{ending}", storage_options=store, infer_schema_length=_INFERRED_ROWS
    )
    sinks = [
        scan.filter(pl.col("country").is_in(countries)).sink_ndjson(
            f"{order.written(home)}all.{ending}",
            compression="gzip" if gzipped else "uncompressed",
            compression_level=order.gzip_level if gzipped else None,
            storage_options=store,
            lazy=True,
        )
        for home, countries in order.countries.items()
    ]
    pl.collect_all(sinks)


if __name__ == "__main__":
    split(ordered())
