"""What a killed process leaves in a folder of derived sets."""

import os
import time
from pathlib import Path

from indexer.index.derived import forget
from indexer.index.derived_folder import OLD_SECONDS, draft, folders, place, write


def test_only_drafts_that_nobody_touched_for_long_are_removed(tmp_path: Path) -> None:
    def fill(work: Path) -> dict[str, int]:
        (work / "file").write_bytes(b"x")
        return {}

    killed, at_work = draft(tmp_path, fill), draft(tmp_path, fill)
    long_ago = time.time() - OLD_SECONDS - 1
    os.utime(killed.folder, (long_ago, long_ago))
    made = place(draft(tmp_path, fill), 3)
    assert sorted(tmp_path.iterdir()) == sorted([at_work.folder, made])
    assert folders(tmp_path) == [(3, made)]


def test_sets_that_nobody_needs_are_removed_when_they_are_old(tmp_path: Path) -> None:
    """Fit 1 has the sets of 1, 3, 5 and 7, fit 8 those of 8 and 9; that of 5 was just opened."""
    long_ago = time.time() - OLD_SECONDS - 1
    for generation in (1, 3, 4, 5, 7, 8, 9):
        facts = {"fit": 1 if generation < 8 else 8}
        made = write(tmp_path, generation, lambda _, facts=facts: facts)
        if generation != 5:
            os.utime(made, (long_ago, long_ago))
    (tmp_path / "4" / "manifest.json").write_text("{")
    forget(tmp_path)
    assert [generation for generation, _ in folders(tmp_path)] == [9, 8, 7, 5, 4, 1]
