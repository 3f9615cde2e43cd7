"""Sizes of the cache section are read, or named with what is accepted."""

import pytest

from tf_finetune.config.loading import load_config
from tf_finetune.errors import UserError
from tf_finetune.options.value_checks import size_bytes


@pytest.mark.parametrize("name", ["memory_budget", "disk_budget"])
@pytest.mark.parametrize("size", ["lots", "-1GiB", "0", "2 apples", "''", "1e3GiB"])
def test_wrong_size_is_named_with_what_is_accepted(name, size):
    with pytest.raises(UserError, match=rf"cache.{name} .*: received .*; accepted: .* 500MB"):
        load_config(None, [f"cache.{name}={size}"])


@pytest.mark.parametrize(
    ("size", "count"),
    [("500MB", 500_000_000), ("2GiB", 2 * 2**30), ("1.5G", 1_500_000_000), ("4096", 4096)],
)
def test_size_is_read_in_powers_of_ten_and_of_two(size, count):
    config = load_config(None, [f"cache.memory_budget={size}"])

    assert size_bytes(config.cache.memory_budget) == count


def test_memory_budget_may_be_left_to_the_machine_but_not_the_disk_budget():
    assert load_config(None, ["cache.memory_budget=null"]).cache.memory_budget is None
    with pytest.raises(UserError, match="cache.disk_budget .*: received null"):
        load_config(None, ["cache.disk_budget=null"])


def test_packed_rows_of_several_processes_cannot_be_kept():
    options = ["training.strategy=multi_worker", "training.padding=packed"]

    load_config(None, options)
    with pytest.raises(
        UserError, match="cache.mode .*: received disk with .*packed; accepted: off"
    ):
        load_config(None, [*options, "cache.mode=disk"])
