"""What `verify` does with a journal that somebody else wrote."""

import hashlib

import pytest

from tf_finetune.searches.running.journal import Journal
from tf_finetune.verification import verify_run


@pytest.mark.parametrize("folder", ["../..", "../../elsewhere", "ABSOLUTE", "..", "", 7, None])
def test_journal_cannot_name_a_file_outside_the_run(tmp_path, folder):
    run, elsewhere = tmp_path / "runs" / "search", tmp_path / "elsewhere"
    for place in (elsewhere, tmp_path, run):
        place.mkdir(parents=True, exist_ok=True)
        (place / "validation.npz").write_bytes(b"numbers")
    (run / "config.yaml").write_text("run: {}\n")
    Journal(run / "journal.jsonl", {}).append(
        {
            "folder": str(elsewhere) if folder == "ABSOLUTE" else folder,
            "predictions_sha256": hashlib.sha256(b"numbers").hexdigest(),
        }
    )
    found = [line for line in verify_run(run).problems if "journal.jsonl" in line]
    assert len(found) == 1 and "is no name of a folder under trials" in found[0]
