"""States are right wherever they are kept, and computed once."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.freeze import FreezeRule
from tf_finetune.prefix import cache
from tf_finetune.prefix.decision import Measured
from tf_finetune.training.pipeline import BatchShape

pytestmark = pytest.mark.numeric

BLOCKS = [*(("train", block, None) for block in range(4)), ("validation", 0, None)]
BLOCKS.append(("validation", 1, None))


@pytest.fixture(scope="module")
def expected(model_at, one_by_one, splits):
    """True states of the training and the validation split, by depth."""
    return {
        depth: {
            "train": one_by_one(model_at(depth), splits.train),
            "validation": one_by_one(model_at(depth), splits.validation),
        }
        for depth in (1, 2, 3)
    }


@pytest.fixture
def measured(monkeypatch):
    """Pretends a time for the prefix, with reading at 1 s; gives how often it was measured."""

    def pretend(prefix_seconds):
        calls = []

        def measure(*_):
            calls.append(1)
            return Measured(prefix_seconds, 1.0, prefix_seconds)

        monkeypatch.setattr("tf_finetune.prefix.cache.measure", measure)
        return calls

    return pretend


@pytest.mark.parametrize("mode", ["memory", "disk"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_states_are_those_of_each_text_alone(
    small_blocks, model_at, expected, new_cache, states_of, assert_states, depth, mode
):
    states = states_of(new_cache(mode), model_at(depth))

    assert_states(states, expected[depth])
    assert states["train"].depth == depth


def test_states_of_other_depths_can_be_let_go(small_blocks, model_at, new_cache, states_of):
    cache = new_cache("memory")
    kept = states_of(cache, model_at(1))
    alone = cache.memory_bytes
    states_of(cache, model_at(2))
    both = cache.memory_bytes

    cache.keep_only(kept)

    assert both > alone == cache.memory_bytes > 0


@pytest.mark.parametrize(
    "shape",
    [
        BatchShape(7, replicas=2),
        BatchShape(100, fixed_rows=True),
        BatchShape(3, padding="buckets", max_length=32),
        BatchShape(8, padding="max", max_length=32),
    ],
    ids=["pieces", "filled up", "buckets", "longest text"],
)
def test_states_do_not_depend_on_the_batches_they_are_computed_in(
    small_blocks, model_at, expected, new_cache, states_of, assert_states, shape
):
    assert_states(states_of(new_cache(), model_at(2), shape=shape), expected[2])


@pytest.mark.parametrize(("name", "atol"), [("float16", 2e-3), ("bfloat16", 2e-2)])
@pytest.mark.parametrize("mode", ["memory", "disk"])
def test_states_may_be_stored_in_half_the_bytes(
    model_at, expected, new_cache, states_of, assert_states, mode, name, atol
):
    states = states_of(new_cache(mode, dtype=name), model_at(2))

    assert states["train"].values.dtype.name == name
    assert_states(states, expected[2], atol=4 * atol)
    again = states_of(new_cache(mode, dtype=name), model_at(2))
    np.testing.assert_array_equal(again["train"].values, states["train"].values)


@pytest.mark.parametrize("mode", ["memory", "disk"])
def test_states_are_computed_once(small_blocks, model_at, new_cache, states_of, computed, mode):
    kept = new_cache(mode)
    first = states_of(kept, model_at(2))
    assert computed == BLOCKS

    second = states_of(kept, model_at(2), passes=1)

    assert computed == BLOCKS
    assert second["train"] is first["train"]


def test_files_of_an_earlier_process_are_read(model_at, new_cache, states_of, computed, said):
    states_of(new_cache("disk"), model_at(2))
    computed.clear()
    said()

    # Also if the texts were read but once, which is never worth filling.
    for mode, passes in (("disk", 1000), ("auto", 1)):
        states_of(new_cache(mode), model_at(2), passes=passes)
        (line,) = said()
        assert "prefix cache at depth 2: on disk, as an earlier run left it in " in line
    assert computed == []


def test_split_that_was_not_asked_for_before_is_added(model_at, new_cache, splits, computed):
    kept = new_cache()
    kept.states(model_at(2), {"train": splits.train}, BatchShape(8), passes=9)

    both = {"train": splits.train, "validation": splits.validation}
    states = kept.states(model_at(2), both, BatchShape(8), passes=9)

    assert [name for name, *_ in computed] == ["train", "validation"]
    assert states.keys() == both.keys()


def test_what_is_computed_is_told(model_at, new_cache, states_of, said, root):
    states_of(new_cache("disk"), model_at(2))

    first, *rest = said()
    assert first.startswith("prefix cache at depth 2: as float32 on disk, ")
    assert first.endswith(" KiB, as cache.mode asks for")
    assert [line.rsplit(" in ")[0] for line in rest] == [
        "prefix cache: 36 train texts",
        "prefix cache: 12 validation texts",
    ]


# From a smaller depth


@pytest.mark.parametrize("mode", ["memory", "disk"])
def test_states_begin_with_those_of_the_greatest_smaller_depth(
    small_blocks, model_at, expected, new_cache, states_of, assert_states, computed, mode
):
    kept = new_cache(mode)
    for depth in (1, 2):
        states_of(kept, model_at(depth))
    computed.clear()
    # Another process finds the files.
    kept = kept if mode == "memory" else new_cache(mode)

    states = states_of(kept, model_at(3))

    assert computed == [(name, block, 2) for name, block, _ in BLOCKS]
    assert_states(states, expected[3])


def test_states_from_a_smaller_depth_equal_those_from_the_texts(model_at, new_cache, states_of):
    kept = new_cache()
    states_of(kept, model_at(1))

    found, anew = states_of(kept, model_at(2)), states_of(new_cache(), model_at(2))

    for name, states in found.items():
        np.testing.assert_allclose(states.values, anew[name].values, rtol=0, atol=1e-6)


def test_rounded_states_are_no_beginning(model_at, new_cache, states_of, computed):
    """Else they would be rounded at each depth, and depend on what was tried before."""
    kept = new_cache(dtype="float16")
    for depth in (1, 2):
        states_of(kept, model_at(depth))

    assert {begun_with for _, _, begun_with in computed} == {None}


@pytest.mark.parametrize("name", ["states.bin", "manifest.json", "blocks.jsonl"])
def test_damaged_smaller_depth_is_passed_over(
    model_at, expected, new_cache, states_of, assert_states, computed, root, name
):
    states_of(new_cache("disk"), model_at(1))
    damaged = {path: path.read_bytes()[:9] for path in root.glob(f"*/{name}")}
    for path, content in damaged.items():
        path.write_bytes(content)

    states = states_of(new_cache("disk"), model_at(2))

    assert {begun_with for _, _, begun_with in computed} == {None}
    assert_states(states, expected[2])
    # It belongs to whoever asks for that depth, who may be filling it right now.
    assert {path: path.read_bytes() for path in damaged} == damaged


# Interrupted and damaged


def test_interrupted_fill_goes_on(
    small_blocks, model_at, expected, new_cache, states_of, assert_states, computed, monkeypatch
):
    counted = cache.compute_block

    def compute_three(*arguments):
        if len(computed) == 3:
            raise KeyboardInterrupt
        return counted(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(cache, "compute_block", compute_three)
        states_of(new_cache("disk"), model_at(2))

    states = states_of(new_cache("disk"), model_at(2))

    assert computed == BLOCKS
    assert_states(states, expected[2])


def test_damaged_block_is_named_and_computed_anew(
    small_blocks, model_at, expected, new_cache, states_of, assert_states, computed, said
):
    states = states_of(new_cache("disk"), model_at(2))
    path = states["train"].values.filename
    content = bytearray(path.read_bytes())
    content[-1] ^= 128
    path.write_bytes(content)
    computed.clear()
    said()

    states = states_of(new_cache("disk"), model_at(2))

    assert computed == [("train", 3, None)]
    assert said()[1] == f"prefix cache: block 3 of {path} is damaged; computing it anew"
    assert_states(states, expected[2])


# Where they are kept


def test_automatic_choice_is_told_with_its_reason(model_at, new_cache, states_of, measured, said):
    measured(10.0)

    states = states_of(new_cache("auto"), model_at(2), passes=5)

    assert isinstance(states["train"].values, np.ndarray)
    size = states["train"].values.nbytes + states["validation"].values.nbytes
    assert said()[0] == (
        f"prefix cache at depth 2: as float32 in memory, {size / 1024:.0f} KiB: 5 passes through "
        "the frozen layers would take 50 s, one pass and 5 readings 15 s"
    )


def test_automatic_choice_holds_measured_times_against_each_other(
    model_at, new_cache, states_of, said
):
    states_of(new_cache("auto"), model_at(2), passes=10_000)

    assert "10000 passes through the frozen layers would take" in said()[0]


def test_cache_that_does_not_pay_is_told_once_and_measured_once(
    model_at, new_cache, states_of, measured, said, computed
):
    calls, kept = measured(1.0), new_cache("auto")

    for _ in range(3):
        assert states_of(kept, model_at(2), passes=5) == {}

    assert said() == [
        "prefix cache at depth 2: off; 5 passes through the frozen layers would take 5.0 s, one "
        "pass and 5 readings 6.0 s"
    ]
    assert (len(calls), computed) == (1, [])


def test_more_passes_are_decided_anew(model_at, new_cache, states_of, measured):
    measured(1.5)
    kept = new_cache("auto")

    found = [bool(states_of(kept, model_at(2), passes=n)) for n in (2, 3, 4, 3)]

    # 1.5 n is more than 1.5 + n from 4 on.
    assert found == [False, False, True, True]


def test_single_pass_is_not_measured(model_at, new_cache, states_of, measured, said):
    calls = measured(10.0)

    assert states_of(new_cache("auto"), model_at(2), passes=1) == {}
    assert said() == ["prefix cache at depth 2: off; the texts are read only once"]
    assert calls == []


def test_states_for_several_processes_go_to_the_disk(model_at, new_cache, states_of, measured):
    measured(10.0)

    states = states_of(new_cache("auto", shared=True), model_at(2))

    assert isinstance(states["train"].values, np.memmap)


def test_half_the_bytes_are_stored_where_only_they_fit_anywhere(
    model_at, new_cache, states_of, measured
):
    measured(10.0)
    size = sum(s.own_bytes for s in states_of(new_cache(), model_at(2)).values())

    def stored(mode, memory, disk):
        budgets = {"memory_budget": str(memory), "disk_budget": str(disk)}
        values = states_of(new_cache(mode, **budgets), model_at(2))["train"].values
        return values.dtype.name, isinstance(values, np.memmap)

    assert stored("auto", size, 1) == ("float32", False)
    assert stored("auto", size - 1, size - 1) == ("float16", False)
    assert stored("auto", 1, size - 1) == ("float16", True)
    assert stored("auto", size - 1, 9 * size) == ("float32", True)
    assert stored("memory", size - 1, 9 * size) == ("float16", False)
    assert stored("disk", size, size - 1) == ("float16", True)


def test_state_that_float16_cannot_hold_is_an_error(model_at, new_cache, states_of, monkeypatch):
    def too_large(*_):
        yield np.full((8, 32, 32), 7e4, np.float32)

    monkeypatch.setattr("tf_finetune.prefix.filling._boundary_states", too_large)

    with pytest.raises(UserError, match=r"depth 2 do not fit float16 \(up to 65,504\)"):
        states_of(new_cache(dtype="float16"), model_at(2))


def test_rest_of_an_interrupted_fill_is_decided_like_a_new_one(
    small_blocks, model_at, new_cache, states_of, measured, said, root
):
    measured(10.0)
    states_of(new_cache("disk"), model_at(2))
    for path in root.glob("*/blocks.jsonl"):
        path.write_text(path.read_text().splitlines(keepends=True)[0])
    said()

    assert states_of(new_cache("auto"), model_at(2), passes=1) == {}
    assert said() == ["prefix cache at depth 2: off; the texts are read only once"]


def test_what_deeper_states_begin_with_leaves_the_memory_last(
    small_blocks, model_at, new_cache, states_of, splits, computed
):
    (one,) = new_cache().states(model_at(1), {"train": splits.train}, BatchShape(8), 9).values()
    cache = new_cache(memory_budget=str(2 * one.own_bytes + 100))
    other = splits.train.select(slice(0, None, 2))
    cache.states(model_at(1), {"train": splits.train}, BatchShape(8), 9)
    cache.states(model_at(1), {"train": other}, BatchShape(8), 9)
    computed.clear()

    cache.states(model_at(2), {"train": splits.train}, BatchShape(8), 9)

    assert {begun for _, _, begun in computed} == {1}


@pytest.fixture
def model_of(tiny_encoder_files, spec_for):
    """What stands for a model with a plan."""

    def make(**options):
        plan = spec_for(tiny_encoder_files, freeze=options).plan
        return SimpleNamespace(classifier=SimpleNamespace(plan=plan))

    return make


@pytest.mark.parametrize("mode", ["memory", "disk"])
def test_nothing_to_keep_is_told_once_where_it_was_asked_for(
    model_of, new_cache, states_of, said, mode
):
    rule = FreezeRule(train=True, parts=("embeddings",))
    models = [
        model_of(),
        model_of(depth=2, rules=(rule,)),
        model_of(embeddings=True),
        model_of(depth=3, rules=(rule,)),
    ]
    kept = new_cache(mode)

    assert [states_of(kept, model) for model in models] == [{}] * 4
    assert said() == [
        f"prefix cache: off, although cache.mode={mode}; the embeddings train",
        f"prefix cache: off, although cache.mode={mode}; no layer is frozen",
    ]


def test_nothing_to_keep_is_not_told_where_it_was_not_asked_for(
    model_at, new_cache, states_of, said
):
    assert states_of(new_cache("auto"), model_at(0)) == {}
    assert states_of(new_cache("off"), model_at(2)) == {}
    assert said() == []


def test_frozen_layers_above_embeddings_that_train_are_told_to_give_nothing(
    model_of, new_cache, states_of, said
):
    rule = FreezeRule(train=True, parts=("embeddings",))

    assert states_of(new_cache("auto"), model_of(depth=2, rules=(rule,))) == {}
    assert said() == ["prefix cache: off, although cache.mode=auto; the embeddings train"]
