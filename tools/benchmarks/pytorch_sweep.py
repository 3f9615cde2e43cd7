"""The sweep as a plain PyTorch loop runs it: one process, cell after cell.

Imports and tokenisation are paid once, a model is loaded for every cell, and the validation
texts are scored after every epoch. Run inside the environment that `torch_environment` makes.
Prints one JSON line (`sweep_measurement.SweepMeasurement`); everything else goes to stderr.
"""

import time
from pathlib import Path

import torch
import transformers

from tools.benchmarks import pytorch_training, sweep_program
from tools.benchmarks.measurement import StepClock, peak_rss_bytes, print_measurement
from tools.benchmarks.pytorch_data import TokenisedTexts
from tools.benchmarks.pytorch_training import BATCH_SIZES, TrainingOptions
from tools.benchmarks.sweep_measurement import (
    SweepMeasurement,
    TimedTrial,
    TrialMeasurement,
    sweep_seconds,
)
from tools.benchmarks.sweep_program import PlannedTrial


def run_trial(
    planned: PlannedTrial,
    model_dir: Path,
    data: tuple[TokenisedTexts, TokenisedTexts, int],
    options: TrainingOptions,
    device: torch.device,
) -> TrialMeasurement:
    """Builds, trains and scores one model.

    Args:
        planned: The cell.
        model_dir: Pretrained encoder.
        data: Training texts, validation texts, number of classes.
        options: How it is trained.
        device: Where.
    """
    texts, validation, num_labels = data
    begun = time.perf_counter()
    torch.manual_seed(options.seed)
    clock = StepClock(time.time())
    scores: list[float] = []
    evaluation_seconds: list[float] = []
    model = pytorch_training.build_model(model_dir, num_labels, planned.frozen_depth).to(device)

    def evaluate() -> None:
        before = time.perf_counter()
        scores.append(pytorch_training.accuracy(model, validation, options.pad_to))
        evaluation_seconds.append(time.perf_counter() - before)

    work = pytorch_training.train(model, texts, options, clock, after_epoch=evaluate)
    if not scores:
        evaluate()
    timed = TimedTrial(
        wall_seconds=time.perf_counter() - begun,
        step_seconds=clock.step_seconds,
        step_tokens=work.timed_tokens,
        total_tokens=sum(work.step_tokens),
        evaluation_seconds=evaluation_seconds,
        epochs=options.epochs,
    )
    parts = timed.seconds()
    return TrialMeasurement(
        frozen_depth=planned.frozen_depth,
        learning_rate=planned.learning_rate,
        epochs=options.epochs,
        seconds=sum(parts),
        parts=parts,
        trainable_parameters=pytorch_training.trainable_parameters(model),
        extrapolated=not work.is_whole,
        stands_for=planned.stands_for,
        validation_accuracy=scores[-1] if work.is_whole else None,
    )


def main(argv: list[str] | None = None) -> None:
    """Runs the sweep and prints the measurement."""
    parser = sweep_program.sweep_parser(__doc__)
    sweep_program.add_steps_option(parser)
    parser.add_argument("--padding", choices=sorted(BATCH_SIZES), required=True)
    arguments = parser.parse_args(argv)
    device = pytorch_training.start(arguments.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.model_dir)
    texts, names = pytorch_training.load_texts(arguments.train, tokenizer, None)
    validation, _ = pytorch_training.load_texts(arguments.validation, tokenizer, names)
    steps = sweep_program.steps_with_warmup(arguments.steps)

    seconds_outside_trials = time.time() - arguments.started_at
    trials = tuple(
        run_trial(
            planned,
            arguments.model_dir,
            (texts, validation, len(names)),
            TrainingOptions(
                planned.learning_rate, arguments.seed, arguments.padding, arguments.epochs, steps
            ),
            device,
        )
        for planned in sweep_program.trials_to_run(arguments.rates, arguments.steps)
    )
    print_measurement(
        SweepMeasurement(
            versions={"torch": torch.__version__, "transformers": transformers.__version__},
            padding=arguments.padding,
            batch_size=BATCH_SIZES[arguments.padding],
            epochs=arguments.epochs,
            trials=trials,
            seconds_outside_trials=seconds_outside_trials,
            sweep_seconds=sweep_seconds(seconds_outside_trials, trials),
            peak_rss_bytes=peak_rss_bytes(),
        )
    )


if __name__ == "__main__":
    main()
