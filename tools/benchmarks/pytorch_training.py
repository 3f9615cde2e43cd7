"""A plain, decent PyTorch fine-tuning loop, in the pieces that the measured programs share.

It is what a careful user writes: `BertForSequenceClassification`, AdamW with weight decay,
linear warm-up and decay, gradient clipping, frozen layers by `requires_grad_(False)`,
tokenisation before training, every core used, the fused optimiser. The whole model stays in
`train()` mode, frozen layers included, as such loops leave it. Autograd records no graph for
the frozen layers, so freezing does save their backward pass.
"""

import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import transformers

from tools.benchmarks import measurement, pytorch_data
from tools.benchmarks.pytorch_data import TokenisedTexts

BATCH_SIZES = {"dynamic": 32, "fixed128": 16}
EVALUATION_BATCH_SIZE = 64
WEIGHT_DECAY = 0.01
WARMUP_FRACTION = 0.1
CLIP_NORM = 1.0


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How one model is trained.

    Attributes:
        lr: Peak learning rate.
        seed: Seed of the batch order.
        padding: A key of `BATCH_SIZES`.
        epochs: Passes over the texts.
        steps: Stop after so many steps; None trains all epochs.
    """

    lr: float
    seed: int
    padding: str
    epochs: int
    steps: int | None = None

    @property
    def pad_to(self) -> int | None:
        """Tokens that every text is padded to; None: the longest of its batch."""
        return pytorch_data.MAX_LENGTH if self.padding == "fixed128" else None


@dataclasses.dataclass(frozen=True)
class Work:
    """The steps of a training, with those that were left out.

    Attributes:
        steps_per_epoch: Steps of a full epoch.
        step_tokens: Padded tokens of each step, over all epochs.
        timed_steps: How many of them, from the first on, ran.
    """

    steps_per_epoch: int
    step_tokens: list[int]
    timed_steps: int

    @property
    def timed_tokens(self) -> list[int]:
        """Padded tokens of the steps that ran."""
        return self.step_tokens[: self.timed_steps]

    @property
    def is_whole(self) -> bool:
        """Whether all of them ran."""
        return self.timed_steps == len(self.step_tokens)


def start(seed: int) -> torch.device:
    """Sets PyTorch up and gives the device to train on."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(usable_cores())
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32, as TensorFlow does by default
    torch.manual_seed(seed)
    return device


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
    model_dir: Path,
    num_labels: int,
    frozen_depth: int,
    kind: type[transformers.PreTrainedModel] = transformers.BertForSequenceClassification,
) -> transformers.PreTrainedModel:
    """Loads the encoder with a new head and freezes embeddings and layers below the depth.

    Depth 0 trains everything, embeddings too.
    """
    model = kind.from_pretrained(model_dir, num_labels=num_labels)
    layers = model.bert.encoder.layer
    if not 0 <= frozen_depth <= len(layers):
        sys.exit(f"--frozen-depth: received {frozen_depth}; accepted: 0 to {len(layers)}")
    if frozen_depth:
        for module in (model.bert.embeddings, *layers[:frozen_depth]):
            module.requires_grad_(False)
    return model


def trainable_parameters(model: torch.nn.Module) -> int:
    """Trained numbers, head included."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


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
    options: TrainingOptions,
    clock: measurement.StepClock,
    after_epoch: Callable[[], None] = lambda: None,
) -> Work:
    """Trains and times each step.

    Args:
        model: The model, on its device.
        texts: What it learns.
        options: How.
        clock: Takes the seconds of the steps.
        after_epoch: Called when an epoch has ended, outside the clock; not after one that
            `options.steps` cut short.
    """
    device = next(model.parameters()).device
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=options.lr, weight_decay=WEIGHT_DECAY, fused=True)
    generator = np.random.default_rng(options.seed)
    epochs = [plan_epoch(texts, options.padding, generator) for _ in range(options.epochs)]
    tokens = [count for _, of_epoch in epochs for count in of_epoch]
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, int(WARMUP_FRACTION * len(tokens)), len(tokens)
    )
    left = limit = min(options.steps or len(tokens), len(tokens))
    for batches, _ in epochs:
        model.train()
        for rows in batches[:left]:
            with clock:
                batch = to_device(texts.collate(rows, options.pad_to), device)
                optimizer.zero_grad()
                loss = model(**batch).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(trained, CLIP_NORM)
                optimizer.step()
                schedule.step()
                loss.item()  # as a progress bar would; also waits for an accelerator
        if left >= len(batches):
            after_epoch()
        left = max(0, left - len(batches))
    return Work(len(epochs[0][0]), tokens, limit)


def usable_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@torch.no_grad()
def accuracy(model: torch.nn.Module, texts: TokenisedTexts, pad_to: int | None = None) -> float:
    """Share of texts, or of words that have a tag, whose class the model gets right."""
    model.eval()
    device = next(model.parameters()).device
    right = counted = 0
    for rows in pytorch_data.sorted_batches(texts.lengths(), EVALUATION_BATCH_SIZE):
        batch = to_device(texts.collate(rows, pad_to), device)
        targets = batch.pop("labels")
        right += int((model(**batch).logits.argmax(-1) == targets).sum())
        counted += int((targets != pytorch_data.IGNORED).sum())
    return right / counted
