"""LiteRT files whose activations are integers too, in ranges measured on calibration texts."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tf_finetune.data.splits import Split
from tf_finetune.export.formats import FULL_INT8, STATIC_INT8
from tf_finetune.export.litert_inputs import Tokens, split_tokens

CALIBRATION_TEXTS = 100
# Scores of padding and of text share one range of 256 steps, so it cannot be the usual -10,000.
# exp(-20) is 2e-9.
MASKED_SCORE = -20.0
# What stays in float32, by the converter's names: for static-int8 the parts of layer norm and
# every sum and product by elements.
_IN_FLOAT = {
    STATIC_INT8: ["SQUARED_DIFFERENCE", "MEAN", "RSQRT", "SUB", "ADD", "MUL"],
    FULL_INT8: [],
}


def calibration_inputs(split: Split, seed: int = 0) -> list[Tokens]:
    """A random sample of a split, padded to its longest: int32 [1, t] by the signature's names.

    The last one has half of its tokens hidden, so that the score of padding is in the range
    where all texts are of one length, too.
    """
    number = min(CALIBRATION_TEXTS, len(split))
    rows = np.sort(np.random.default_rng(seed).permutation(len(split))[:number])
    longest = int(split.lengths[rows].max())
    reads = int(split.read_counts[rows].max()) if split.task.reads_several() else None
    inputs = [split_tokens(split, rows[at : at + 1], longest, reads) for at in range(number)]
    mask = inputs[-1]["attention_mask"].copy()
    mask[:, longest // 2 :] = 0
    return [*inputs, {**inputs[-1], "attention_mask": mask}]


def convert_calibrated(
    saved_model: str, signature: str, texts: Sequence[Tokens], precisions: Sequence[str]
) -> dict[str, bytes]:
    """Converts a model whose padding has `MASKED_SCORE`.

    Args:
        saved_model: Its folder.
        signature: The signature that takes token ids.
        texts: Inputs by name, int32 [1, t] each, the same t for all and padding in some;
            see `calibration_inputs`.
        precisions: Some of `formats.CALIBRATED`.

    Returns:
        The content of each file.
    """

    def feed() -> Iterator[tuple[str, Tokens]]:
        for tokens in texts:
            yield signature, tokens

    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = feed
    # Chosen operations are left out by the debugger alone; it measures the ranges once for all.
    debugger = None
    contents = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated")
        for precision in precisions:
            options = tf.lite.experimental.QuantizationDebugOptions(
                denylisted_ops=_IN_FLOAT[precision]
            )
            if debugger is None:
                debugger = tf.lite.experimental.QuantizationDebugger(
                    converter=converter, debug_options=options
                )
            else:
                debugger.options = options
            contents[precision] = bytes(debugger.get_nondebug_quantized_model())
    return contents
