"""What a person may decide about records in quarantine, and what follows from it.

Release lets records pass although nobody can say which copy is right; that makes sense for
orphans and conflicts alone. Everything else is unsound in itself: mend the cause and retry, or
drop. Both need a name and a reason, which are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.report.reasons import RELEASABLE
from repatria.batch import Reason
from repatria.errors import Refused
from repatria.names import DatasetName
from repatria.ports.ledger import FailureKind, Ledger, Quarantined, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator


class NothingChosen(Refused):
    """No entry of the quarantine is what was asked for."""

    hint = "`repatria quarantine list` shows what waits, and the number of each entry."


class NotReleasable(Refused):
    """These records cannot pass as they are."""

    hint = (
        "Only orphans and conflicts can be released. Mend the cause and `repatria quarantine "
        "retry`, or give the records up with `repatria quarantine drop`."
    )


POISON: Final = FailureKind.POISON.value


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries: by number, or all that wait of a dataset, for a reason, or both."""

    numbers: tuple[int, ...] = ()
    dataset: str | None = None
    reason: str | None = None

    @property
    def rule(self) -> tuple[DatasetName, Reason] | None:
        """The dataset and reason that a decision holds for from now on, if it is so wide."""
        whole = not self.numbers and self.dataset is not None and self.reason in RELEASABLE
        return (DatasetName(str(self.dataset)), Reason(str(self.reason))) if whole else None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision came to."""

    entries: int
    rows: int
    lasting: bool = False
    objects: int = 0


def chosen(ledger: Ledger, choice: Choice, verdicts: Sequence[Verdict]) -> list[Quarantined]:
    """Return the entries of ``choice`` that have one of ``verdicts``. Raises ``NothingChosen``."""
    found = [entry for entry in _named(ledger, choice) if entry.verdict in verdicts]
    if choice.reason is not None:
        _known(choice.reason)
        found = [entry for entry in found if entry.reason.value == choice.reason]
    if not found:
        raise NothingChosen("nothing in quarantine is what you asked for")
    return found


def _named(ledger: Ledger, choice: Choice) -> Iterator[Quarantined]:
    if not choice.numbers:
        if choice.dataset is None and choice.reason is None:
            raise NothingChosen("no entry was named: give numbers, --dataset or --reason")
        name = DatasetName(choice.dataset) if choice.dataset is not None else None
        yield from ledger.waiting(name)
        return
    for number in choice.numbers:
        entry = ledger.entry(number)
        if entry is None:
            raise NothingChosen("there is no such entry", entry=number)
        if choice.dataset is None or entry.dataset == choice.dataset:
            yield entry


def _known(reason: str) -> None:
    if reason not in {known.value for known in Reason}:
        raise NothingChosen("there is no such reason", reason=reason)


def retry(ledger: Ledger, choice: Choice, by: str, why: str) -> Decided:
    """Let the batches of entries be read again; what was dropped waits again.

    With ``POISON`` as the reason: let objects be decoded again that ended their decoders.
    """
    if choice.reason == POISON:
        return _retry_poison(ledger, choice)
    entries = chosen(ledger, choice, (Verdict.OPEN, Verdict.DROP))
    ledger.decide([entry.id for entry in entries], Verdict.OPEN, by, why)
    ledger.reopen(list({entry.batch for entry in entries}))
    return _told(entries)


def _retry_poison(ledger: Ledger, choice: Choice) -> Decided:
    found = [
        told
        for told in ledger.failures()
        if told.kind is FailureKind.POISON and choice.dataset in (None, told.dataset)
    ]
    if choice.numbers or not found:
        raise NothingChosen("no object is poison of those that you asked for")
    for told in found:
        ledger.finished(told.slice, told.version)
    return Decided(0, 0, objects=len(found))


def release(ledger: Ledger, choice: Choice, by: str, why: str) -> Decided:
    """Let orphans or conflicts move. Raises ``NotReleasable`` if anything else is among them."""
    entries = chosen(ledger, choice, (Verdict.OPEN, Verdict.DROP))
    refused = sorted({entry.reason.value for entry in entries} - RELEASABLE)
    if refused:
        raise NotReleasable("these records cannot pass as they are", reasons=", ".join(refused))
    return _decide(ledger, choice, entries, Verdict.RELEASE, (by, why))


def drop(ledger: Ledger, choice: Choice, by: str, why: str) -> Decided:
    """Give records up: they stay where they are, and block nothing any more."""
    entries = chosen(ledger, choice, (Verdict.OPEN,))
    return _decide(ledger, choice, entries, Verdict.DROP, (by, why))


def _decide(
    ledger: Ledger,
    choice: Choice,
    entries: Sequence[Quarantined],
    verdict: Verdict,
    said: tuple[str, str],
) -> Decided:
    by, why = said
    # Entries first, so that each keeps its why; the rule then finds nothing more to decide.
    ledger.decide([entry.id for entry in entries], verdict, by, why)
    if choice.rule is not None:
        ledger.rule(*choice.rule, verdict, by)
    return _told(entries, lasting=choice.rule is not None)


def _told(entries: Sequence[Quarantined], *, lasting: bool = False) -> Decided:
    return Decided(len(entries), sum(entry.rows for entry in entries), lasting)
