"""What a checkpoint belongs to: all that decides the course of a run."""

import hashlib
import json
from collections.abc import Sequence

from tf_finetune.data.loading import Splits
from tf_finetune.models.classifier import Classifier
from tf_finetune.options.marks import Mark
from tf_finetune.options.training import TrainingConfig
from tf_finetune.training.phases import Phase

# Options that earlier versions did not have, whose runs go on where they are as usual.
_LATER = ("average_weights", "adversarial")


def checkpoint_identity(
    classifier: Classifier, splits: Splits, config: TrainingConfig, phases: Sequence[Phase] = ()
) -> str:
    """Hash of encoder, plan, method, start of the head, training examples and options, hex.

    Args:
        classifier: The model, of several phases that of the first.
        splits: Its training examples are used.
        config: The training section.
        phases: Of the run, where it has several.
    """
    options = config.marked(Mark.STEP, Mark.COURSE)
    if config.solver != "exact":
        del options["solver"]  # as in earlier versions, which knew of steps alone
    for name in _LATER:
        if options[name] == TrainingConfig.model_fields[name].default:
            del options[name]
    digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
    digest.update(json.dumps(classifier.plan.to_dict(), sort_keys=True).encode())
    digest.update(splits.train.store.key.encode() + splits.train.rows.tobytes())
    digest.update(classifier.files.checkpoint.sha256.encode())
    if classifier.plan.added:  # not all of the method's options show in the plan's rows
        digest.update(classifier.plan.method.setting.encode())
    # Left out where they are as usual, so that a run that an older version began goes on.
    if not classifier.head.is_new or classifier.scale is not None:
        digest.update(f"{classifier.head.rows} {classifier.scale}".encode())
    if splits.labels.threshold not in (None, 0.5):  # moves the scores that early stopping compares
        digest.update(f"threshold {splits.labels.threshold}".encode())
    for phase in phases:
        begins = [phase.first_epoch, phase.learning_rate, phase.plan.to_dict()]
        digest.update(json.dumps(begins, sort_keys=True).encode())
    return digest.hexdigest()
