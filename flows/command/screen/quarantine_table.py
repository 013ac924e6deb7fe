"""What waits in quarantine, explained: where, why in plain words, and what to do.

Positions are row numbers or byte offsets; the records themselves are never shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from flows.command.screen.console import grid, out
from flows.report.numbers import count, plural
from flows.report.reasons import of_record
from repatria.ports.ledger import Quarantined, Verdict

SHOWN: Final = 200
POSITIONS_SHOWN: Final = 12


def show_list(entries: Sequence[Quarantined]) -> None:
    """Print the entries, then what their reasons mean."""
    from rich.text import Text  # noqa: PLC0415 - only for what draws

    console = out()
    if not entries:
        console.print("\nNothing waits in quarantine.\n")
        return
    table = grid()
    for name, justify in (("ID", "right"), ("Dataset", "left"), ("Region", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("Records", justify="right", no_wrap=True)
    for name in ("Reason", "Object", "Decided"):
        table.add_column(name, overflow="fold")
    for entry in entries[:SHOWN]:
        table.add_row(
            str(entry.id),
            entry.dataset,
            entry.region or "?",
            count(entry.rows),
            entry.reason.value,
            Text(entry.label),
            Text(_decision(entry)),
        )
    console.print(table)
    if len(entries) > SHOWN:
        console.print(f"[dim]And {count(len(entries) - SHOWN)} more: narrow it with --dataset.[/]")
    _explain(entries)


def _explain(entries: Sequence[Quarantined]) -> None:
    from rich.padding import Padding  # noqa: PLC0415 - only for what draws
    from rich.text import Text  # noqa: PLC0415

    sums: Counter[str] = Counter()
    for entry in entries:
        sums[entry.reason.value] += entry.rows
    for reason, rows in sums.most_common():
        meaning = of_record(reason)
        each = "each" if rows != 1 else "it"
        told = f", {plural(rows, 'record')}: {each} {meaning.means}."
        line = Text.assemble((reason, "bold"), told)
        out().print(Padding(line, (0, 0, 0, 1)))
        out().print(Padding(Text.assemble(("→ ", "cyan"), meaning.todo), (0, 0, 0, 3)))
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
