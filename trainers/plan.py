"""Shows what would be trained and what that costs, without loading weights.

Example:
    python -m trainers.plan freeze.depth=4
"""

from collections.abc import Sequence

from rich.console import Console

from tf_finetune.encoders import depth_costs, plan_cost, plan_freezing, resolve_encoder
from tf_finetune.encoders.plan_tables import render_costs, render_plan, render_rows
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

    console.print(f"encoder {files.name}, {num_labels} outputs", highlight=False)
    if arguments.rows:
        render_rows(console, plan)
    else:
        render_plan(console, plan)
    step = {
        "batch_size": config.training.batch_size,
        "length": min(config.data.max_length, files.config["max_position_embeddings"]),
        "optimizer": config.training.optimizer,
    }
    costs = depth_costs(variables, files.config, **step)
    rows = [(str(depth), cost) for depth, cost in enumerate(costs)]
    configured = str(config.freeze.depth)
    if config.freeze.rules or config.freeze.embeddings:
        configured = "as configured"
        rows.append((configured, plan_cost(plan, variables, files.config, **step)))
    render_costs(
        console,
        rows,
        batch_size=step["batch_size"],
        length=step["length"],
        highlighted=configured,
    )
    console.print("formulas: docs/arithmetic.md", highlight=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
