"""Run every benchmark that needs nothing but this checkout."""

import runpy
from pathlib import Path

NEEDS_MORE = {"corpus", "maps", "parity", "postgresql", "ray", "unlabelled"}

for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
    if path.stem not in NEEDS_MORE:
        print(f"== {path.stem}", flush=True)
        runpy.run_module(f"benchmarks.{path.stem}", run_name="__main__")
