"""How batches are cut and padded, for training and for scoring."""

from tf_finetune.data.batches import resolve_padding
from tf_finetune.methods.method import Method
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.training.objectives import OBJECTIVES
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.strategy import ChosenStrategy


def evaluation_shape(
    config: EvaluationConfig, training: TrainingConfig, max_length: int, chosen: ChosenStrategy
) -> BatchShape:
    """How batches are cut for scoring; sorted by length, they hold little padding unpacked."""
    padding = resolve_padding(training.padding, compiles=chosen.compiles)
    if padding == "packed":
        padding = "buckets" if chosen.compiles else "longest"
    return BatchShape(
        batch_size=max(config.batch_size, chosen.replicas),
        replicas=chosen.replicas,
        processes=chosen.processes,
        padding=padding,
        max_length=max_length,
        fixed_rows=chosen.compiles,
    )


def training_shape(
    config: TrainingConfig,
    max_length: int,
    chosen: ChosenStrategy,
    method: Method,
    *,
    packs: bool = True,
) -> BatchShape:
    """How batches are cut and padded for training; `packs`: a row may hold several texts."""
    together = OBJECTIVES[method.learns_from].together
    packs = packs and together == 1
    return BatchShape(
        batch_size=config.batch_size,
        replicas=chosen.replicas,
        processes=chosen.processes,
        micro_batches=config.accumulation_steps,
        padding=resolve_padding(config.padding, compiles=chosen.compiles, packs=packs),
        max_length=max_length,
        fixed_rows=chosen.compiles,
        together=together,
    )
