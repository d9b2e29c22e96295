"""The evaluation corpus: gallery indexed, query half asked; writes what was measured.

python -m benchmarks.corpus --corpus ../shared/corpus \\
    --checkpoint ../shared/models/dinov2-small-probe

Every run reads the query half. Tune by `indexer evaluate` without queries, on the gallery.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run(*arguments: str) -> str:
    """Standard output of one command of this package."""
    command = [sys.executable, "-c", "from indexer.cli import main; main()", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--views", default="2")
    parser.add_argument("--index", type=Path, default=Path("build/corpus-gallery.index"))
    parser.add_argument("--to", type=Path, default=HERE / "results" / "corpus.json")
    options = parser.parse_args()
    manifest, index = str(options.corpus / "manifest.csv"), str(options.index)
    role = "meta.role = '{}'"
    where = ["--where", role.format("gallery")]
    encoder = ["--checkpoint", options.checkpoint, "--views", options.views]
    run("build", manifest, *where, "--index", index, *encoder, "--json")
    asked = ["--queries", manifest, "--where", role.format("query")]
    evaluation = json.loads(run("evaluate", "--index", index, *asked, "--json"))
    options.to.parent.mkdir(parents=True, exist_ok=True)
    options.to.write_text(json.dumps(evaluation, indent=1) + "\n")
    family, trust = evaluation["family"], evaluation["fmr"]
    print(
        f"family mAP {family['map']:.3f}  P@1 {family['p_at_1']:.3f}  P@10 {family['p_at_10']:.3f}"
    )
    print(f"cross-source P@10 {evaluation['cross_source']['p_at_10']:.3f}")
    print(f"k-NN real/fake AUC {evaluation['knn_auc']:.3f}")
    for rate, check in trust.items():
        print(f"false-match rate {rate}: seen {check['observed']:.5f}, holds: {check['holds']}")
    print(f"Cllr {evaluation['cllr']}")
    novelty = evaluation["novelty_auroc"]
    print(f"novelty AUROC {novelty['mean']:.3f}, by the nearest {novelty['mean_by_nearest']:.3f}")
    print(f"  left out of the gallery only: {novelty['mean_gallery_only']:.3f}")
    print(f"coverage {evaluation['coverage']}")


if __name__ == "__main__":
    main()
