"""Fine-tunes an encoder at a chosen depth: config -> data -> plan -> model -> fit -> report.

Example:
    python -m trainers.train reviews.csv freeze.depth=4 training.learning_rate=3e-4
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import visible
from trainers.arguments import load_arguments, parse_arguments
from trainers.cli import run_command
from trainers.going_on import says_how_to_go_on


def main(argv: Sequence[str]) -> int:
    """Trains, scores and saves one model; returns the exit code."""
    started = time.time()
    config = load_arguments(parse_arguments("train", argv))
    with ExitStack() as claims:
        _train(config, claims, started)
    return 0


def _train(config: ExperimentConfig, claims: ExitStack, started: float) -> None:
    console = Console()

    from tf_finetune.data.loading import load_splits
    from tf_finetune.encoders.locating import configured_encoder, fitted_inputs
    from tf_finetune.encoders.tokenizers import load_tokenizer
    from tf_finetune.machine.cluster import check_cluster
    from tf_finetune.models.phases import plan_of_run, planned_phases
    from tf_finetune.models.plan_check import check_plan
    from tf_finetune.models.reinitialising import reinitialised_lines
    from tf_finetune.models.spec import spec_of
    from tf_finetune.models.weights import check_new_trains, new_variables, pretrained
    from tf_finetune.plans.rates import resolve_rate
    from tf_finetune.plans.solver import resolve_solver
    from tf_finetune.reports.plan_tables import plan_markdown, render_phases, render_plan
    from tf_finetune.runs.directory import check_run, join_run, prepare_run
    from tf_finetune.sources.opening import check_sources

    files = configured_encoder(config.encoder)
    # What is wrong with the rest is told before the data is read.
    spec = spec_of(config, files)
    check_plan(spec)
    check_new_trains(spec)
    config, solver_lines = resolve_solver(config, spec.plan)
    config = config.model_copy(update={"data": fitted_inputs(files, config.data)})
    cluster = check_cluster(config.training.strategy)
    check_run(config, claims, writes=cluster is None or cluster.is_chief)
    check_sources(config.data)
    tokenizer = load_tokenizer(files)
    splits, data = load_splits(config.data, tokenizer, console=console)
    encoder = config.encoder.model_copy(update=files.options())
    config = config.model_copy(update={"data": data, "encoder": encoder})
    config, rate_lines = resolve_rate(config, spec.plan, len(splits.train))

    spec = spec_of(config, files, splits.labels)
    planned = planned_phases(spec)
    start = pretrained(files, splits.labels, splits.train.labels)

    from tf_finetune.prefix.of_a_run import cached_states
    from tf_finetune.reports.tensorboard import write_plan_text
    from tf_finetune.runs.phases import phases_of_run
    from tf_finetune.runs.precision import build_for_run
    from tf_finetune.runs.threshold import chosen_threshold, with_threshold
    from tf_finetune.training.device_precision import check_precision
    from tf_finetune.training.fine_tuning import Outputs, check_options, fine_tune, training_shape
    from tf_finetune.training.job_description import describe_job, job_digest
    from tf_finetune.training.multi_worker import MEETING_SECONDS
    from tf_finetune.training.phases import reset_phases
    from tf_finetune.training.rounds import train_rounds, without_early_stopping
    from tf_finetune.training.strategy import build_strategy

    check_options(config.training, splits, config.evaluation)
    splits = with_threshold(splits, config.evaluation.threshold)
    digest = ""
    if config.training.strategy == "multi_worker":
        digest = job_digest(config, files, splits)
        console.print(
            f"waiting for the processes of TF_CONFIG, {MEETING_SECONDS:.0f} s at most",
            highlight=False,
        )
    chosen = build_strategy(config.training.strategy, digest)
    check_precision(config.training.precision, chosen)
    if chosen.writes:
        # From here on, nothing the user gave can be wrong.
        run, config = prepare_run(config, claims)
        run.write_json(run.plan, plan_of_run(planned))
    else:  # the chief writes and tells, this process only trains
        run, config = join_run(config)
        line = f"devices: {chosen.reason}; see the chief's output"
        console.print(Text(visible(line)), soft_wrap=True)
        console = Console(quiet=True)
    with says_how_to_go_on("train", run.config, console), chosen.says_who_is_lost():
        line = f"encoder {files.name}, run directory {run.path}"
        console.print(Text(visible(line)), soft_wrap=True)
        for line in files.lines():
            console.print(line, highlight=False, soft_wrap=True)
        plan = planned[-1].spec.plan  # what trains in the end
        render_plan(console, plan)
        step = {"batch_size": config.training.batch_size, "length": splits.train.mean_length}
        priced = [(phase, phase.spec.cost(**step)) for phase in planned]
        render_phases(console, priced, **step)
        shape = training_shape(config.training, config.data.max_length, chosen)
        for line in (
            *solver_lines,
            *rate_lines,
            *describe_job(
                config.training, splits, [(p.epochs, cost) for p, cost in priced], shape, chosen
            ),
        ):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        config, model, precision_lines = build_for_run(run, config, spec, splits, start, chosen)
        for line in precision_lines:
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        new = new_variables(spec, start)
        console.print(f"new variables: {', '.join(new) or 'none'}", highlight=False)
        for line in (*reinitialised_lines(spec), *start.lines()):
            console.print(Text(visible(line)), soft_wrap=True)
        events = run.events if config.run.tensorboard and chosen.writes else None
        if events is not None:
            write_plan_text(events, plan_markdown(plan))
        planned = planned_phases(replace(spec, config=config))
        phases, states = phases_of_run(planned, model, splits, chosen, console), {}
        if not phases:
            states = cached_states(model, splits, config, chosen, console)
        outputs = Outputs(events, run.checkpoints)
        rounds, training = None, config.training
        if splits.folds is not None:
            rounds = train_rounds(
                model,
                splits,
                config,
                chosen,
                states=states,
                outputs=outputs,
                console=console,
                phases=phases,
            )
            training = without_early_stopping(training, rounds.histories, splits.labels)
            epochs = "" if training.solver == "exact" else f"epochs: {training.epochs}, "
            line = f"final model: {epochs}on all {len(splits.train):,} examples"
            console.print(line, highlight=False)
            reset_phases(model, phases, training.seed)
        result = fine_tune(
            model,
            replace(splits, folds=None),
            training,
            config.evaluation,
            max_length=config.data.max_length,
            chosen=chosen,
            states=states,
            outputs=outputs,
            console=console,
            phases=phases,
        )
        if result.first_step_at is not None and rounds is None:
            console.print(
                f"first step after {result.first_step_at - started:.1f} s", highlight=False
            )

        from tf_finetune.runs.model_folder import write_model_folder
        from tf_finetune.runs.run_report import write_run_report
        from tf_finetune.runs.scoring import score_splits

        out_of_fold = None if rounds is None else rounds.logits
        result, splits = chosen_threshold(result, splits, config, chosen, out_of_fold)
        if chosen.writes:
            write_model_folder(
                run.model,
                result.model.classifier,
                tokenizer,
                splits.labels,
                max_length=config.data.max_length,
            )
        reports = score_splits(result, splits, config, chosen, out_of_fold)
        if chosen.writes:
            write_run_report(run, result, reports, splits, config, console, rounds)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
