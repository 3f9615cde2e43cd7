"""Budgets are kept, and what cannot be kept or written is told with its figures."""

import contextlib
import errno
import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.prefix.decision import Measured, show_bytes
from tf_finetune.training.pipeline import BatchShape


@pytest.fixture(autouse=True)
def worthwhile(monkeypatch):
    """Pretends that the frozen layers take long."""
    monkeypatch.setattr("tf_finetune.prefix.cache.measure", lambda *_: Measured(9.0, 0.1, 9.0))


@pytest.fixture
def size(model_at, new_cache, states_of):
    """Bytes of the states of depth 1."""
    return sum(states.own_bytes for states in states_of(new_cache(), model_at(1)).values())


@pytest.fixture
def use(model_at, splits, computed):
    """Use three parts of the training examples, all at one depth; tells whether it was computed."""

    def ask(cache, part):
        computed.clear()
        third = splits.train.select(slice(part, None, 3))
        (states,) = cache.states(model_at(1), {"train": third}, BatchShape(8), 9).values()
        return states, bool(computed)

    return ask


def allocated(folder):
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))


def test_least_recently_used_states_leave_the_memory(new_cache, use):
    sizes = [use(new_cache(), part)[0].own_bytes for part in range(3)]
    budget = sum(sizes) - 1
    cache = new_cache(memory_budget=str(budget))
    for part in (0, 1, 0, 2):
        use(cache, part)

    assert cache.memory_bytes == sizes[0] + sizes[2]
    assert [use(cache, part)[1] for part in (0, 2, 1, 0)] == [False, False, True, True]


def test_least_recently_used_states_leave_the_disk(new_cache, use, root):
    for part in (0, 1):
        folder = use(new_cache("disk"), part)[0].values.filename.parent
        os.utime(folder / "manifest.json", (part + 1, part + 1))
    budget = allocated(root) + 8192
    cache = new_cache("disk", disk_budget=str(budget))
    use(cache, 0)

    use(cache, 2)

    assert allocated(root) <= budget
    assert [use(new_cache("disk"), part)[1] for part in (0, 2, 1)] == [False, False, True]


def test_removed_states_are_given_up_by_the_process_that_removed_them(new_cache, use, root):
    """As long as they are mapped, the disk does not get its space back."""
    use(new_cache("disk"), 0)
    cache = new_cache("disk", disk_budget=str(allocated(root) + 8192))

    assert [use(cache, part)[1] for part in (0, 1, 1, 0)] == [False, True, False, True]


def test_states_that_another_process_removed_are_read_on(new_cache, use, root):
    cache = new_cache("disk")
    states, _ = use(cache, 0)
    before = np.array(states.values)
    shutil.rmtree(states.values.filename.parent)

    again, was_computed = use(cache, 0)

    assert not was_computed
    np.testing.assert_array_equal(again.values, before)


@pytest.mark.parametrize(("mode", "budget"), [("memory", "memory_budget"), ("disk", "disk_budget")])
def test_budget_that_is_too_small_for_what_was_asked_for_is_an_error_with_figures(
    model_at, new_cache, states_of, size, mode, budget, root
):
    cache = new_cache(mode, dtype="float32", **{budget: "3KiB"})

    with pytest.raises(UserError) as caught:
        states_of(cache, model_at(1))

    assert caught.value.problems == [
        f"cache.mode: received {mode}, but as float32 they would take {show_bytes(size)}, more "
        f"than the {mode} budget of 3 KiB"
    ]
    assert "cache.dtype=float16" in caught.value.hint
    assert not root.exists()


def test_budgets_that_are_too_small_are_told_once_and_the_run_goes_on(
    model_at, new_cache, states_of, size, said, computed
):
    cache = new_cache("auto", memory_budget="2KiB", disk_budget="3KiB")
    said()

    assert states_of(cache, model_at(1)) == states_of(cache, model_at(1)) == {}

    assert said() == [
        f"prefix cache at depth 1: off; as float32 they would take {show_bytes(size)}, more than "
        "the budgets of 2 KiB in memory and 3 KiB on disk"
    ]


# The disk


