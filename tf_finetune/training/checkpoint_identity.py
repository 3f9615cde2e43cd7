"""What a checkpoint belongs to: all that decides the course of a run."""

import hashlib
import json

from tf_finetune.config.sections import FREE_TRAINING_OPTIONS, TrainingConfig
from tf_finetune.data import Splits
from tf_finetune.encoders import Classifier


def checkpoint_identity(classifier: Classifier, splits: Splits, config: TrainingConfig) -> str:
    """Hash of encoder, freeze plan, training examples and options, hex."""
    options = config.model_dump(exclude=set(FREE_TRAINING_OPTIONS))
    digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
    digest.update(json.dumps(classifier.plan.to_dict(), sort_keys=True).encode())
    digest.update(splits.train.store.key.encode() + splits.train.rows.tobytes())
    digest.update(classifier.encoder_sha256.encode())
    return digest.hexdigest()
