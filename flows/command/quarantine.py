"""The command quarantine: what waits, why, and what people decide about it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from flows.command.options import By, Json, Numbers, OneDataset, Reason, Why
from flows.command.verb import ending, verb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flows.deciding import Choice, Decided
    from flows.wiring import House
    from repatria.ports.ledger import Ledger


def add_to(app: typer.Typer, panel: str) -> None:
    """Add this group."""
    group = typer.Typer(
        help="Show and decide what waits in quarantine.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    name = "repatria quarantine"
    group.command("list", epilog=ending(f"{name} list --dataset posts"))(list_)
    group.command("show", epilog=ending(f"{name} show 17"))(show)
    group.command("retry", epilog=ending(f"{name} retry 17 18", f"{name} retry --dataset posts"))(
        retry
    )
    group.command(
        "release",
        epilog=ending(f"{name} release --dataset posts --reason orphan --why 'lost, not deleted'"),
    )(release)
    group.command("drop", epilog=ending(f"{name} drop 17 --why 'test data'"))(drop)
    app.add_typer(group, name="quarantine", rich_help_panel=panel)


@verb
def list_(
    *,
    dataset: OneDataset = None,
    reason: Reason = None,
    decided: Annotated[
        bool, typer.Option("--decided", metavar="", help="Show what was decided too, and by whom.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List what waits, with each reason in plain words."""
    from flows.command.screen import quarantine_table as table  # noqa: PLC0415 - heavy
    from flows.command.screen.console import say_json  # noqa: PLC0415
    from flows.wiring import config_folder, open_house  # noqa: PLC0415
    from repatria.names import DatasetName  # noqa: PLC0415
    from repatria.ports.ledger import Verdict  # noqa: PLC0415

    name = DatasetName(dataset) if dataset is not None else None
    with open_house(config_folder()) as house:
        ledger = house.ledger(read_only=True)
        _refuse_unknown(house, ledger, dataset, reason)
        waiting = ledger.waiting(name, None if decided else Verdict.OPEN)
        entries = [entry for entry in waiting if reason in (None, entry.reason.value)]
    if as_json:
        say_json([table.told(entry) for entry in entries])
    else:
        table.show_list(entries)


@verb
def show(
    number: Annotated[int, typer.Argument(metavar="ID", help="The entry's number.")],
    *,
    as_json: Json = False,
) -> None:
    """Show one entry: where its records stand, why they wait, and what to do."""
    from flows.command.screen import quarantine_table as table  # noqa: PLC0415 - heavy
    from flows.command.screen.console import say_json  # noqa: PLC0415
    from flows.deciding import NothingChosen  # noqa: PLC0415
    from flows.wiring import config_folder, open_house  # noqa: PLC0415

    with open_house(config_folder()) as house:
        entry = house.ledger(read_only=True).entry(number)
    if entry is None:
        raise NothingChosen("there is no such entry", entry=number)
    if as_json:
        say_json(table.told(entry))
    else:
        table.show(entry)


@verb
def retry(
    numbers: Numbers = None,
    *,
    dataset: OneDataset = None,
    reason: Reason = None,
    by: By = None,
    why: Why = "read again",
) -> None:
    """Read the batches of these entries again, once their cause is mended.

    With --reason poison: let objects be decoded again that ended whatever decoded them.
    """
    from flows import deciding  # noqa: PLC0415 - heavy imports wait

    choice = deciding.Choice(tuple(numbers or ()), dataset, reason)
    done = _decide(deciding.retry, choice, by, why)
    again = "will be read again by the next `repatria migrate --live`"
    if done.objects:
        from flows.command.screen.console import say  # noqa: PLC0415 - heavy imports wait
        from flows.report.numbers import plural  # noqa: PLC0415

        say(f"{plural(done.objects, 'slice')} {again}.")
    else:
        _say(done, again)


@verb
def release(
    numbers: Numbers = None,
    *,
    why: Why,
    dataset: OneDataset = None,
    reason: Reason = None,
    by: By = None,
) -> None:
    """Let orphans or conflicts move as they are.

    With both --dataset and --reason the decision holds for what is found later, too.
    """
    from flows import deciding  # noqa: PLC0415 - heavy imports wait

    choice = deciding.Choice(tuple(numbers or ()), dataset, reason)
    done = _decide(deciding.release, choice, by, why)
    _say(done, "will move with the next `repatria migrate --live`")


@verb
def drop(
    numbers: Numbers = None,
    *,
    why: Why,
    dataset: OneDataset = None,
    reason: Reason = None,
    by: By = None,
) -> None:
    """Give records up: they stay where they are and block nothing any more.

    With both --dataset and --reason, for orphans and conflicts, it holds for what comes later, too.
    """
    from flows import deciding  # noqa: PLC0415 - heavy imports wait

    choice = deciding.Choice(tuple(numbers or ()), dataset, reason)
    done = _decide(deciding.drop, choice, by, why)
    _say(done, "will stay where they stand, and block nothing any more")


def _decide(
    how: Callable[[Ledger, Choice, str, str], Decided], choice: Choice, by: str | None, why: str
) -> Decided:
    from flows import deciding  # noqa: PLC0415 - heavy imports wait
    from flows.wiring import config_folder, open_house  # noqa: PLC0415

    if not why.strip():
        raise typer.BadParameter("say why: it is kept with the decision")
    with open_house(config_folder()) as house:
        ledger = house.ledger()
        objects = how is deciding.retry and choice.reason == deciding.POISON
        _refuse_unknown(house, ledger, choice.dataset, None if objects else choice.reason)
        return how(ledger, choice, by or getpass.getuser(), why.strip())


def _refuse_unknown(house: House, ledger: Ledger, dataset: str | None, reason: str | None) -> None:
    """Refuse a name that nothing has: an empty list would read as good news."""
    from repatria.batch import Reason as Why  # noqa: PLC0415 - heavy imports wait

    reasons = [known.value for known in Why]
    if reason is not None and reason not in reasons:
        _refuse("--reason", f"there is no reason {reason}; the reasons are", reasons)
    configured = sorted(house.config.datasets)
    if dataset is None or dataset in configured:
        return
    # A dataset that was taken from the configuration may have left something waiting.
    if all(entry.dataset != dataset for entry in ledger.waiting()):
        _refuse("--dataset", f"there is no dataset {dataset}; the datasets are", configured)


def _refuse(option: str, what: str, known: Sequence[str]) -> NoReturn:
    raise typer.BadParameter(f"{what} {', '.join(known)}", param_hint=f"'{option}'")


def _say(done: Decided, what: str) -> None:
    from flows.command.screen.console import say  # noqa: PLC0415
    from flows.report.numbers import plural  # noqa: PLC0415

    say(f"{plural(done.entries, 'entry', 'entries')} with {plural(done.rows, 'record')} {what}.")
    if done.lasting:
        say("The same will hold for such records of this dataset that are found later.")