@pytest.fixture
def full_disk(monkeypatch):
    """Inside the block, the disk has room for some bytes and no more."""

    @contextlib.contextmanager
    def full_but_for(room):
        pwrite = os.pwrite

        def write(descriptor, data, offset):
            if offset + len(data) > room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return pwrite(descriptor, data, offset)

        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", write)
            yield

    return full_but_for


@pytest.fixture
def no_folder(tmp_path):
    """A path below which nothing can be written, whoever asks."""
    (tmp_path / "file").write_text("mine")
    return tmp_path / "file" / "states"


def test_folder_that_cannot_be_written_is_an_error_if_it_was_asked_for(
    model_at, new_cache, states_of, size, no_folder
):
    with pytest.raises(UserError) as caught:
        states_of(new_cache("disk", dir=str(no_folder)), model_at(1))

    assert caught.value.problems == [
        f"cache.dir: {no_folder}: Not a directory ({show_bytes(size)} are needed)"
    ]
    assert "cache.mode=auto" in caught.value.hint


def test_run_goes_on_without_a_folder_that_cannot_be_written(
    model_at, new_cache, states_of, size, no_folder, said
):
    cache = new_cache("auto", shared=True, dir=str(no_folder))
    said()

    assert states_of(cache, model_at(1)) == states_of(cache, model_at(1)) == {}

    assert said()[1:] == [
        f"prefix cache at depth 1: off; {no_folder}: Not a directory ({show_bytes(size)} are "
        "needed)"
    ]


@pytest.mark.parametrize("room", [0, 20_000])
def test_full_disk_is_an_error_if_the_disk_was_asked_for(
    small_blocks, model_at, new_cache, states_of, size, full_disk, root, room
):
    with full_disk(room), pytest.raises(UserError) as caught:
        states_of(new_cache("disk"), model_at(1))

    (problem,) = caught.value.problems
    full = f"cache.dir: {root}: the disk is full: at least {size:,} bytes needed, "
    assert problem.startswith(full) and problem.endswith(" bytes free")


def test_run_goes_on_with_a_full_disk_and_gives_it_back(
    small_blocks, model_at, new_cache, states_of, full_disk, root, said, computed
):
    with full_disk(20_000):
        assert states_of(new_cache("auto", shared=True), model_at(1)) == {}
    assert "off; " in said()[-1]
    assert [path for path in root.iterdir() if path.is_dir()] == []
    computed.clear()

    later = states_of(new_cache("disk"), model_at(1))

    assert len(computed) == 6
    anew = states_of(new_cache(), model_at(1))
    for name, states in later.items():
        np.testing.assert_array_equal(states.values, anew[name].values)


def test_manifest_that_cannot_be_written_is_no_other_error(
    model_at, new_cache, states_of, monkeypatch, said
):
    """The first thing that fails on a disk that was full already."""

    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", fail)

    assert states_of(new_cache("auto", shared=True), model_at(1)) == {}
    assert "the disk is full" in said()[-1]
    with pytest.raises(UserError, match="cache.dir: .*the disk is full"):
        states_of(new_cache("disk"), model_at(1))


def test_disk_without_room_is_noticed_before_anything_is_computed(
    model_at, new_cache, states_of, monkeypatch, computed, said
):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5 * 2**10))

    assert states_of(new_cache("auto", shared=True), model_at(1)) == {}
    assert "there is room for 5 KiB" in said()[-1]
    assert computed == []


def test_whole_states_in_a_folder_that_cannot_be_written_are_read(
    new_cache, use, root, monkeypatch
):
    expected, _ = use(new_cache("disk"), 0)
    for lock in root.glob("*.lock"):
        lock.unlink()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)

    found, was_computed = use(new_cache("disk"), 0)

    assert not was_computed and not list(root.glob("*.lock"))
    np.testing.assert_array_equal(found.values, expected.values)


def test_damaged_states_in_a_folder_that_cannot_be_written_are_not_used(
    new_cache, use, root, monkeypatch
):
    states, _ = use(new_cache("disk"), 0)
    with states.values.filename.open("r+b") as file:
        file.write(b"damage")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)

    with pytest.raises(UserError, match="unfinished or damaged, and cannot be written"):
        use(new_cache("disk"), 0)
