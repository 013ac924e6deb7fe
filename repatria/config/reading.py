"""A configuration that was read: what of it is valid, and what was declared at all."""

from __future__ import annotations

from dataclasses import dataclass

from repatria.config.config_model import ConfigModel
from repatria.config.region_model import RegionsModel


@dataclass(frozen=True, slots=True)
class Reading:
    """The parts that passed their own validation, and the names that the files declare.

    ``regions`` is None where the section has a mistake of its own: then nothing is said about
    what depends on it.
    """

    model: ConfigModel
    regions: RegionsModel | None
    sections: frozenset[str]
    sites: frozenset[str]
    datasets: frozenset[str]

    @classmethod
    def of(cls, model: ConfigModel, tree: dict[str, object], *, regions: bool) -> Reading:
        """Return the reading of a whole ``tree`` of which ``model`` is the valid part."""
        sites, datasets = (_names(tree.get(part)) for part in ("sites", "datasets"))
        return cls(model, model.regions if regions else None, frozenset(tree), sites, datasets)


def _names(section: object) -> frozenset[str]:
    return frozenset(section) if isinstance(section, dict) else frozenset()
