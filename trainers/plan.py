"""Shows what would be trained and what that costs; without examples, no weights are loaded.

Examples:
    python -m trainers.plan freeze.depth=4
    python -m trainers.plan reviews.csv freeze.depth=4
"""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles, configured_encoder
from tf_finetune.errors import visible
from tf_finetune.models.phases import planned_phases
from tf_finetune.models.plan_check import check_plan
from tf_finetune.models.reinitialising import reinitialised_lines
from tf_finetune.models.spec import spec_of
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.precision import foretell_precision
from tf_finetune.plans.solver import resolve_solver
from tf_finetune.reports.plan_tables import render_costs, render_phases, render_plan, render_rows
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.table import unnamed_labels
from trainers.arguments import load_arguments, parse_arguments, whole_number
from trainers.cli import run_command


def main(argv: Sequence[str]) -> int:
    """Prints the freeze plan and the price of every depth; returns the exit code."""
    arguments = parse_arguments("plan", argv)
    config = load_arguments(arguments)
    console = Console()
    files = configured_encoder(config.encoder)
    num_labels = whole_number("--num-labels", arguments.num_labels, positive=True)
    spec = spec_of(config, files, unnamed_labels(Classes.task, num_labels))
    check_plan(spec)
    config, solver_lines = resolve_solver(config, spec.plan)

    console.print(Text(visible(f"encoder {files.name}, {num_labels} outputs")), soft_wrap=True)
    for line in files.lines():
        console.print(line, highlight=False, soft_wrap=True)
    if arguments.rows:
        render_rows(console, spec.plan)
    else:
        render_plan(console, spec.plan)
    for line in (*solver_lines, *reinitialised_lines(spec), *foretell_precision(config)):
        console.print(line, highlight=False, soft_wrap=True)
    step = {
        "batch_size": config.training.batch_size,
        "length": min(config.data.max_length, files.sizes.positions),
    }
    depths = [FreezeConfig(depth=depth) for depth in files.depths]
    rows = [
        (str(freeze.depth), spec_of(config, files, spec.labels, freeze=freeze).cost(**step))
        for freeze in depths
    ]
    configured = str(config.freeze.depth)
    if config.freeze.rules or config.freeze.embeddings:
        configured = "as configured"
        rows.append((configured, spec.cost(**step)))
    render_costs(console, rows, **step, highlighted=configured)
    priced = [(phase, phase.spec.cost(**step)) for phase in planned_phases(spec)]
    render_phases(console, priced, **step)
    console.print("formulas: docs/arithmetic.md", highlight=False)
    if arguments.file is not None:
        _forecast_cache(config, files, console)
    return 0


def _forecast_cache(config: ExperimentConfig, files: EncoderFiles, console: Console) -> None:
    """Prints what a run on these examples would decide about its prefix cache."""
    from tf_finetune.data.folds import describe_folds
    from tf_finetune.data.loading import load_splits
    from tf_finetune.encoders.locating import fitted_inputs
    from tf_finetune.encoders.tokenizers import load_tokenizer
    from tf_finetune.models.weights import pretrained
    from tf_finetune.sources.opening import check_sources

    config = config.model_copy(update={"data": fitted_inputs(files, config.data)})
    check_sources(config.data)
    splits, _ = load_splits(config.data, load_tokenizer(files), console=Console(quiet=True))
    start = pretrained(files, splits.labels, splits.train.labels)
    for line in start.lines():
        console.print(Text(visible(line)), soft_wrap=True)

    from tf_finetune.prefix.of_a_run import forecast_states
    from tf_finetune.training.compiling import build_fine_tuner
    from tf_finetune.training.strategy import build_strategy

    chosen = build_strategy(config.training.strategy)
    precision = "float32" if config.training.precision == "auto" else None  # to count bytes
    spec = spec_of(config, files, splits.labels, precision=precision)
    model = build_fine_tuner(spec, start, chosen)
    for line in [*describe_folds(splits), forecast_states(model, splits, config, chosen)]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
