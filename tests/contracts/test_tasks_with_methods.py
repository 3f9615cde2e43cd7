"""Each task trains with each method as with any other."""

import numpy as np
import pytest
import tensorflow as tf
from check_task_method import check_task_with_method

from tests.task_files import write_task_file
from tf_finetune.data.loading import load_splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.methods.table import METHODS
from tf_finetune.models.building import build, replanned
from tf_finetune.models.weights import Pretrained
from tf_finetune.options.data import DataConfig
from tf_finetune.tasks.table import TASKS
from tf_finetune.training.compiling import compile_fine_tuner
from tf_finetune.training.pipeline import BatchShape, global_batch
from tf_finetune.training.strategy import without_strategy

pytestmark = [pytest.mark.numeric, pytest.mark.eager]

# What stands before every text, and what is put around a product, meet reads that are not the
# first token's: these with every task that names its reads.
RISKY = ("prefix_tuning", "adapters")
NAMED_READS = ("token_classification", "span", "multiple_choice")
# Steps of pairs ask no head and no task: tests/training/test_contrastive.py.
OF_LABELS = [name for name, method in METHODS.items() if method.learns_from == "labels"]
OTHERS = [name for name in OF_LABELS if name not in RISKY]
ROTATED = [
    (task, name)
    for at, task in enumerate(TASKS)
    for place, name in enumerate(OTHERS)
    if (place - at) % len(OTHERS) == 0
]
PAIRS = sorted({*ROTATED, *((task, name) for task in NAMED_READS for name in RISKY)})


def test_pairs_hold_every_task_and_every_method_of_labels():
    tasks, methods = (set(found) for found in zip(*PAIRS, strict=True))
    assert (tasks, methods) == (set(TASKS), set(OF_LABELS))


@pytest.fixture(scope="module")
def task(request):
    return request.param


@pytest.fixture(scope="module")
def splits(task, tiny_tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp(task)
    options = write_task_file(task, folder) | {"cache_dir": str(folder / "cache")}
    parts = {"validation_fraction": 0.0, "test_fraction": 0.0}
    return load_splits(DataConfig.model_validate(options | parts), tiny_tokenizer)[0]


@pytest.fixture(scope="module")
def built(splits, tiny_encoder, spec_for):
    """A model of the task without a method, and its values, which tests change."""
    files = EncoderFiles("tiny", tiny_encoder).read_by(splits.labels.pooling)
    model = build(spec_for(files, splits.labels, freeze={"depth": 1}), Pretrained())
    return model, {path: variable.numpy() for path, variable in model.by_path.items()}


@pytest.mark.parametrize(("task", "name"), PAIRS, indirect=["task"], scope="module")
def test_a_task_trains_with_a_method(name, splits, built, spec_for):
    plain, values = built
    plain.set_values(values)
    options = {"training": {"learning_rate": 1e-3, "solver": "steps"}, "method": {"name": name}}
    spec = spec_for(plain.files, splits.labels, freeze={"depth": 1}, **options)
    model = compile_fine_tuner(replanned(plain, spec), spec, without_strategy(compiles=False))
    model.classifier.reset(seed=0)
    model.start_run(spec.config.training, total_steps=10)
    rows = np.arange(8)
    shape = BatchShape(8, max_length=64)
    weights = np.ones(len(splits.train), np.float32)
    batch = global_batch(splits.train, rows, weights, shape, step=0)

    # Added to all that a softmax compares, the head's bias makes no difference.
    compared = splits.labels.joins_reads or splits.labels.several_texts
    flat = ("classifier/bias",) if compared else ()
    check_task_with_method(model, plain, tf.nest.map_structure(tf.constant, batch), flat)
