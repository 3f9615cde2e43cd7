"""The other side of the comparison: a plain, decent PyTorch fine-tuning loop.

It is what a careful user writes: `BertForSequenceClassification`, AdamW with weight decay,
linear warm-up and decay, gradient clipping, frozen layers by `requires_grad_(False)`,
tokenisation before training, every core used, the fused optimiser. The whole model stays in
`train()` mode, frozen layers included, as such loops leave it. Autograd records no graph for
the frozen layers, so freezing does save their backward pass.

Run inside the environment that `torch_environment` makes. Prints one JSON line
(`measurement.EpochMeasurement`); everything else goes to stderr.
"""

import argparse
import os
import sys
import time
from pathlib import Path

IMPORTED_AT = time.time()

import numpy as np  # noqa: E402 - the clock starts first
import torch  # noqa: E402
import transformers  # noqa: E402

from tools.benchmarks import measurement, pytorch_data  # noqa: E402
from tools.benchmarks.pytorch_data import TokenisedTexts  # noqa: E402

BATCH_SIZES = {"dynamic": 32, "fixed128": 16}
EVALUATION_BATCH_SIZE = 64
WEIGHT_DECAY = 0.01
WARMUP_FRACTION = 0.1
CLIP_NORM = 1.0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="pytorch_loop", description=__doc__.split("\n")[0])
    parser.add_argument("--model-dir", type=Path, required=True, help="pretrained BERT folder")
    parser.add_argument("--train", type=Path, required=True, help="TSV with text and label")
    parser.add_argument("--validation", type=Path, required=True, help="TSV with text and label")
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


def load_texts(
    path: Path, tokenizer: transformers.PreTrainedTokenizerBase, names: list[str] | None
) -> tuple[TokenisedTexts, list[str]]:
    """Reads and tokenises a file; class names come from the training file."""
    texts, labels = pytorch_data.read_labelled_tsv(path)
    names = names or sorted(set(labels))
    encoded = tokenizer(texts, truncation=True, padding=False, max_length=pytorch_data.MAX_LENGTH)[
        "input_ids"
    ]
    targets = np.array([names.index(label) for label in labels], np.int64)
    return TokenisedTexts(encoded, targets), names


def build_model(
    model_dir: Path, num_labels: int, frozen_depth: int
) -> transformers.BertForSequenceClassification:
    """Loads the encoder with a new head and freezes embeddings and layers below the depth.

    Depth 0 trains everything, embeddings too.
    """
    model = transformers.BertForSequenceClassification.from_pretrained(
        model_dir, num_labels=num_labels
    )
    layers = model.bert.encoder.layer
    if not 0 <= frozen_depth <= len(layers):
        sys.exit(f"--frozen-depth: received {frozen_depth}; accepted: 0 to {len(layers)}")
    if frozen_depth:
        for module in (model.bert.embeddings, *layers[:frozen_depth]):
            module.requires_grad_(False)
    return model


def plan_epoch(
    texts: TokenisedTexts, padding: str, generator: np.random.Generator
) -> tuple[list[np.ndarray], list[int]]:
    """The batches of one epoch and the padded tokens of each."""
    lengths, batch_size = texts.lengths(), BATCH_SIZES[padding]
    if padding == "fixed128":
        batches = pytorch_data.shuffled_batches(len(texts), batch_size, generator)
        return batches, [len(rows) * pytorch_data.MAX_LENGTH for rows in batches]
    batches = pytorch_data.length_grouped_batches(lengths, batch_size, generator)
    return batches, [len(rows) * int(lengths[rows].max()) for rows in batches]


def to_device(batch: dict[str, np.ndarray], device: torch.device) -> dict[str, torch.Tensor]:
    """NumPy batch to tensors on the device."""
    return {name: torch.from_numpy(array).to(device) for name, array in batch.items()}


