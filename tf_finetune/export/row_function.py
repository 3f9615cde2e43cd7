"""What an exported graph computes of rows of tokens."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.export.litert_inputs import input_names
from tf_finetune.models.classifier import Classifier
from tf_finetune.tasks.labels import LabelSpace

Outputs = dict[str, tf.Tensor]


def row_function(
    classifier: Classifier, labels: LabelSpace, outputs: Callable[[tf.Tensor], Outputs]
) -> Any:
    """The function of a signature that takes rows of tokens.

    Its inputs are `litert_inputs.input_names`, int32 [b, t] each, and `reads` [b, r] where several
    states of a row are read: the position of each, such as that of each word's first piece, -1
    where a row has no more. Of several texts that are answered together, k of them, they are
    int32 [b, k, t].

    Args:
        classifier: The trained model.
        labels: What its outputs mean, C of them.
        outputs: From logits, float32 [b, C], or where several states are read [b, r, C], which are
            zeros in places without a read, to what the signature returns.
    """

    def of_rows(
        token_ids: tf.Tensor, token_type_ids: tf.Tensor, attention_mask: tf.Tensor
    ) -> Outputs:
        inputs = text_rows(token_ids, token_type_ids, attention_mask)
        return outputs(classifier(inputs, training=False))

    def of_reads(
        token_ids: tf.Tensor,
        token_type_ids: tf.Tensor,
        attention_mask: tf.Tensor,
        reads: tf.Tensor,
    ) -> Outputs:
        inputs = text_rows(token_ids, token_type_ids, attention_mask, tf.maximum(reads, 0))
        rows, count = tf.unstack(tf.shape(reads))
        logits = tf.reshape(classifier(inputs, training=False), [rows, count, labels.num_outputs])
        # No `[..., None]`: LiteRT has no such slice of what has no fixed shape.
        is_read = tf.reshape(tf.cast(reads >= 0, tf.float32), [rows, count, 1])
        return outputs(logits * is_read)

    def of_texts(
        token_ids: tf.Tensor, token_type_ids: tf.Tensor, attention_mask: tf.Tensor
    ) -> Outputs:
        inputs = (token_ids, token_type_ids, attention_mask)
        alone = (tf.reshape(value, [-1, tf.shape(value)[2]]) for value in inputs)
        logits = classifier(text_rows(*alone), training=False)
        return outputs(tf.reshape(logits, [-1, labels.num_logits]))

    function: Any = of_rows
    shape: tuple[int | None, ...] = (None, None)
    if labels.several_texts:
        function, shape = of_texts, (None, labels.num_logits, None)
    elif labels.reads_several():
        function = of_reads
    specs = [tf.TensorSpec(shape, tf.int32)] * len(input_names(labels))
    return tf.function(function, specs, autograph=False)
