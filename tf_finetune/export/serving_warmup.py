"""Requests that TensorFlow Serving answers once before it takes others.

The file is `assets.extra/tf_serving_warmup_requests`, records of `PredictionLog`
(https://www.tensorflow.org/tfx/serving/saved_model_warmup). That message is declared in
tensorflow-serving-api, which would bring gRPC for a few dozen bytes; all its fields that are
needed here are strings or messages, so it is written out by hand.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

FILE = "assets.extra/tf_serving_warmup_requests"
# Field numbers of prediction_log.proto, predict.proto and model.proto.
_PREDICT_LOG = 6  # of PredictionLog
_REQUEST = 1  # of PredictLog
_MODEL_SPEC, _INPUTS = 1, 2  # of PredictRequest
_NAME, _SIGNATURE_NAME = 1, 3  # of ModelSpec
_KEY, _VALUE = 1, 2  # of an entry of a map
_LENGTH_DELIMITED = 2

Request = tuple[str, Mapping[str, np.ndarray]]


def write_warm_up(saved_model: Path, requests: Iterable[Request]) -> None:
    """Adds warm-up requests to a SavedModel.

    Args:
        saved_model: The folder.
        requests: Signature and inputs by name; strings as arrays of bytes.
    """
    path = saved_model / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            writer.write(prediction_log(signature, inputs))


def prediction_log(signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """A `PredictionLog` with one request, serialized."""
    # The server does not look at the name here, but the field is required.
    spec = _field(_NAME, b"model") + _field(_SIGNATURE_NAME, signature.encode())
    entries = (
        _field(_KEY, name.encode())
        + _field(_VALUE, tf.make_tensor_proto(value).SerializeToString())
        for name, value in inputs.items()
    )
    request = _field(_MODEL_SPEC, spec) + b"".join(_field(_INPUTS, entry) for entry in entries)
    return _field(_PREDICT_LOG, _field(_REQUEST, request))


def _field(number: int, content: bytes) -> bytes:
    """A string or message field in protobuf's wire format."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
