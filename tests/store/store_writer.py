"""A writer process: adds images NAME-0, NAME-1, ... in commits of four, telling each commit."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from store_samples import new_image

from indexer.store import Store

place, name, commits = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Store.open(place) as store:
    print("ready", flush=True)
    for start in range(0, 4 * commits, 4):
        with store.commit("build", name) as txn:
            for n in range(start, start + 4):
                txn.add([new_image(f"{name}-{n}")])
        print(txn.generation, flush=True)