def train(
    model: torch.nn.Module,
    texts: TokenisedTexts,
    arguments: argparse.Namespace,
    clock: measurement.StepClock,
) -> tuple[float, int, int]:
    """Trains and times each step.

    Returns:
        Seconds an epoch, steps an epoch, padded tokens an epoch (mean over the epochs).
    """
    device = next(model.parameters()).device
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=arguments.lr, weight_decay=WEIGHT_DECAY, fused=True)
    generator = np.random.default_rng(arguments.seed)
    plans = [plan_epoch(texts, arguments.padding, generator) for _ in range(arguments.epochs)]
    steps_per_epoch = len(plans[0][0])
    total = steps_per_epoch * arguments.epochs
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, int(WARMUP_FRACTION * total), total
    )
    pad_to = pytorch_data.MAX_LENGTH if arguments.padding == "fixed128" else None
    limit = min(arguments.steps or total, total)

    model.train()
    work = [pair for batches, tokens in plans for pair in zip(batches, tokens, strict=True)]
    for rows, _ in work[:limit]:
        with clock:
            batch = to_device(texts.collate(rows, pad_to), device)
            optimizer.zero_grad()
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, CLIP_NORM)
            optimizer.step()
            schedule.step()
            loss.item()  # as a progress bar would; also waits for an accelerator
    tokens = [count for _, count in work]
    seconds = sum(clock.step_seconds)
    if limit < total:
        seconds = measurement.seconds_of_an_epoch(clock.step_seconds, tokens[:limit], sum(tokens))
    return seconds / arguments.epochs, steps_per_epoch, sum(tokens) // arguments.epochs


def usable_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@torch.no_grad()
def accuracy(model: torch.nn.Module, texts: TokenisedTexts) -> float:
    """Share of texts whose class the model gets right."""
    model.eval()
    device = next(model.parameters()).device
    right = 0
    for rows in pytorch_data.sorted_batches(texts.lengths(), EVALUATION_BATCH_SIZE):
        batch = to_device(texts.collate(rows, pad_to=None), device)
        targets = batch.pop("labels")
        right += int((model(**batch).logits.argmax(-1) == targets).sum())
    return right / len(texts)


def main(argv: list[str] | None = None) -> None:
    """Loads, trains, evaluates and prints the measurement."""
    arguments = parse(argv)
    clock = measurement.StepClock(arguments.started_at)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(usable_cores())
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32, as TensorFlow does by default
    torch.manual_seed(arguments.seed)

    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.model_dir)
    texts, names = load_texts(arguments.train, tokenizer, None)
    validation, _ = load_texts(arguments.validation, tokenizer, names)
    model = build_model(arguments.model_dir, len(names), arguments.frozen_depth).to(device)
    seconds, steps_per_epoch, padded_tokens = train(model, texts, arguments, clock)

    timed = len(clock.step_seconds)
    extrapolated = timed < steps_per_epoch * arguments.epochs
    measurement.print_measurement(
        measurement.EpochMeasurement(
            system="pytorch",
            versions={"torch": torch.__version__, "transformers": transformers.__version__},
            device="cpu" if device.type == "cpu" else torch.cuda.get_device_name(device),
            threads=torch.get_num_threads(),
            frozen_depth=arguments.frozen_depth,
            trainable_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
            padding=arguments.padding,
            batch_size=BATCH_SIZES[arguments.padding],
            epochs=arguments.epochs,
            steps_per_epoch=steps_per_epoch,
            timed_steps=timed,
            padded_tokens_per_epoch=padded_tokens,
            extrapolated=extrapolated,
            seconds_per_epoch=seconds,
            first_step_seconds=clock.step_seconds[0],
            seconds_to_first_step=clock.seconds_to_first_step,
            examples_per_second=len(texts) / seconds,
            validation_accuracy=None if extrapolated else accuracy(model, validation),
            peak_rss_bytes=measurement.peak_rss_bytes(),
        )
    )


if __name__ == "__main__":
    main()
