"""dlt: its filesystem source read as Arrow, parted into a table per home, loaded as Parquet.

dlt loads into one bucket: a table per home, in the bucket of the first. Batches of a row group,
no columns of its own, and two workers at each of its stages. Nothing is verified.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import dlt
import pyarrow as pa
import pyarrow.compute as pc
from dlt.sources.credentials import AwsCredentials
from dlt.sources.filesystem import filesystem, read_parquet

from bench.contenders.order import KEY, SECRET, Order, ordered

_BATCH_ROWS = 75_000
_SETTINGS = {
    "EXTRACT__WORKERS": "2",
    "NORMALIZE__WORKERS": "2",
    "LOAD__WORKERS": "2",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
}


def split(order: Order) -> None:
    """Part the records of a Parquet prefix by home."""
    os.environ.update(_SETTINGS, DATA_WRITER__COMPRESSION=order.codec)
    credentials = AwsCredentials(
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        endpoint_url=order.endpoint,
    )
    files = filesystem(
        f"s3://{order.bucket}", file_glob=f"{order.prefix}*.parquet", credentials=credentials
    )
    regions = {home.replace("-", "_"): pa.array(names) for home, names in order.countries.items()}

    @dlt.transformer  # type: ignore[untyped-decorator]
    def parted(batch: pa.RecordBatch) -> Iterator[object]:
        table = pa.Table.from_batches([batch])
        for home, countries in regions.items():
            rows = table.filter(pc.is_in(table["country"], countries))
            yield dlt.mark.with_table_name(rows, home)

    bucket = next(iter(order.homes.values()))
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=order.scratch,
        destination=dlt.destinations.filesystem(f"s3://{bucket}", credentials=credentials),
        dataset_name=order.prefix.rstrip("/"),
    )
    pipeline.run(
        files | read_parquet(chunksize=_BATCH_ROWS, use_pyarrow=True) | parted,
        loader_file_format="parquet",
    )


if __name__ == "__main__":
    split(ordered())
