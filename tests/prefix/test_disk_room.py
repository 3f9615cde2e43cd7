"""What was not used for longest goes first; what is no folder of states never goes."""

import os
import shutil
from types import SimpleNamespace

import pytest
from filelock import FileLock

from tf_finetune.prefix.disk_room import make_room
from tf_finetune.prefix.state_file import lock_of

KIB = 1024
NAMES = {name: name * 64 for name in "abcdef"}


@pytest.fixture
def folder_of(root):
    """A folder of states of 64 KiB that was used at a time."""

    def make(name, used):
        folder = root / NAMES[name]
        folder.mkdir(parents=True)
        (folder / "states.bin").write_bytes(bytes(64 * KIB))
        (folder / "manifest.json").touch()
        os.utime(folder / "manifest.json", (used, used))
        return folder

    return make


@pytest.fixture
def make(root, folder_of):
    """Makes room for 64 KiB beside folders a, b and c, used in this order."""
    for used, name in enumerate("abc", start=1):
        folder_of(name, used)

    def make_room_in(budget, keep=(), needed=64 * KIB, own="f"):
        removed = []
        room = make_room(root, root / NAMES[own], needed, budget, keep=keep, removed=removed.append)
        assert not any((root / name).exists() for name in removed)
        return [name[0] for name in removed], room

    return make_room_in


def test_nothing_goes_while_there_is_room(make):
    removed, room = make(budget=4 * 64 * KIB)

    assert (removed, room) == ([], 64 * KIB)


def test_least_recently_used_goes_first_and_no_more_than_needed(make):
    assert make(budget=3 * 64 * KIB)[0] == ["a"]
    assert make(budget=3 * 64 * KIB)[0] == []
    assert make(budget=64 * KIB)[0] == ["b", "c"]


def test_folder_without_a_manifest_goes_before_all(make, root):
    (root / NAMES["c"] / "manifest.json").unlink()

    assert make(budget=3 * 64 * KIB)[0] == ["c"]


def test_what_the_folder_itself_takes_counts_as_free(make, root):
    removed, room = make(budget=3 * 64 * KIB, own="a")

    assert (removed, room) == ([], 64 * KIB)


def test_folder_of_the_same_call_stays(make):
    removed, room = make(budget=64 * KIB, keep={NAMES["a"]})

    assert removed == ["b", "c"]
    assert room < 64 * KIB


def test_folder_that_is_being_filled_stays(make, root):
    with FileLock(lock_of(root / NAMES["a"])):
        assert make(budget=3 * 64 * KIB)[0] == ["b"]


def test_folders_and_files_of_others_stay_and_do_not_count(make, root):
    theirs = root / "thesis"
    shutil.copytree(root / NAMES["a"], theirs)
    (root / "notes.txt").write_text("mine")
    (root / NAMES["e"]).write_text("no folder")

    removed, _ = make(budget=KIB, needed=KIB)

    assert removed == ["a", "b", "c"]
    assert (theirs / "states.bin").stat().st_size == 64 * KIB
    assert {path.name for path in root.iterdir()} == {"thesis", "notes.txt", NAMES["e"]}


def test_full_disk_makes_room_as_a_small_budget_does(make, monkeypatch):
    free = iter([0, 64 * KIB])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=next(free)))

    assert make(budget=2**40) == (["a"], 64 * KIB)
