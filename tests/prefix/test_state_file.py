"""Files of states: an interrupted fill goes on, and no damage gives a wrong state."""

import errno
import json
import os
import shutil

import numpy as np
import pytest

from tf_finetune.prefix import layout as layouts
from tf_finetune.prefix.state_file import StateFile, _line, _Written

# Stored as 5, 5, 3 | 3, 2 | 1 tokens.
LENGTHS = [3, 5, 2, 5, 1, 3]
VALUES = np.arange(19 * 2, dtype=np.float32).reshape(19, 2)


@pytest.fixture(autouse=True)
def blocks_of_three_rows(monkeypatch):
    monkeypatch.setattr(layouts, "BLOCK_ROWS", 3)


@pytest.fixture
def layout(layout_of):
    return layout_of(LENGTHS)


@pytest.fixture
def file_of(root, layout):
    """The file as another process would see it."""
    return lambda: StateFile(root, layout, "prefix")


@pytest.fixture
def use(layout, said, console):
    """Checks, fills what is missing and opens; gives the blocks computed and the values."""

    def check_and_fill(file, fails_at=None):
        computed = []

        def compute(index):
            if index == fails_at:
                raise KeyboardInterrupt
            computed.append(index)
            return VALUES[layout.block_tokens(index)]

        with file.one_writer(console.print):
            missing = file.missing_blocks(lambda line: console.print(line, soft_wrap=True))
            if missing:
                file.fill(missing, compute, lambda rows: None)
            return computed, file.open()

    return check_and_fill


@pytest.fixture
def filled(file_of, use):
    """Folder of a file that is whole."""
    computed, _ = use(file_of())
    assert computed == [0, 1]
    return file_of().folder


def test_file_gives_what_was_computed(filled, file_of, use, said):
    computed, values = use(file_of())

    assert computed == []
    np.testing.assert_array_equal(values, VALUES)
    assert not values.flags.writeable
    assert said() == []


def test_folder_holds_values_checksums_and_what_they_are_of(filled, layout):
    assert sorted(path.name for path in filled.iterdir()) == [
        "blocks.jsonl",
        "manifest.json",
        "states.bin",
    ]
    assert filled.name == layout.key("prefix")
    assert (filled / "states.bin").read_bytes() == VALUES.tobytes()
    assert json.loads((filled / "manifest.json").read_text()) == layout.parts("prefix")
    lines = [json.loads(line) for line in (filled / "blocks.jsonl").read_text().splitlines()]
    assert [line["block"] for line in lines] == [0, 1]


def test_seconds_of_all_processes_that_filled_are_kept(filled, file_of):
    blocks = [_Written("0" * 64, 1.5), _Written("0" * 64, 2.25)]
    lines = [_line(index, block) for index, block in enumerate(blocks)]
    (filled / "blocks.jsonl").write_text("".join(lines))

    assert file_of().fill_seconds == 3.75


def test_interrupted_fill_goes_on_with_the_missing_block(file_of, use, said):
    with pytest.raises(KeyboardInterrupt):
        use(file_of(), fails_at=1)

    computed, values = use(file_of())

    assert computed == [1]
    np.testing.assert_array_equal(values, VALUES)
    assert said() == []


@pytest.mark.parametrize("left", [[], ["manifest.json"], ["manifest.json", "states.bin"]], ids=str)
def test_fill_that_was_interrupted_before_its_first_block_begins_anew(filled, file_of, use, left):
    for path in filled.iterdir():
        if path.name not in left:
            path.unlink()

    computed, values = use(file_of())

    assert computed == [0, 1]
    np.testing.assert_array_equal(values, VALUES)


def test_block_without_its_line_does_not_count(filled, file_of, use, said):
    lines = (filled / "blocks.jsonl").read_text().splitlines(keepends=True)
    (filled / "blocks.jsonl").write_text(lines[1])

    assert use(file_of())[0] == [0]
    assert said() == []


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_flipped_byte_is_named_and_its_block_computed_anew(filled, file_of, use, said):
    flip(filled / "states.bin", 16 * 2 * 4)

    computed, values = use(file_of())

    assert computed == [1]
    np.testing.assert_array_equal(values, VALUES)
    assert said() == [f"prefix cache: block 1 of {filled}/states.bin is damaged; computing it anew"]
    assert use(file_of())[0] == []


