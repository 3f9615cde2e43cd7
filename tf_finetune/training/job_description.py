"""What a job is about to do, in derived numbers with their formulas."""

import hashlib
import json
from collections.abc import Sequence

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import describe_folds
from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.machine.environment import installed_version
from tf_finetune.methods.method import Method
from tf_finetune.models.weights import pretrained
from tf_finetune.options.marks import Mark
from tf_finetune.options.training import TrainingConfig
from tf_finetune.plans.arithmetic import PlanCost
from tf_finetune.training.head_choice import FOLDS
from tf_finetune.training.head_path import penalties_for
from tf_finetune.training.optimizers import warmup_steps
from tf_finetune.training.pipeline import BatchShape, piece_rows, steps_per_epoch
from tf_finetune.training.strategy import ChosenStrategy


def describe_job(
    config: TrainingConfig,
    method: Method,
    splits: Splits,
    priced: Sequence[tuple[int, PlanCost]],
    shape: BatchShape,
    chosen: ChosenStrategy,
) -> list[str]:
    """Lines to print before training starts.

    Args:
        config: The training section.
        method: That of the run.
        splits: The data.
        priced: Epochs and price of a step of each phase of the run; mostly there is one.
        shape: From `training_shape`.
        chosen: The devices.
    """
    devices = f"devices: {chosen.reason}; {chosen.replicas} replica(s)"
    if config.solver == "exact":
        return [devices, *describe_folds(splits), *_describe_solution(config, splits, priced[0][1])]
    examples = len(splits.train)
    per_epoch = method.steps_per_epoch(examples, config.batch_size)
    read = f"{examples:,} examples"
    if method.readings > 1:
        read += f" x {method.readings} readings"
    steps = per_epoch * config.epochs
    most = max(cost.gradient_bytes + cost.optimizer_bytes for _, cost in priced)
    of_step = sorted(cost.step_flops / 1e9 for _, cost in priced)
    a_step = " to ".join(f"{flops:,.1f}" for flops in dict.fromkeys((of_step[0], of_step[-1])))
    in_all = sum(per_epoch * epochs * cost.step_flops for epochs, cost in priced)
    return [
        devices,
        *describe_folds(splits),
        f"steps: {per_epoch:,} an epoch (ceil of {read} / {config.batch_size}) x "
        f"{config.epochs} epochs = {steps:,}, the first {warmup_steps(config, steps):,} warm up",
        f"a step: {_step(config, splits.train, shape)}",
        f"memory: {most / 2**20:,.0f} MiB of gradients and optimiser state",
        f"work: {a_step} GFLOPs a step, {in_all / 1e12:,.1f} TFLOPs in all (matrix products)",
    ]


def _describe_solution(config: TrainingConfig, splits: Splits, cost: PlanCost) -> list[str]:
    penalties = penalties_for(config.weight_decay)
    of_text = cost.forward_flops / config.batch_size
    return [
        f"steps: none; the head is solved on {len(splits.train):,} vectors, for the best of up to "
        f"{len(penalties)} penalties from {penalties[0]:.3g} to {penalties[-1]:.3g} out of "
        f"{FOLDS} folds of them",
        f"work: {of_text * len(splits.train) / 1e12:,.1f} TFLOPs, one pass over the texts (matrix "
        "products)",
    ]


def _step(config: TrainingConfig, train: Split, shape: BatchShape) -> str:
    """How a batch is cut into pieces of equally many rows."""
    rows = piece_rows(train, shape, config.seed)
    cut = f"{shape.replicas} replica(s) x {shape.micro_batches} micro-batch(es) x {rows}"
    if shape.padding != "packed":
        return f"batch of {shape.batch_size} = {cut}"
    batches = steps_per_epoch(len(train), shape.batch_size)
    room = batches * shape.replicas * shape.micro_batches * rows * shape.row_length
    return (
        f"batch of {shape.batch_size} texts in {cut} packed rows of {shape.row_length} tokens, "
        f"{train.lengths.sum() / room:.0%} of them real"
    )


def job_digest(config: ExperimentConfig, files: EncoderFiles, splits: Splits) -> str:
    """Hash of all that the processes of one training must share, hex.

    The options, the data, the encoder's weights (its name may mean others on another machine),
    the rows of its head that are kept and the version of this package.
    """
    options = config.marked(without={Mark.SEARCH, Mark.PLACE})
    digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
    digest.update(f"{installed_version('tf-finetune')} {files.checkpoint.sha256}".encode())
    start = pretrained(files, splits.labels, splits.train.labels)
    digest.update(str(start.start_of_head(splits.labels.num_outputs).rows).encode())
    for split in (splits.train, splits.validation, splits.test):
        if split is not None:
            digest.update(split.store.key.encode() + split.rows.tobytes())
    return digest.hexdigest()
