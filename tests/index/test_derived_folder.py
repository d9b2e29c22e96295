"""What a killed process leaves in a folder of derived sets."""

import os
import time
from pathlib import Path

from indexer.index.derived_folder import ABANDONED_SECONDS, draft, folders, place


def test_only_drafts_that_nobody_touched_for_long_are_removed(tmp_path: Path) -> None:
    def fill(work: Path) -> dict[str, int]:
        (work / "file").write_bytes(b"x")
        return {}

    killed, at_work = draft(tmp_path, fill), draft(tmp_path, fill)
    long_ago = time.time() - ABANDONED_SECONDS - 1
    os.utime(killed.folder, (long_ago, long_ago))
    made = place(draft(tmp_path, fill), 3)
    assert sorted(tmp_path.iterdir()) == sorted([at_work.folder, made])
    assert folders(tmp_path) == [(3, made)]