def test_cut_values_are_named_and_computed_anew(filled, file_of, use, said):
    os.truncate(filled / "states.bin", 3)

    computed, values = use(file_of())

    assert computed == [0, 1]
    np.testing.assert_array_equal(values, VALUES)
    assert len(said()) == 2


@pytest.mark.parametrize("change", [b"", b'{"block": 1, "sha', b"\xff\xfe", b"[1, 2]", b"1"])
def test_damaged_last_line_vouches_for_no_block(filled, file_of, use, change):
    lines = (filled / "blocks.jsonl").read_bytes().splitlines(keepends=True)
    (filled / "blocks.jsonl").write_bytes(lines[0] + change)

    computed, values = use(file_of())

    assert computed == [1]
    np.testing.assert_array_equal(values, VALUES)
    assert use(file_of())[0] == []


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format_version": 0}', "\0"])
def test_damaged_manifest_is_named_and_all_computed_anew(filled, file_of, use, said, content):
    (filled / "manifest.json").write_text(content)

    computed, values = use(file_of())

    assert computed == [0, 1]
    np.testing.assert_array_equal(values, VALUES)
    assert said() == [
        f"prefix cache: {filled}/manifest.json is damaged or of another kind; computing all anew"
    ]
    assert use(file_of())[0] == []


def test_states_of_another_format_are_computed_anew(filled, file_of, use, said):
    parts = json.loads((filled / "manifest.json").read_text())
    (filled / "manifest.json").write_text(json.dumps(parts | {"format_version": 0}))
    # Each block agrees with its checksum: what they are of is all that tells them apart.
    other = VALUES + 1
    (filled / "states.bin").write_bytes(other.tobytes())

    assert use(file_of())[0] == [0, 1]
    assert "manifest.json is damaged or of another kind" in said()[0]


def test_lines_of_another_format_are_gone_before_the_manifest_is_new(filled, file_of, use):
    """However early the fill is interrupted."""
    (filled / "manifest.json").write_text("{}")
    with pytest.raises(KeyboardInterrupt):
        use(file_of(), fails_at=0)

    assert use(file_of())[0] == [0, 1]


@pytest.mark.parametrize("name", ["states.bin", "blocks.jsonl", "manifest.json"])
def test_no_flipped_byte_and_no_cut_gives_a_wrong_state(filled, file_of, use, tmp_path, name):
    shutil.copytree(filled, tmp_path / "whole")
    size = (filled / name).stat().st_size
    for place in range(0, size, 17):
        for damage in (flip, os.truncate):
            damage(filled / name, place)
            np.testing.assert_array_equal(use(file_of())[1], VALUES)
            shutil.copytree(tmp_path / "whole", filled, dirs_exist_ok=True)


def test_unreadable_values_are_computed_anew(filled, file_of, monkeypatch, said, console):
    def fail(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("pathlib.Path.open", fail)

    assert file_of().missing_blocks(console.print) == [0, 1]


def test_full_disk_leaves_nothing_that_counts(file_of, use, monkeypatch):
    pwrite = os.pwrite

    def write_a_part(descriptor, data, offset):
        if offset:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(descriptor, data[:7], offset)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left on device"):
        patch.setattr(os, "pwrite", write_a_part)
        use(file_of())

    computed, values = use(file_of())

    assert computed == [0, 1]
    np.testing.assert_array_equal(values, VALUES)


def test_opening_marks_the_folder_as_used(filled, file_of):
    os.utime(filled / "manifest.json", (0, 0))

    file_of().open()

    assert (filled / "manifest.json").stat().st_mtime > 1e9


def test_removed_file_stays_readable_where_it_is_mapped(filled, file_of, use):
    _, values = use(file_of())

    file_of().remove()

    assert not filled.exists()
    np.testing.assert_array_equal(values, VALUES)


def test_whole_states_are_known_before_they_are_checked(file_of, use, layout):
    assert not file_of().is_filled()
    with pytest.raises(KeyboardInterrupt):
        use(file_of(), fails_at=1)
    assert not file_of().is_filled()

    use(file_of())

    assert file_of().is_filled()
