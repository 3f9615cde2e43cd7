"""Checks a configuration and all of its data without training anything."""

from collections.abc import Sequence

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError
from trainers.arguments import load_arguments, parse_arguments
from trainers.cli import run_command


def main(argv: Sequence[str]) -> int:
    """Reads every row, checks the freeze plan against the encoder, and prints a summary."""
    config = load_arguments(parse_arguments("validate", argv))
    for line in check(config):
        print(line)
    print("ok")
    return 0


def check(config: ExperimentConfig) -> list[str]:
    """Checks what can be known before training; the data's summary is printed on the way.

    Args:
        config: A configuration with data.train.

    Returns:
        Lines that say what would be trained on what.

    Raises:
        UserError: With the problems of the freeze plan and of the data together.
    """
    from rich.console import Console

    from tf_finetune.data.folds import describe_folds
    from tf_finetune.data.loading import load_splits
    from tf_finetune.encoders.locating import fitted_inputs
    from tf_finetune.encoders.tokenizers import load_tokenizer
    from tf_finetune.jobs.configured_files import configured_files
    from tf_finetune.models.plan_check import check_plan
    from tf_finetune.models.spec import spec_of
    from tf_finetune.plans.precision import foretell_precision
    from tf_finetune.plans.solver import resolve_solver
    from tf_finetune.sources.opening import check_sources

    encoder = configured_files(config)
    errors = []
    try:
        spec = spec_of(config, encoder)
        check_plan(spec)
        resolve_solver(config, spec.plan)
    except UserError as error:
        errors.append(error)
    try:
        config = config.model_copy(update={"data": fitted_inputs(encoder, config.data)})
    except UserError as error:
        errors.append(error)
    try:
        check_sources(config.data)
        splits, _ = load_splits(config.data, load_tokenizer(encoder), console=Console())
    except UserError as error:
        errors.append(error)
    if errors:
        problems = [problem for error in errors for problem in error.problems]
        hints = [error.hint for error in errors if error.hint]
        raise UserError(problems, hint="\n".join(hints) or None)

    encoder = encoder.read_by(splits.labels.pooling)
    plan = spec_of(config, encoder, splits.labels).plan
    config, solver_lines = resolve_solver(config, plan)
    return [
        f"encoder: {encoder.name}, {plan.num_layers} layers, frozen depth {plan.frozen_depth}",
        *encoder.layer_lines(),
        f"pooling: {encoder.pooling_choice.sentence()}",
        f"trainable parameters: {plan.trainable_count:,} of {plan.total_count:,}",
        *solver_lines,
        *foretell_precision(config),
        *describe_folds(splits),
    ]


if __name__ == "__main__":
    raise SystemExit(run_command(main))
