"""How readable the labels are at every depth: a linear probe on each layer's states.

One forward pass gives a summary of each text at each depth; a linear model is fitted to each
(Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes"). It
takes a minute where a search takes an hour, and it is not the same: what is trained on top
of a depth can do more than a linear model. How far the two agree is measured in
`docs/findings.md`; a search does not use it.
"""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tf_finetune.data.folds import rounds_of, scored_split
from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split
from tf_finetune.models.classifier import Classifier
from tf_finetune.prefix.of_a_run import kept_splits
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.pipeline import BatchShape, evaluation_dataset, evaluation_order
from tf_finetune.training.rounds import pooled

# Summaries are held at every depth: 0.8 GB for so many texts and bert-base. Shrunk this strongly,
# a linear model gains little from more.
MOST_TEXTS = 20_000


@dataclass(frozen=True)
class LayerProbe:
    """The probe at one depth.

    Attributes:
        depth: Layers passed; 0 are the embeddings.
        score: On the validation examples, or out of fold.
        standard_error: Of the score over these examples, where it is a share of them; else
            None.
    """

    depth: int
    score: float
    standard_error: float | None


def probe_depths(
    classifier: Classifier, splits: Splits, shape: BatchShape, metric: str
) -> tuple[LayerProbe, ...]:
    """Fits and scores a linear model on the states at every depth.

    Args:
        classifier: The encoder, before fine-tuning; its plan does not matter.
        splits: What the probes are fitted and scored on: with folds, each on the others.
        shape: How batches are cut; one replica.
        metric: Score as `LabelSpace.monitor` names it.

    Returns:
        Depth 0 to the number of layers.
    """
    scored = scored_split(splits)
    if scored is None:
        raise ValueError("probes need a validation split or folds")
    summaries = {
        name: layer_summaries(classifier, split, shape)
        for name, split in kept_splits(splits).items()
    }
    rounds = rounds_of(splits)
    answers = []
    for one in rounds:
        own = one.own(summaries, lambda values, rows: values[rows])
        targets = one.splits.train.labels
        answers.append(_answers(own["train"], targets, own["validation"], splits.labels))
    probes = []
    for depth, of_rounds in enumerate(zip(*answers, strict=True)):
        logits = pooled(rounds, of_rounds)
        found = splits.labels.score(scored.labels, logits)[metric]
        error = None
        if metric == "accuracy":
            error = float(np.sqrt(found * (1 - found) / len(scored)))
        probes.append(LayerProbe(depth, float(found), error))
    return tuple(probes)


def sampled(splits: Splits, seed: int) -> Splits:
    """At most `MOST_TEXTS` training and validation examples, drawn by the seed."""
    train, validation, folds = splits.train, splits.validation, splits.folds
    if len(train) > MOST_TEXTS:
        drawn = _drawn(len(train), seed)
        train, folds = train.select(drawn), None if folds is None else folds[drawn]
    if validation is not None and len(validation) > MOST_TEXTS:
        validation = validation.select(_drawn(len(validation), seed))
    return replace(splits, train=train, validation=validation, folds=folds)


def _drawn(count: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).choice(count, MOST_TEXTS, replace=False))


def probe_logits(
    classifier: Classifier,
    train: Split,
    validation: Split,
    labels: LabelSpace,
    shape: BatchShape,
    *,
    read: bool = False,
) -> list[np.ndarray]:
    """What the linear model of each depth answers to the validation examples.

    Args:
        classifier: The encoder, fine-tuned or not.
        train: What the probes are fitted on.
        validation: What they answer.
        labels: What the targets are.
        shape: How batches are cut; one replica.
        read: Whether they get what the head reads (`encoder.pooling`) at every depth, and not
            the mean state.

    Returns:
        Logits float [n, labels], one array a depth from 0 on.
    """
    fitted_on = layer_summaries(classifier, train, shape, read=read)
    asked = layer_summaries(classifier, validation, shape, read=read)
    return _answers(fitted_on, train.labels, asked, labels)


def _answers(
    fitted_on: np.ndarray, targets: np.ndarray, asked: np.ndarray, labels: LabelSpace
) -> list[np.ndarray]:
    """Logits of a probe for each depth, from summaries [n, layers + 1, hidden]."""
    answers = []
    for depth in range(fitted_on.shape[1]):
        probe = make_pipeline(StandardScaler(), labels.probe())
        with warnings.catch_warnings():
            # With several labels, one may be on all texts or none; its probe is then constant.
            warnings.filterwarnings("ignore", "Label .* is present in all training examples")
            probe.fit(fitted_on[:, depth], targets)
        answers.append(labels.probe_logits(probe, asked[:, depth]))
    return answers


def layer_summaries(
    classifier: Classifier, split: Split, shape: BatchShape, *, read: bool = False
) -> np.ndarray:
    """A summary of each text at each depth, float32 [n, layers + 1, hidden]."""

    @tf.function(autograph=False)
    def summaries(iterator: Any) -> tf.Tensor:
        return classifier.layer_summaries(next(iterator).inputs, read=read)

    order = evaluation_order(split, shape)
    iterator = iter(evaluation_dataset(split, shape))
    hidden = classifier.files.sizes.hidden
    found = np.empty((len(split), classifier.num_layers + 1, hidden), np.float32)
    row = 0
    while row < len(order):
        batch = summaries(iterator).numpy()
        places = order[row : row + len(batch)]
        found[places[places >= 0]] = batch[places >= 0]
        row += len(batch)
    return found
