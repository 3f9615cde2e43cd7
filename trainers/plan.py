"""Shows what would be trained and what that costs; without examples, no weights are loaded.

Examples:
    python -m trainers.plan freeze.depth=4
    python -m trainers.plan reviews.csv freeze.depth=4
"""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles, resolve_encoder
from tf_finetune.errors import visible
from tf_finetune.plans.arithmetic import depth_costs, plan_cost
from tf_finetune.plans.freezing import plan_freezing
from tf_finetune.reports.plan_tables import render_costs, render_plan, render_rows
from trainers.arguments import load_arguments, parse_arguments, whole_number
from trainers.cli import run_command


def main(argv: Sequence[str]) -> int:
    """Prints the freeze plan and the price of every depth; returns the exit code."""
    arguments = parse_arguments("plan", argv)
    config = load_arguments(arguments)
    console = Console()
    files = resolve_encoder(config.encoder.name)
    num_labels = whole_number("--num-labels", arguments.num_labels, positive=True)
    variables = files.family.variables(files.config, num_labels)
    plan = plan_freezing(config.freeze, variables)

    console.print(Text(visible(f"encoder {files.name}, {num_labels} outputs")), soft_wrap=True)
    if arguments.rows:
        render_rows(console, plan)
    else:
        render_plan(console, plan)
    step: dict[str, Any] = {
        "batch_size": config.training.batch_size,
        "length": min(config.data.max_length, files.sizes.positions),
        "optimizer": config.training.optimizer,
    }
    costs = depth_costs(variables, files.family, files.sizes, **step)
    rows = [(str(depth), cost) for depth, cost in enumerate(costs)]
    configured = str(config.freeze.depth)
    if config.freeze.rules or config.freeze.embeddings:
        configured = "as configured"
        rows.append((configured, plan_cost(plan, variables, files.family, files.sizes, **step)))
    render_costs(
        console,
        rows,
        batch_size=step["batch_size"],
        length=step["length"],
        highlighted=configured,
    )
    console.print("formulas: docs/arithmetic.md", highlight=False)
    if arguments.file is not None:
        _forecast_cache(config, files, console)
    return 0


def _forecast_cache(config: ExperimentConfig, files: EncoderFiles, console: Console) -> None:
    """Prints what a run on these examples would decide about its prefix cache."""
    from tf_finetune.data.folds import describe_folds
    from tf_finetune.data.loading import load_splits
    from tf_finetune.encoders.checkpoint_check import check_checkpoint
    from tf_finetune.encoders.locating import check_inputs
    from tf_finetune.encoders.tokenizers import load_tokenizer
    from tf_finetune.models.head_start import matched_head, start_lines
    from tf_finetune.sources.opening import check_sources
    from tf_finetune.tasks.output_scale import output_scale

    check_inputs(files, config.data.max_length, pairs=config.data.text_pair_column is not None)
    check_sources(config.data)
    splits, _ = load_splits(config.data, load_tokenizer(files), console=Console(quiet=True))
    num_outputs = splits.labels.num_outputs
    check_checkpoint(files, num_outputs, head_required=False)
    scale = output_scale(splits.labels, splits.train.labels)
    head = matched_head(files, splits.labels, scale)
    for line in start_lines(head, scale):
        console.print(Text(visible(line)), soft_wrap=True)

    from tf_finetune.models.classifier import build_classifier
    from tf_finetune.prefix.of_a_run import forecast_states
    from tf_finetune.training.fine_tuning import compile_fine_tuner
    from tf_finetune.training.strategy import build_strategy

    plan = plan_freezing(config.freeze, files.family.variables(files.config, num_outputs))
    chosen = build_strategy(config.training.strategy)
    with chosen.strategy.scope():
        classifier, _ = build_classifier(
            files,
            plan,
            num_outputs,
            seed=config.training.seed,
            precision=config.training.precision,
            head=head,
            scale=scale,
        )
        model = compile_fine_tuner(
            classifier, splits.labels.task, config.training, for_xla=chosen.compiles
        )
    for line in [*describe_folds(splits), forecast_states(model, splits, config, chosen)]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
