"""What the epoch suite can train on: a task by its name, and the files that it reads.

Only the standard library: two environments import this.
"""

import random
from pathlib import Path
from typing import NamedTuple


class EpochTask(NamedTuple):
    """A task of the suite.

    Attributes:
        train: Labelled file below the data folder.
        validation: The same.
        header: Whether the first of what `between` parts names columns.
        between: What parts one example from the next.
        score: The score of this project that counts what the other side counts too.
        learning_rates: Of all layers, and of a part of them.
    """

    train: Path
    validation: Path
    header: bool
    between: str
    score: str
    learning_rates: tuple[float, float]


# A depth is only fairly judged at its own learning rate; these served MiniLM.
EPOCH_TASKS = {
    "single_label": EpochTask(
        Path("sst2/train.tsv"), Path("sst2/dev.tsv"), True, "\n", "val_accuracy", (5e-5, 3e-4)
    ),
    "token_classification": EpochTask(
        Path("snips_slots/train.conll"),
        Path("snips_slots/validation.conll"),
        False,
        "\n\n",
        "val_word_accuracy",
        (3e-4, 1e-3),
    ),
}


def sample(text: str, task: EpochTask, limit: int) -> str:
    """A random sample of a file's examples, the same each time.

    Args:
        text: The whole file.
        task: Says how its examples are parted.
        limit: Examples to take.

    Raises:
        ValueError: The file has fewer.
    """
    examples = text.strip("\n").split(task.between)
    head = examples[:1] if task.header else []
    examples = examples[len(head) :]
    if limit > len(examples):
        raise ValueError(f"received {limit:,}; accepted: 1 to {len(examples):,}")
    taken = random.Random(0).sample(examples, limit)
    return task.between.join([*head, *taken]) + task.between
