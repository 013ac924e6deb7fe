"""What the installer does besides copying: it builds the compiled library, where it can."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

PLACE = "repatria/native"


class CompiledLibrary(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the library in the tree; a wheel takes it along and is of this platform then."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        folder = Path(self.root) / PLACE
        spec = importlib.util.spec_from_file_location("build_library", folder / "build.py")
        assert spec is not None, "the build module is part of the sources"
        assert spec.loader is not None, "a file has a loader"
        maker = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(maker)
        library = folder / maker.LIBRARY
        if maker.build(library) and version != "editable":
            build_data["force_include"][str(library)] = f"{PLACE}/{maker.LIBRARY}"
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{next(sys_tags()).platform}"
