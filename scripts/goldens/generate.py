"""Writes every golden file into the folder given. Each module in games/ has a function `write(out)` for its own."""

import importlib
import pkgutil
import sys
from pathlib import Path

import games

if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for module in sorted(m.name for m in pkgutil.iter_modules(games.__path__)):
        if not module.startswith("_"):
            importlib.import_module(f"games.{module}").write(out)
