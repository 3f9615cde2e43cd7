"""A folder's checksums name every file that is not as it was written."""

import json

import pytest

from tf_finetune.storage.files import file_sha256
from tf_finetune.storage.manifests import MANIFEST, damaged_files, read_manifest, write_manifest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "weights").write_bytes(b"weights")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "config").write_bytes(b"config")
    write_manifest(tmp_path)
    return tmp_path


def test_whole_folder_has_nothing_to_name(folder):
    assert sorted(read_manifest(folder)) == ["below/config", "weights"]
    assert damaged_files(folder) == []


def test_changed_and_missing_files_are_named(folder):
    (folder / "weights").write_bytes(b"Weights")
    (folder / "below" / "config").unlink()

    found = damaged_files(folder)

    assert found == [f"{folder}/below/config: missing", f"{folder}/weights: damaged"]


def test_manifest_that_was_changed_along_with_a_file_is_named(folder):
    (folder / "weights").write_bytes(b"Weights")
    content = json.loads((folder / MANIFEST).read_text())
    content["sha256"]["weights"] = file_sha256(folder / "weights")
    (folder / MANIFEST).write_text(json.dumps(content))

    assert damaged_files(folder) == [f"{folder / MANIFEST}: damaged"]


def test_manifest_of_an_earlier_version_has_no_checksum_of_its_own(folder):
    content = json.loads((folder / MANIFEST).read_text())
    del content["manifest_sha256"]
    (folder / MANIFEST).write_text(json.dumps(content))

    assert damaged_files(folder) == []
