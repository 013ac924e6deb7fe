"""Writes the configuration of an embedded world: Repatria's own format, with its endpoints."""

from __future__ import annotations

import shutil
from pathlib import Path
from string import Template
from typing import Final

from flows.world.servers import World
from flows.world.sites import ENVIRONMENT

TEMPLATES: Final = Path(__file__).with_name("template")


def write_config(world: World) -> Path:
    """Write ``config/`` into the world's folder, whatever stood there; return it.

    Its credentials are the variables of ``flows.world.sites.CREDENTIALS``, which whoever loads
    it sets; its state is kept in ``state/`` of the same folder.
    """
    folder = world.folder / "config"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    facts = {name.replace("-", "_"): world.endpoint(name) for name in world.ports}
    for template in sorted(TEMPLATES.glob("*.yaml")):
        text = Template(template.read_text("utf-8")).substitute(facts, environment=ENVIRONMENT)
        (folder / template.name).write_text(text, "utf-8")
    return folder
