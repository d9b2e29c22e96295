"""Run every benchmark that needs nothing but this checkout."""

import runpy
from pathlib import Path

NEEDS_DATA = {"corpus", "maps", "parity", "unlabelled"}

for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
    if path.stem not in NEEDS_DATA:
        print(f"== {path.stem}", flush=True)
        runpy.run_module(f"benchmarks.{path.stem}", run_name="__main__")
