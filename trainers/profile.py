"""Probes how readable the labels are at every depth, in one forward pass.

Example:
    python -m trainers.profile reviews.csv
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tf_finetune.console_tables import print_table
from tf_finetune.errors import UserError
from trainers.arguments import load_arguments, parse_arguments
from trainers.cli import run_command


def main(argv: Sequence[str]) -> int:
    """Prints the score of a linear probe at each depth; returns the exit code."""
    arguments = parse_arguments("profile", argv)
    config = load_arguments(arguments)
    console = Console()

    from tf_finetune.data.folds import scored_split
    from tf_finetune.data.loading import load_splits
    from tf_finetune.encoders.locating import configured_encoder, fitted_inputs
    from tf_finetune.encoders.tokenizers import load_tokenizer
    from tf_finetune.models.spec import spec_of
    from tf_finetune.models.weights import Pretrained, pretrained
    from tf_finetune.options.freeze import FreezeConfig
    from tf_finetune.sources.opening import check_sources
    from tf_finetune.tasks.table import check_able

    files = configured_encoder(config.encoder)
    config = config.model_copy(update={"data": fitted_inputs(files, config.data)})
    check_sources(config.data)
    splits, _ = load_splits(config.data, load_tokenizer(files), console=console)
    check_able(splits.labels.task, "profile")
    if scored_split(splits) is None:
        raise UserError(
            "data.validation_fraction: received 0 and no data.validation; accepted: either, or "
            "data.folds, because probes are scored on examples that they were not fitted on"
        )
    files = files.read_by(splits.labels.pooling)
    metric, _ = splits.labels.monitor(config.training.monitor)
    pretrained(files, splits.labels, splits.train.labels)

    from tf_finetune.evaluation.depth_profile import probe_depths, sampled
    from tf_finetune.models.building import build
    from tf_finetune.training.pipeline import BatchShape

    # What the encoder knows, also of layers that a training would let begin anew.
    training = config.training.model_copy(update={"reinitialise_top": 0})
    config = config.model_copy(update={"training": training})
    freeze = FreezeConfig(depth=files.num_layers)
    spec = spec_of(config, files, splits.labels, freeze=freeze, precision="float32")
    classifier = build(spec, Pretrained())
    shape = BatchShape(config.evaluation.batch_size, max_length=config.data.max_length)
    used = sampled(splits, config.training.seed)
    for part, whole in ((used.train, splits.train), (used.validation, splits.validation)):
        if part is not None and whole is not None and len(part) < len(whole):
            used_of_all = f"{part.num_examples:,} of {whole.num_examples:,}"
            console.print(f"{used_of_all} {whole.name} examples are used", highlight=False)
    probes = probe_depths(classifier, used, shape, metric)
    table = Table("depth", metric, "standard error", title="A linear probe at each depth")
    for probe in probes:
        error = "" if probe.standard_error is None else f"{probe.standard_error:.4f}"
        table.add_row(str(probe.depth), f"{probe.score:.4f}", error)
    print_table(console, table)
    console.print(
        "What is trained above a depth can do better than its probe: to choose a depth, use "
        "search.",
        highlight=False,
    )
    if arguments.output:
        from tf_finetune.storage.files import write_json

        content = {"metric": metric, "probes": [asdict(probe) for probe in probes]}
        write_json(Path(arguments.output), content)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
