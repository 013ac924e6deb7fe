"""What waits in quarantine, explained: where, why in plain words, and what to do.

Positions are row numbers or byte offsets; the records themselves are never shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from flows.command.screen.console import grid, hung, out
from flows.report.numbers import count, plural
from flows.report.reasons import of_record
from repatria.ports.ledger import Quarantined, Verdict

SHOWN: Final = 200
POSITIONS_SHOWN: Final = 12


def show_list(entries: Sequence[Quarantined]) -> None:
    """Print what waits, object by object, then what the reasons mean."""
    from rich.text import Text  # noqa: PLC0415 - only for what draws

    console = out()
    if not entries:
        console.print("\nNothing waits in quarantine.\n")
        return
    heaps = list(_heaps(entries).items())
    decided = any(decision for (*_, decision), _ in heaps)
    table = grid()
    table.add_column("ID", overflow="fold", min_width=5)
    table.add_column("Dataset", overflow="fold")
    table.add_column("Reason", no_wrap=True)
    table.add_column("Records", justify="right", no_wrap=True)
    table.add_column("Regions", overflow="fold", max_width=12)
    for name in ("Object", *(["Decided"] if decided else [])):
        table.add_column(name, overflow="fold")
    for (dataset, label, reason, decision), heap in heaps[:SHOWN]:
        regions = " ".join(sorted({entry.region or "?" for entry in heap}))
        cells = [Text(regions), Text(label), *([Text(decision)] if decided else [])]
        numbers = spans([entry.id for entry in heap])
        table.add_row(numbers, dataset, reason, count(sum(it.rows for it in heap)), *cells)
    console.print(table)
    if len(heaps) > SHOWN:
        console.print(f"[dim]And {count(len(heaps) - SHOWN)} more: narrow it with --dataset.[/]")
    _explain(entries)


def _heaps(entries: Sequence[Quarantined]) -> dict[tuple[str, str, str, str], list[Quarantined]]:
    """Put together what waits in one object for one reason, whatever its regions."""
    heaps: dict[tuple[str, str, str, str], list[Quarantined]] = {}
    for entry in entries:
        key = (entry.dataset, entry.label, entry.reason.value, _decision(entry))
        heaps.setdefault(key, []).append(entry)
    return heaps


def spans(numbers: Sequence[int]) -> str:
    """Write numbers with their runs shortened: ``1, 4-7``."""
    told: list[list[int]] = []
    for number in sorted(numbers):
        if told and told[-1][1] == number - 1:
            told[-1][1] = number
        else:
            told.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in told)


def _explain(entries: Sequence[Quarantined]) -> None:
    from rich.text import Text  # noqa: PLC0415 - only for what draws

    sums: Counter[str] = Counter()
    for entry in entries:
        sums[entry.reason.value] += entry.rows
    for reason, rows in sums.most_common():
        meaning = of_record(reason)
        each = "each" if rows != 1 else "it"
        told = f", {plural(rows, 'record')}: {each} {meaning.means}."
        out().print(hung("•", "yellow", Text.assemble((reason, "bold"), told), 1))
        out().print(hung("→", "cyan", Text(meaning.todo), 3))
    out().print()


def show(entry: Quarantined) -> None:
    """Print one entry."""
    from rich.text import Text  # noqa: PLC0415 - only for what draws

    meaning = of_record(entry.reason.value)
    kept = f"a copy at {entry.kept_site}" if entry.kept_site else "nowhere else: at the source only"
    facts = {
        "Dataset": entry.dataset,
        "Region": entry.region or "not known",
        "Object": entry.label,
        "Batch": str(entry.batch.ordinal),
        "Records": count(entry.rows),
        "Positions": _positions(entry),
        "Reason": f"{entry.reason.value}: {'each' if entry.rows != 1 else 'it'} {meaning.means}",
        "What to do": meaning.todo,
        "Kept": kept,
        "Decided": _decision(entry) or "not yet",
    }
    table = grid(f"Quarantine entry {entry.id}")
    table.show_header = False
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, Text(value))
    out().print()
    out().print(table)


def told(entry: Quarantined) -> dict[str, Any]:
    """Return an entry as ``--json`` shows it."""
    return {
        "id": entry.id,
        "dataset": entry.dataset,
        "site": entry.site,
        "object": entry.label,
        "batch": entry.batch.ordinal,
        "reason": entry.reason.value,
        "means": of_record(entry.reason.value).means,
        "region": entry.region,
        "rows": entry.rows,
        "positions": list(entry.positions),
        "kept_at": entry.kept_site,
        "verdict": entry.verdict.value,
        "by": entry.by,
        "why": entry.why,
    }


def _decision(entry: Quarantined) -> str:
    if entry.verdict is Verdict.OPEN:
        return ""
    return f"{entry.verdict.value} by {entry.by}: {entry.why}"


def _positions(entry: Quarantined) -> str:
    shown = ", ".join(count(position) for position in entry.positions[:POSITIONS_SHOWN])
    rest = entry.rows - min(len(entry.positions), POSITIONS_SHOWN)
    return f"{shown} and {count(rest)} more" if rest > 0 else shown
