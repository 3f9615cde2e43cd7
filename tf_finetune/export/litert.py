"""The model as LiteRT (TensorFlow Lite) files that take token ids."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tf_finetune.data.splits import Split
from tf_finetune.errors import UserError
from tf_finetune.export.extras import missing_extra
from tf_finetune.export.formats import CALIBRATED, LITERT
from tf_finetune.export.litert_calibrated import MASKED_SCORE, convert_calibrated
from tf_finetune.export.litert_inputs import Tokens, split_tokens
from tf_finetune.export.row_function import row_function
from tf_finetune.models.classifier import Classifier
from tf_finetune.tasks.labels import LabelSpace

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

SIGNATURE = "serving_default"
_MOST_ROWS = 32


def convert(
    classifier: Classifier,
    labels: LabelSpace,
    precisions: Sequence[str],
    texts: Sequence[Tokens] = (),
) -> dict[str, bytes]:
    """Converts a model.

    One file takes batches of any size and length, and of any number of words. `float16` stores
    weights in half the bytes and computes in float32; `int8` ("dynamic range") stores matrices in
    a quarter and multiplies in integers, with activations quantised as they come. For
    `static-int8` and `full-int8` see `litert_calibrated`.

    Args:
        classifier: The trained model, built in float32. Its GELU is TensorFlow's afterwards, the
            only one that the converter knows.
        labels: What its outputs mean.
        precisions: Some of `formats.PRECISIONS`.
        texts: `calibration_inputs`, needed for those of `formats.CALIBRATED`.

    Returns:
        The content of each file.

    Raises:
        UserError: A weight is too large for float16.
    """
    if "float16" in precisions:
        _check_float16(classifier)
    classifier.replace_gelu(tf.nn.gelu)
    contents = {}
    plain = [precision for precision in precisions if precision not in CALIBRATED]
    if plain:
        with _saved(classifier, labels) as folder:
            contents = {precision: _convert(folder, precision) for precision in plain}
    calibrated = [precision for precision in precisions if precision in CALIBRATED]
    if calibrated:
        usual, classifier.masked_score = classifier.masked_score, MASKED_SCORE
        with _saved(classifier, labels) as folder:
            contents |= convert_calibrated(folder, SIGNATURE, texts, calibrated)
        classifier.masked_score = usual
    return contents


def _check_float16(classifier: Classifier) -> None:
    """Refuses what the converter would cut off silently, such as the bias of large targets."""
    limit = float(np.finfo(np.float16).max)
    for path, variable in classifier.by_path.items():
        largest = float(np.abs(variable.numpy()).max())
        if largest > limit:
            raise UserError(
                f"--precisions: received float16, which holds numbers up to {limit:,.0f}, and "
                f"{path} has {largest:,.6g}; accepted: float32, int8",
                hint="Such a head answers large numbers: train on smaller units of the targets.",
            )


@contextlib.contextmanager
def _saved(classifier: Classifier, labels: LabelSpace) -> Iterator[str]:
    """The model as a SavedModel with one signature, as long as the block lasts."""
    module = tf.Module()
    module.weights = list(classifier.by_path.values())
    traced = row_function(classifier, labels, lambda logits: {"logits": logits})
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={SIGNATURE: traced})
        yield folder


def _convert(saved_model: str, precision: str) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


class LiteRtModel:
    """A LiteRT file in LiteRT's own interpreter.

    Args:
        content: The file's content.
        threads: Threads of one call.

    Raises:
        UserError: The interpreter is not installed.
    """

    def __init__(self, content: bytes, *, threads: int = 1):
        interpreter = _interpreter_class()(model_content=content, num_threads=threads)
        self._run: Any = interpreter.get_signature_runner(SIGNATURE)

    def __call__(self, tokens: Tokens) -> np.ndarray:
        """Logits of inputs by name, see `row_function`: float32 [b, labels] or [b, r, labels]."""
        return np.array(self._run(**tokens)["logits"])

    def split_logits(self, split: Split) -> np.ndarray:
        """Logits of a split in its order, float32 [n, labels] or [n, r * labels].

        Texts of the same length go together, so that none is padded.
        """
        order = np.argsort(split.lengths, kind="stable")
        lengths = split.lengths[order]
        cuts = np.flatnonzero(np.diff(lengths)) + 1
        batches = [
            rows[start : start + _MOST_ROWS]
            for rows in np.split(order, cuts)
            for start in range(0, len(rows), _MOST_ROWS)
        ]
        found = [self(split_tokens(split, rows)).reshape(len(rows), -1) for rows in batches]
        logits = np.zeros((len(split), max(part.shape[1] for part in found)), np.float32)
        for rows, part in zip(batches, found, strict=True):
            logits[rows, : part.shape[1]] = part
        return logits


def check_interpreter() -> None:
    """Raises `UserError` if the interpreter is not installed."""
    _interpreter_class()


def _interpreter_class() -> "type[Interpreter]":
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise missing_extra(LITERT) from None
    return Interpreter


def file_name(precision: str) -> str:
    """Name of the file of a precision."""
    return f"model-{precision}.tflite"
