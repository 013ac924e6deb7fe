"""What can go wrong, sorted by what to do about it.

    RepatriaError
    ├── Transient                wait, then make the same call again            exit 12
    │   ├── Throttled            the same, but slow down first
    │   └── Garbled              a body is not the one whose digest the store keeps
    ├── Refused                  a rule said no; a person must change something exit 10
    │   ├── ConfigRefused        the configuration says what it may not
    │   ├── ConfigChanged        the configuration is not the one that was planned
    │   ├── PlanRefused          the plan is unknown or expired
    │   ├── ResidencyRefused     the policy does not allow this region at this site
    │   ├── AccessRefused        the store does not let this role do this
    │   ├── StoreRefused         the store does not do what safety depends on
    │   ├── Archived             the object must be restored before it can be read
    │   ├── DiskRefused          the local disk cannot take or give what is asked of it
    │   ├── KeyRefused           a key is not a key, or open to others
    │   │   └── KeyAbsent        there is no key yet
    │   └── WriteRefused         a write was tried where none may happen (a rehearsal)
    ├── Superseded               somebody newer is at work; stop quietly        exit 13
    │   └── FenceLost
    ├── Stopped                  a person asked to stop; everything is consistent  exit 14
    ├── Spoilt                   one slice cannot be used; the run goes on      exit 14
    │   ├── BadObject            it is not what its format says, or breaks a limit
    │   │   └── DigestDiffers    however often it was read, its digest was another
    │   ├── StaleSlice           the object is not the version that was planned
    │   ├── Missing              the object is not there
    │   ├── Poison               it ended or stalled whatever decoded it, again and again
    │   ├── DecisionsChanged     its records resolve to other regions than when it was moved
    │   └── LeftOut              it was moved for regions that this plan leaves out
    ├── Occupied                 a conditional write found something else: look  (stays inside)
    │   └── LeftOver             what it found is another attempt of ours
    └── Corrupt                  two things that must agree do not; stop the line  exit 11
        ├── Unbalanced           a batch whose records do not add up
        ├── ReadBackMismatch     the store does not hold what was sent
        │   └── ParcelGone       … nor anything else in its place
        ├── Damaged              a file of ours is not as it was written
        └── ForeignObject        something that is not ours stands where a parcel belongs

Bugs are absent on purpose: they are ``AssertionError``, and nobody catches them (exit 1).
``facts`` are names and counts, never a record, an identifier of a user, or a secret.
"""

from __future__ import annotations

from typing import ClassVar

from repatria.legible import legible
from repatria.stored import ObjectVersion


class RepatriaError(Exception):
    """Base of every failure that we foresee."""

    hint: ClassVar[str] = ""
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **facts: str | int) -> None:
        super().__init__(message)
        self.facts = facts

    def __str__(self) -> str:
        told = ", ".join(f"{name}={legible(str(value))}" for name, value in self.facts.items())
        return f"{self.args[0]} ({told})" if told else str(self.args[0])


class Transient(RepatriaError):
    """The far side was away; the call is safe to make again."""

    hint = "Nothing is lost. Run the same command again once it answers."
    exit_code = 12

    @property
    def odd(self) -> bool:
        """Whether the store did answer, and its answer was not one: no status, no cause is told."""
        return not {"cause", "status"} & self.facts.keys()


class Throttled(Transient):
    """The far side asks for fewer requests."""

    hint = "Lower the store's `throttle.requests_per_s`, or wait; then run the same command again."


class Garbled(Transient):
    """A body is not the one whose digest the store keeps."""

    hint = (
        "Nothing of it is believed. If it repeats, the object is damaged where it lies; or, if its "
        "store's ETags are no MD5s, say so with `etags: opaque`."
    )


class Refused(RepatriaError):
    """A rule said no. Trying again cannot help."""

    exit_code = 10


class ConfigRefused(Refused):
    """The configuration does not say something that it must, or says what it may not."""

    hint = "Each offending key is named above; docs/configuration.md describes all of them."


class ConfigChanged(Refused):
    """The configuration is not the one that the plan was made with."""

    hint = "Make a new plan with `repatria plan`: batches with a receipt are not moved again."


class PlanRefused(Refused):
    """There is no such plan, or it has expired, or it does not cover what was asked."""

    hint = "Make a new plan with `repatria plan`: batches with a receipt are not moved again."


class ResidencyRefused(Refused):
    """The policy does not allow these records at this site."""

    hint = "Correct the site or the region in config/: the rule itself has no override."


class AccessRefused(Refused):
    """The store does not let this role do this, or does not know the bucket."""

    hint = "Run `repatria doctor`: it names each permission that the role needs and lacks."


