"""What a task and a method have to keep together: what is read goes with what is changed."""

import numpy as np
import tensorflow as tf

from tf_finetune.data.batch import Inputs, States
from tf_finetune.models.merged_values import handed_on

# In the first step some of what a method adds has no slope: LoRA's A, while B is still zero.
STEPS = 3


def check_task_with_method(model, plain, batch, flat=()):
    """Trains some steps, and holds what came of it against the rules of all models.

    Args:
        model: A `FineTuner` with the method, at a depth above 0, where a run begins; trained.
        plain: A model of the same pretrained variables without a method; changed.
        batch: Of the task, as training has it.
        flat: Paths of variables whose slope is 0 but for rounding.
    """
    classifier = model.classifier
    values = {path: variable.numpy() for path, variable in classifier.by_path.items()}
    losses = [float(model.step(batch)["loss"]) for _ in range(STEPS)]

    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    rows = classifier.plan.rows
    assert any(row.trainable for row in rows) and any(not row.trainable for row in rows)
    for row in rows:
        same = np.array_equal(values[row.path], classifier.by_path[row.path].numpy())
        assert same != row.trainable or row.path in flat, row.path

    logits = classifier(batch.inputs, training=False).numpy()
    scale = max(1.0, np.abs(logits).max())
    states = States(tf.constant(classifier.boundary_states(batch.inputs).numpy()))
    cached = classifier(Inputs(states, batch.inputs.texts), training=False)
    np.testing.assert_allclose(cached, logits, atol=2e-6 * scale, rtol=0)

    if classifier.plan.method.merges:
        plain.set_values((v.path, value) for v, value in handed_on(classifier))
        merged = plain(batch.inputs, training=False)
        np.testing.assert_allclose(merged, logits, atol=1e-5 * scale, rtol=0)
