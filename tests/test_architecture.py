"""The house rules: one-way layers, one door per heavy library, a light `indexer --help`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LAYERS = [
    ["lineup_client"],
    ["indexer.errors", "indexer.precision"],
    ["indexer.types"],
    ["indexer.filters"],
    ["indexer.custody"],
    ["indexer.images"],
    ["indexer.checkpoints", "indexer.sources"],
    ["indexer.encoder", "indexer.store", "indexer.vectors"],
    ["indexer.descriptor", "indexer.maps", "indexer.patches"],
    ["indexer.calibration"],
    ["indexer.evaluation"],
    ["indexer.families"],
    ["indexer.index", "indexer.samples"],
    ["indexer.explain"],
    ["indexer.evidence"],
    ["indexer.notebook"],
    ["indexer.cli", "search_api"],
]
"""Lower layers first; a module imports from its own package or a lower layer."""

DOORS = {
    "torch": ["indexer/encoder/"],
    "transformers": ["indexer/encoder/"],
    "openvino": ["indexer/encoder/openvino_engine.py", "indexer/encoder/compress.py"],
    "nncf": ["indexer/encoder/compress.py"],
    "faiss": ["indexer/vectors/faiss_index.py"],
    "pymilvus": ["indexer/vectors/milvus.py"],
    "sqlalchemy": ["indexer/store/"],
    "alembic": ["indexer/store/migrating.py", "indexer/store/migrations/"],
    "psycopg": ["indexer/store/postgresql.py"],
    "simplejpeg": ["indexer/images/jpeg.py"],
    "PIL": ["indexer/images/", "indexer/samples/"],
    "sklearn": [
        "indexer/descriptor/",
        "indexer/calibration/",
        "indexer/evaluation/",
        "indexer/families/",
        "indexer/samples/",
    ],
    "skimage": ["indexer/samples/"],
    "sknetwork": ["indexer/families/communities.py"],
    "plotly": ["indexer/evaluation/", "indexer/notebook/gallery_map.py"],
    "pdqhash": ["indexer/evaluation/pdq.py"],
    "rfc8785": ["indexer/custody/canonical.py"],
    "cryptography": ["indexer/custody/signing.py"],
    "c2pa": ["indexer/images/c2pa_claims.py"],
    "jinja2": ["indexer/evidence/page.py"],
    "fastapi": ["search_api/"],
    "prometheus_client": ["search_api/metrics.py"],
    "huggingface_hub": ["indexer/checkpoints/"],
    "fsspec": ["indexer/sources/storage.py"],
    "ray": ["indexer/index/ray_runner.py"],
    "lineup_client": ["lineup_client/"],
}


def modules() -> list[Path]:
    packages = ("indexer", "search_api", "lineup_client")
    return sorted(path for package in packages for path in ROOT.glob(f"{package}/**/*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def layer(module: str) -> tuple[int, str] | None:
    for number, packages in enumerate(LAYERS):
        for package in packages:
            if module == package or module.startswith(package + "."):
                return number, package
    return None


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    here = layer(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if here is None:
        assert path == ROOT / "indexer/__init__.py"
        return
    for name in imports(path):
        there = layer(name)
        if there is not None and there[1] != here[1]:
            assert there[0] < here[0], f"{path} imports {name}, which is not in a lower layer"


@pytest.mark.parametrize("library", DOORS)
def test_heavy_libraries_have_one_door(library: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in modules()
        if any(name.split(".")[0] == library for name in imports(path))
    }
    doors = tuple(DOORS[library])
    assert not {user for user in users if not user.startswith(doors)}


HEAVY = (
    "torch",
    "transformers",
    "openvino",
    "faiss",
    "sklearn",
    "sqlalchemy",
    "PIL",
    "pandas",
    "ray",
    "rich",
)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from indexer.cli import indexer; "
        "indexer.main(['--help'], standalone_mode=False); "
        f"print('loaded:', *(name for name in {HEAVY} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "loaded:"
    assert "Have we seen this kind of fake before" in done.stdout
