"""How readable the labels are at every depth: a linear probe on each layer's states.

One forward pass gives a summary of each text, or the state of each word that has a label, at each
depth; a linear model is fitted to each
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
from sklearn.preprocessing import StandardScaler

from tf_finetune.data.folds import rounds_of, scored_split
from tf_finetune.data.loading import Splits
from tf_finetune.data.read_vectors import ReadVectors, laid_out
from tf_finetune.data.splits import Split
from tf_finetune.models.classifier import Classifier
from tf_finetune.prefix.of_a_run import kept_splits
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.pipeline import BatchShape, evaluation_dataset, evaluation_order
from tf_finetune.training.rounds import pooled

# They are held at every depth: 0.8 GB for so many and bert-base. Shrunk this strongly, a linear
# model gains little from more.
MOST_SUMMARIES = 20_000


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
        name: layer_summaries(classifier, split, shape, read=splits.labels.answers_each_read)
        for name, split in kept_splits(splits).items()
    }
    rounds = rounds_of(splits)
    answers = []
    for one in rounds:
        own = one.own(summaries, ReadVectors.select)
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
    """Training and validation examples with at most `MOST_SUMMARIES` each, drawn by the seed."""
    train, validation, folds = splits.train, splits.validation, splits.folds
    drawn = _drawn(train, seed)
    train, folds = train.select(drawn), None if folds is None else folds[drawn]
    if validation is not None:
        validation = validation.select(_drawn(validation, seed))
    return replace(splits, train=train, validation=validation, folds=folds)


def _drawn(split: Split, seed: int) -> np.ndarray:
    """Rows of examples, whole ones; all rows where these have no more summaries."""
    summaries = np.bincount(split.examples, split.is_read.sum(axis=1))
    order = np.random.default_rng(seed).permutation(len(summaries))
    taken = order[np.cumsum(summaries[order]) <= MOST_SUMMARIES]
    return np.flatnonzero(np.isin(split.examples, taken))


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
    fitted_on: ReadVectors, targets: np.ndarray, asked: ReadVectors, labels: LabelSpace
) -> list[np.ndarray]:
    """Logits of a probe for each depth, from `layer_summaries`."""
    each = labels.answers_each_read
    is_read = fitted_on.is_read
    wanted = labels.answer_targets(targets, is_read.shape[1])[is_read] if each else targets

    def by_answer(values: np.ndarray, rows: int) -> np.ndarray:
        """What each answer is told by: one summary, or those of a row side by side."""
        return values if each else values.reshape(rows, -1)

    answers = []
    for depth in range(fitted_on.values.shape[1]):
        # One scale for all texts of a row: where a text stands tells nothing.
        scaler = StandardScaler().fit(fitted_on.values[:, depth])
        known, new = (scaler.transform(one.values[:, depth]) for one in (fitted_on, asked))
        probe = labels.probe()
        with warnings.catch_warnings():
            # With several labels, one may be on all texts or none; its probe is then constant.
            warnings.filterwarnings("ignore", "Label .* is present in all training examples")
            probe.fit(by_answer(known, len(is_read)), wanted)
        logits = labels.probe_logits(probe, by_answer(new, len(asked.is_read)))
        answers.append(laid_out(logits, asked.is_read) if each else logits)
    return answers


def layer_summaries(
    classifier: Classifier, split: Split, shape: BatchShape, *, read: bool = False
) -> ReadVectors:
    """Summaries of each row at each depth, whose values are float32 [m, layers + 1, hidden].

    Args:
        classifier: The encoder, fine-tuned or not.
        split: The n rows.
        shape: How batches are cut; one replica.
        read: Whether what the head reads is taken at every depth, and not the mean state of a text.
    """

    @tf.function(autograph=False)
    def summaries(iterator: Any) -> tf.Tensor:
        return classifier.layer_summaries(next(iterator).inputs, read=read)

    order = evaluation_order(split, shape)
    iterator = iter(evaluation_dataset(split, shape))
    hidden, is_read = classifier.files.sizes.hidden, split.is_read
    counts = is_read.sum(axis=1)
    starts = np.cumsum(counts) - counts
    found = np.empty((int(counts.sum()), classifier.num_layers + 1, hidden), np.float32)
    row = 0
    while row < len(order):
        batch = summaries(iterator).numpy().swapaxes(1, 2)
        places = order[row : row + len(batch)]
        of_batch = np.where(places[:, None] >= 0, is_read[places, : batch.shape[1]], False)
        to = [starts[place] + np.arange(counts[place]) for place in places[places >= 0]]
        found[np.concatenate(to)] = batch[of_batch]
        row += len(batch)
    return ReadVectors(found, is_read)
