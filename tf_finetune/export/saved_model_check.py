"""Whether a SavedModel on the disk answers as the trained model does."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from rich.console import Console

from tf_finetune.data.batches import evaluation_batches
from tf_finetune.data.splits import Split
from tf_finetune.errors import UserError
from tf_finetune.export.litert_inputs import split_tokens
from tf_finetune.export.saved_model import TEXTS, ServableModel
from tf_finetune.export.tokenizer_probes import probe_texts
from tf_finetune.export.tokenizer_skew import Skew, measure_skew
from tf_finetune.reports.console import user_text

MOST_TEXTS = 1000
PROBES = 5000
_EXAMPLES_SHOWN = 3


@dataclass(frozen=True)
class SavedModelCheck:
    """How an exported model compares with the trained one.

    Attributes:
        split: Name of the split whose texts were answered.
        texts: How many of its texts.
        largest_difference: Between any two logits.
        of_texts: Tokens of these texts; None where the model takes token ids.
        of_probes: Tokens of texts on which tokenizers like to differ; None likewise.
    """

    split: str
    texts: int
    largest_difference: float
    of_texts: Skew | None
    of_probes: Skew | None

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values, for JSON; no texts, which are the user's."""
        found: dict[str, Any] = {
            "split": self.split,
            "texts": self.texts,
            "largest_logit_difference": self.largest_difference,
        }
        if self.of_texts is not None:
            found["texts_with_other_tokens"] = self.of_texts.mismatches
        if self.of_probes is not None:
            found["probes"] = self.of_probes.texts
            found["probes_with_other_tokens"] = self.of_probes.mismatches
        return found


def checked_rows(split: Split) -> np.ndarray:
    """Indices of at most `MOST_TEXTS` examples, spread evenly over a split."""
    return np.arange(0, len(split), -(-len(split) // MOST_TEXTS))


def check_saved_model(
    folder: Path,
    model: ServableModel,
    tokenizer: Any,
    split: Split,
    logits: np.ndarray,
    max_length: int,
    batch_size: int,
) -> SavedModelCheck:
    """Loads a SavedModel, lets it answer, and compares its tokens.

    Args:
        folder: The SavedModel.
        model: What it was made from.
        tokenizer: The fast tokenizer.
        split: Examples.
        logits: Their logits by the trained model, float32 [n, labels].
        max_length: Longest text in tokens.
        batch_size: Texts a call.
    """
    answer = tf.saved_model.load(str(folder)).signatures[TEXTS]
    texts = [tuple(t for t in row if t is not None) for row in split.texts(np.arange(len(split)))]
    names = ("text", "text_pair")[: len(texts[0])]
    largest = 0.0
    for rows in evaluation_batches(split.lengths, batch_size):
        if model.tokenizer is None:
            inputs = {n: tf.constant(v) for n, v in split_tokens(split, rows).items()}
        else:
            columns = zip(*(texts[i] for i in rows), strict=True)
            inputs = {name: tf.constant(c) for name, c in zip(names, columns, strict=True)}
        found = answer(**inputs)["logits"].numpy().reshape(len(rows), -1)
        difference = np.abs(found - logits[rows, : found.shape[1]])
        largest = float(np.maximum(largest, difference.max()))  # of NaN, NaN
    of_texts = of_probes = None
    if model.tokenizer is not None:
        encoded = [tuple(text.encode() for text in row) for row in texts]
        of_texts = measure_skew(tokenizer, model.tokenizer, encoded, max_length)
        vocabulary = list(tokenizer.get_vocab())
        probes = zip(
            *(probe_texts(PROBES, seed, vocabulary) for seed in range(len(names))), strict=True
        )
        of_probes = measure_skew(tokenizer, model.tokenizer, probes, max_length)
    return SavedModelCheck(split.name, len(split), largest, of_texts, of_probes)


def require_same_answers(check: SavedModelCheck, rounding: float) -> None:
    """Refuses a SavedModel that answers otherwise than the model it was made from.

    Args:
        check: What was found.
        rounding: The largest difference of a logit that rounding explains.

    Raises:
        UserError: Logits are no numbers, or differ by more than rounding although all texts
            got the tokens of training.
    """
    is_rounding = check.largest_difference <= rounding
    other_tokens = check.of_texts is not None and check.of_texts.mismatches > 0
    explained = other_tokens and math.isfinite(check.largest_difference)
    if not is_rounding and not explained:
        raise UserError(
            f"--to savedmodel: its logits differ by {check.largest_difference:.1e} from those of "
            f"the trained model; accepted: {rounding:.1e} at most, which is rounding",
            hint="Nothing was written. This is a fault of the export, not of the data.",
        )


def render_check(console: Console, check: SavedModelCheck) -> None:
    """Prints what was found, and the texts that get other tokens than in training."""
    console.print(
        f"savedmodel: largest difference of a logit {check.largest_difference:.1e} on "
        f"{check.texts:,} texts of the {check.split} split",
        highlight=False,
    )
    for name, skew in ((check.split, check.of_texts), ("probe", check.of_probes)):
        if skew is None:
            continue
        style = "bold red" if skew.mismatches else ""
        console.print(
            f"savedmodel: {skew.mismatches:,} of {skew.texts:,} {name} texts get other tokens than "
            f"in training",
            style=style,
            highlight=False,
        )
        for texts in skew.examples[:_EXAMPLES_SHOWN]:
            shown = " | ".join(ascii(text.decode("utf-8", errors="replace")) for text in texts)
            console.print("  such as", user_text(shown, 200))