class StoreRefused(Refused):
    """The store does not do what the safety of the move depends on."""

    hint = "Run `repatria doctor`: it says what the store honours and what follows from it."


class Archived(Refused):
    """The object lies in an archive tier and must be restored before it can be read."""

    hint = "Restore the object (`aws s3api restore-object`), then run the same command again."


class DiskRefused(Refused):
    """The local disk cannot take or give what is asked of it."""

    hint = "Make room on the disk, or correct the folder's owner, then run the same command again."


class KeyRefused(Refused):
    """A key is not a key, or is open to others."""

    hint = "Put back the key as it was: mode 0600 and your own. Another would recognise nothing."


class KeyAbsent(KeyRefused):
    """There is no key yet."""

    hint = "Run `repatria init`. If there is a ledger already, put back the key it was made with."


class WriteRefused(Refused):
    """A write was tried where none may happen."""

    hint = "A rehearsal never writes. This is a defect: please report it with the message above."


class Superseded(RepatriaError):
    """Somebody newer is at work. Stop quietly; nothing is lost."""

    exit_code = 13


class FenceLost(Superseded):
    """Somebody newer holds the fence. This worker is a ghost and must stop."""

    hint = "Expected after a restart. Run the same command again: it takes up what is left."


class Stopped(RepatriaError):
    """A person asked to stop, and the work stopped at a batch boundary."""

    hint = "Everything is consistent. Run the same command again to carry on."
    exit_code = 14


class Spoilt(RepatriaError):
    """One slice cannot be used as it is. The run goes on without it and ends incomplete."""

    exit_code = 14


class BadObject(Spoilt):
    """The object is not what its format says, or it breaks a limit."""

    hint = (
        "Mend or replace the object at the source, then plan again (docs/runbooks/failed-batch.md)."
    )


class DigestDiffers(BadObject):
    """The object's bytes are not those whose digest its store keeps, however often it is read."""

    hint = (
        "Compare the object with another copy: it is damaged where it lies, or its store's ETags "
        "are no MD5s (`etags: opaque`). The same command reads it again."
    )


class Poison(Spoilt):
    """The object ended or stalled its decoder as often as a limit allows, and is let be."""

    hint = (
        "Look at the object where it stands; `repatria quarantine retry --reason poison` has it "
        "decoded again."
    )


class StaleSlice(Spoilt):
    """The object is no longer the version that was planned."""

    hint = "Plan again: only this object is read anew. See docs/runbooks/stale-slice.md."


class Missing(Spoilt):
    """There is no such object."""

    hint = "If it was removed on purpose, plan again; if not, find out who removed it."


class DecisionsChanged(Spoilt):
    """A batch read again is not decided as it was: somebody moved, or the directory did."""

    hint = "Its records were left as they are; docs/runbooks/stale-slice.md says what to do."


class LeftOut(Spoilt):
    """A changed object was moved for regions that this plan leaves out."""

    hint = "Make a plan that names all of these regions: their parcels are replaced together."


class Occupied(RepatriaError):
    """A conditional write found another version than it expected. The engine must look."""

    hint = "Two writers use one key. See docs/runbooks/stuck-run.md."
    exit_code = 11


class LeftOver(Occupied):
    """Another attempt of ours at the same batch stands there; a receipt may name it.

    ``found`` is what stands there, kept out of ``facts`` because of its key.
    """

    hint = "Two workers are at work on one batch. See docs/runbooks/stuck-run.md."

    def __init__(self, message: str, found: ObjectVersion, **facts: str | int) -> None:
        super().__init__(message, **facts)
        self.found = found


class Corrupt(RepatriaError):
    """Two things that must agree do not. Nothing may continue past this."""

    exit_code = 11


class Unbalanced(Corrupt):
    """The records of a batch do not add up."""

    hint = "The batch was not committed. Keep the logs and report this: it is a defect."


class ReadBackMismatch(Corrupt):
    """The store does not hold what was sent."""

    hint = (
        "The batch was not committed. Run `repatria doctor` on the site before any further write."
    )


class ParcelGone(ReadBackMismatch):
    """A parcel that was put, or that a receipt names, is not there."""

    hint = "Find out who removed it: Repatria removes nothing. Look before you write there again."


class Damaged(Corrupt):
    """A file of ours is not as it was written."""

    hint = "Make a new plan with `repatria plan`: it writes the file anew."


class ForeignObject(Corrupt):
    """Something that Repatria did not write stands where a parcel belongs."""

    hint = "Find out who wrote it. Repatria never overwrites what it did not write."
