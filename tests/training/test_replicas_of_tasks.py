"""Tasks that make their rows are trained by several devices as by one."""

from types import SimpleNamespace

import pytest

from tests.task_files import write_task_file
from tf_finetune.data.loading import load_splits
from tf_finetune.models.weights import pretrained
from tf_finetune.options.data import DataConfig
from tf_finetune.tasks.table import TASKS
from tf_finetune.training.compiling import build_fine_tuner

pytestmark = [pytest.mark.numeric, pytest.mark.eager]

MAKE_ROWS = [name for name, task in TASKS.items() if task.makes_rows]


@pytest.fixture(params=MAKE_ROWS)
def splits_of_task(request, tiny_tokenizer, tmp_path):
    options = write_task_file(request.param, tmp_path) | {"cache_dir": str(tmp_path / "cache")}
    parts = {"validation_fraction": 0.25, "test_fraction": 0.0}
    return load_splits(DataConfig.model_validate(options | parts), tiny_tokenizer)[0]


def test_two_replicas_in_micro_batches_equal_one_device(
    splits_of_task,
    tiny_encoder_files,
    spec_for,
    run,
    training,
    state,
    rounded,
    assert_equal,
    cpu,
    two_replicas,
):
    data = splits_of_task
    longest = {"data": data, "max_length": 64}

    def trained(chosen, accumulation_steps):
        config = training(
            learning_rate=5e-4, epochs=1, accumulation_steps=accumulation_steps, solver="steps"
        )
        files = tiny_encoder_files.read_by(data.labels.pooling)
        sections = {"freeze": {"depth": 1}, "training": config}
        spec = spec_for(files, data.labels, **sections)
        start = pretrained(files, data.labels, data.train.labels)
        model = build_fine_tuner(spec, start, chosen)
        return SimpleNamespace(model=model, result=run(model, config, chosen=chosen, **longest))

    # The last batch of the epoch is smaller, and no multiple of its pieces.
    assert len(data.train) % 8 % 4
    one, several = trained(cpu, 1), trained(two_replicas, 2)

    found, expected = (rounded(state(t.model, t.result)) for t in (several, one))
    if data.labels.joins_reads or data.labels.several_texts:
        # Added to all that a softmax compares, the head's bias has no slope but rounding.
        for left in (found, expected):
            del left["classifier/bias"]
    assert_equal(found, expected, atol=1e-5)
