"""The other side of the epoch suite: one model trained by a plain PyTorch loop.

Run inside the environment that `torch_environment` makes. Prints one JSON line
(`measurement.EpochMeasurement`); everything else goes to stderr.
"""

import argparse
import time
from pathlib import Path

IMPORTED_AT = time.time()

import torch  # noqa: E402 - the clock starts first
import transformers  # noqa: E402

from tools.benchmarks import measurement, pytorch_training  # noqa: E402
from tools.benchmarks.pytorch_tasks import PYTORCH_TASKS  # noqa: E402
from tools.benchmarks.pytorch_training import BATCH_SIZES, TrainingOptions  # noqa: E402


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="pytorch_loop", description=__doc__.split("\n")[0])
    parser.add_argument("--model-dir", type=Path, required=True, help="pretrained BERT folder")
    parser.add_argument("--task", choices=sorted(PYTORCH_TASKS), default="single_label")
    parser.add_argument("--train", type=Path, required=True, help="labelled examples of the task")
    parser.add_argument("--validation", type=Path, required=True, help="the same")
    parser.add_argument("--frozen-depth", type=int, default=0, help="frozen depth k")
    parser.add_argument("--padding", choices=sorted(BATCH_SIZES), default="dynamic")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--lr", type=float, default=5e-5, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--steps", type=int, help="stop after this many steps (at least 2) and extrapolate"
    )
    parser.add_argument(
        "--started-at", type=float, default=IMPORTED_AT, help="time.time() at process start"
    )
    arguments = parser.parse_args(argv)
    if arguments.steps is not None and arguments.steps < 2:
        parser.error(f"--steps: received {arguments.steps}; accepted: 2 or more")
    return arguments


def main(argv: list[str] | None = None) -> None:
    """Loads, trains, evaluates and prints the measurement."""
    arguments = parse(argv)
    clock = measurement.StepClock(arguments.started_at)
    device = pytorch_training.start(arguments.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.model_dir)
    task = PYTORCH_TASKS[arguments.task]
    texts, names = task.load_texts(arguments.train, tokenizer, None)
    validation, _ = task.load_texts(arguments.validation, tokenizer, names)
    model = pytorch_training.build_model(
        arguments.model_dir, len(names), arguments.frozen_depth, task.model
    ).to(device)
    options = TrainingOptions(
        arguments.lr, arguments.seed, arguments.padding, arguments.epochs, arguments.steps
    )
    work = pytorch_training.train(model, texts, options, clock)

    tokens = sum(work.step_tokens)
    seconds = measurement.seconds_of_all_steps(clock.step_seconds, work.timed_tokens, tokens)
    seconds_per_epoch = seconds / arguments.epochs
    measurement.print_measurement(
        measurement.EpochMeasurement(
            system="pytorch",
            versions={"torch": torch.__version__, "transformers": transformers.__version__},
            device="cpu" if device.type == "cpu" else torch.cuda.get_device_name(device),
            threads=torch.get_num_threads(),
            frozen_depth=arguments.frozen_depth,
            trainable_parameters=pytorch_training.trainable_parameters(model),
            padding=arguments.padding,
            batch_size=BATCH_SIZES[arguments.padding],
            epochs=arguments.epochs,
            steps_per_epoch=work.steps_per_epoch,
            timed_steps=work.timed_steps,
            padded_tokens_per_epoch=tokens // arguments.epochs,
            extrapolated=not work.is_whole,
            seconds_per_epoch=seconds_per_epoch,
            first_step_seconds=clock.step_seconds[0],
            seconds_to_first_step=clock.seconds_to_first_step,
            examples_per_second=len(texts) / seconds_per_epoch,
            validation_accuracy=(
                pytorch_training.accuracy(model, validation) if work.is_whole else None
            ),
            peak_rss_bytes=measurement.peak_rss_bytes(),
        )
    )


if __name__ == "__main__":
    main()
