"""Plans, their stripes, and the configurations that they were made with.

Stripes are written in short transactions before their plan is: a plan that can be seen is whole,
nobody waits while ten million slices are written, and a crash leaves stripes that the next
attempt writes again, since a plan's digest covers them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from connectors.sql import stripes as packing
from connectors.sql.dialects import insert_into
from connectors.sql.patience import patient
from connectors.sql.shelf import Shelf
from connectors.sql.tables import accounts, configs, cuttings, plans, stripes
from repatria.errors import PlanRefused, Unbalanced
from repatria.names import DatasetName, PlanDigest, RegionName
from repatria.plan import Plan, Stripe

PREFIX: Final = 8
"""So many digits of a digest name a plan, at least."""

_CHUNK: Final = 8
_DATED: Final = ("estimates", "made_at", "expires_at")


class SqlPlans(Shelf):
    """The ``Plans`` port."""

    @patient
    def save_config(self, digest: str, text: str) -> None:
        with self._store.writing() as connection:
            row = insert_into(connection, configs).values(digest=digest, text=text)
            connection.execute(row.on_conflict_do_nothing())

    @patient
    def config_text(self, digest: str) -> str | None:
        with self._store.reading() as connection:
            query = select(configs.c.text).where(configs.c.digest == digest)
            return connection.execute(query).scalar()

    def save_plan(self, plan: Plan, stripes: Iterable[Stripe]) -> None:
        if not self._known(plan.digest):
            self._save_stripes(plan, stripes)
        self._renew(plan)

    @patient
    def _renew(self, plan: Plan) -> None:
        with self._store.writing() as connection:
            newest = connection.execute(select(func.max(plans.c.saved))).scalar() or 0
            row = insert_into(connection, plans).values(**_row(plan), saved=newest + 1)
            renewed = {name: row.excluded[name] for name in (*_DATED, "saved")}
            connection.execute(
                row.on_conflict_do_update(index_elements=[plans.c.digest], set_=renewed)
            )

    @patient
    def plan(self, digest: PlanDigest | None = None) -> Plan | None:
        query = select(plans).order_by(plans.c.saved.desc()).limit(2)
        if digest is not None:
            if len(digest) < PREFIX:
                raise PlanRefused("a plan is named by 8 digits of its digest, or more")
            query = query.where(func.substr(plans.c.digest, 1, len(digest)) == digest)
        with self._store.reading() as connection:
            rows = connection.execute(query).all()
        if digest is not None and len(rows) > 1:
            raise PlanRefused("several plans begin like this; give more digits", given=digest)
        return _plan(rows[0]) if rows else None

    @patient
    def plans(self) -> Sequence[Plan]:
        """Return the newest first."""
        with self._store.reading() as connection:
            query = select(plans).order_by(plans.c.saved.desc())
            return [_plan(row) for row in connection.execute(query)]

    @patient
    def stripe(self, plan: PlanDigest, number: int) -> Stripe:
        query = select(stripes).where(stripes.c.plan == plan, stripes.c.number == number)
        with self._store.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise PlanRefused("this plan has no such stripe", plan=plan[:PREFIX], stripe=number)
        return self._stripe(row)

    def stripes(self, plan: PlanDigest) -> Iterator[Stripe]:
        last = -1
        while (row := self._next_stripe(plan, last)) is not None:
            last = row.number
            yield self._stripe(row)

    @patient
    def _next_stripe(self, plan: PlanDigest, last: int) -> Row[Any] | None:
        later = (stripes.c.plan == plan, stripes.c.number > last)
        query = select(stripes).where(*later).order_by(stripes.c.number).limit(1)
        with self._store.reading() as connection:
            return connection.execute(query).one_or_none()

    @patient
    def fix_cutting(self, dataset: DatasetName, text: str) -> str:
        with self._store.writing() as connection:
            row = insert_into(connection, cuttings).values(dataset=dataset, text=text)
            moved = select(accounts.c.id).where(accounts.c.dataset == dataset).limit(1)
            if connection.execute(moved).first() is None:
                row = row.on_conflict_do_update(index_elements=["dataset"], set_={"text": text})
            else:
                row = row.on_conflict_do_nothing()
            connection.execute(row)
            query = select(cuttings.c.text).where(cuttings.c.dataset == dataset)
            return str(connection.execute(query).scalar_one())

    @patient
    def _known(self, digest: PlanDigest) -> bool:
        with self._store.reading() as connection:
            query = select(plans.c.digest).where(plans.c.digest == digest)
            return connection.execute(query).scalar() is not None

    def _save_stripes(self, plan: Plan, found: Iterable[Stripe]) -> None:
        written = slices = 0
        stream = iter(found)
        while chunk := list(islice(stream, _CHUNK)):
            rows = [self._stripe_row(plan.digest, stripe) for stripe in chunk]
            self._save_chunk(rows)
            written += len(chunk)
            slices += sum(len(stripe.slices) for stripe in chunk)
        same_plan(plan, written, slices)

    @patient
    def _save_chunk(self, rows: list[dict[str, object]]) -> None:
        with self._store.writing_beside() as connection:
            _upsert_stripes(connection, rows)

    def _stripe_row(self, plan: PlanDigest, stripe: Stripe) -> dict[str, object]:
        return {
            "plan": plan,
            "number": stripe.number,
            "dataset": stripe.dataset,
            "body": self._store.seal.seal(packing.pack(stripe)),
        }

    def _stripe(self, row: Row[Any]) -> Stripe:
        return packing.unpack(row.number, row.dataset, self._store.seal.open(row.body))


def same_plan(plan: Plan, stripes: int, slices: int) -> None:
    """Raise ``Unbalanced`` unless a plan has the stripes and slices that it says it has."""
    if (stripes, slices) != (plan.stripe_count, plan.slice_count):
        raise Unbalanced(
            "the stripes are not those of the plan",
            plan=plan.digest[:PREFIX],
            stripes=stripes,
            stripes_planned=plan.stripe_count,
            slices=slices,
            slices_planned=plan.slice_count,
        )


def _upsert_stripes(connection: Connection, rows: list[dict[str, object]]) -> None:
    insert = insert_into(connection, stripes)
    again = {name: insert.excluded[name] for name in ("dataset", "body")}
    keys = [stripes.c.plan, stripes.c.number]
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=again), rows)


def _row(plan: Plan) -> dict[str, object]:
    body = {
        "config_digest": plan.config_digest,
        "datasets": plan.datasets,
        "regions": plan.regions,
        "directories": dict(plan.directories),
        "reconciled": dict(plan.reconciled),
        "stripe_count": plan.stripe_count,
        "slice_count": plan.slice_count,
        "bytes": plan.bytes,
    }
    return {
        "digest": plan.digest,
        "body": json.dumps(body),
        "estimates": json.dumps(dict(plan.estimates)),
        "made_at": plan.made_at,
        "expires_at": plan.expires_at,
    }


def _plan(row: Row[Any]) -> Plan:
    body = json.loads(row.body)
    return Plan(
        digest=PlanDigest(row.digest),
        config_digest=body["config_digest"],
        datasets=tuple(DatasetName(name) for name in body["datasets"]),
        regions=tuple(RegionName(name) for name in body["regions"]),
        directories={DatasetName(name): text for name, text in body["directories"].items()},
        reconciled={DatasetName(name): text for name, text in body["reconciled"].items()},
        stripe_count=body["stripe_count"],
        slice_count=body["slice_count"],
        bytes=body["bytes"],
        made_at=row.made_at,
        expires_at=row.expires_at,
        estimates=json.loads(row.estimates),
    )
