"""What every task has to keep, whatever its labels are."""

import json

import numpy as np
import pyarrow as pa
import tensorflow as tf
from sklearn import metrics as reference

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.records import Record
from tf_finetune.tasks.label_inference import infer_labels
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.table import TASKS, problem_type, task_of
from tf_finetune.tasks.task_rows import TaskRow

# By how labels are written: twelve of them.
WRITTEN = {
    "single_label": ["b", "a", "c", "a", "b", "c"] * 2,
    "multi_label": [["a"], ["b", "c"], [], ["c"], ["a", "b"], ["b"]] * 2,
    "token_classification": [["O"], ["B-b", "I-b", "O"], ["O", "B-a"], ["B-a"], ["O"], ["B-b"]] * 2,
    "multiple_choice": ["1", "0", "2", "1", "0", "2"] * 2,
    "span": [["Anna"], ["Bo Li", "Bo"], ["Li"], ["Anna"], [], ["Bo"]] * 2,
    "relation": ["f(e1,e2)", "f(e2,e1)", "Other", "f(e1,e2)", "Other", "g(e1,e2)"] * 2,
    "regression": [1.5, -2.0, 0.25, 4.0, 3.5, 1.0, 2.0, -1.0, 0.5, 2.5, 7.0, 3.0],
}


def check_task(name):
    """Holds a task of the table against its own words and against reference metrics."""
    written = WRITTEN[TASKS[name].read_as]
    made = _made(written) if TASKS[name].joins_reads else None
    raw = RawLabels("x.csv", pa.chunked_array([pa.array(written)]), np.arange(2, 14), made=made)
    labels = infer_labels(DataConfig(task=name), raw)
    targets = labels.encode(raw)
    reads = _reads(labels, targets)
    size = (12, reads * labels.num_outputs) if labels.makes_rows else (12, labels.num_logits)
    wrong = np.random.default_rng(0).normal(size=size).astype(np.float32)

    assert type(labels) is TASKS[name]
    assert labels.task == name
    assert task_of(json.loads(json.dumps(problem_type(labels)))) is TASKS[name]
    _check_targets(labels, targets, written)
    right = _right_logits(labels, targets)
    _check_losses(labels, targets, right, wrong)
    _check_scores(labels, targets, wrong)
    _check_answers(labels, wrong)


def _made(written):
    """Rows of a task that reads a second text, of three tokens: the first answer is right."""
    text = "Anna Bo Li"
    spans = [(0, 4), (5, 7), (8, 10)]
    targets = []
    for answers in written:
        place = text.index(answers[0]) if answers else -1
        inside = (
            [n for n, (s, e) in enumerate(spans, 1) if s < place + len(answers[0]) and e > place]
            if answers
            else [0]
        )
        targets.append([inside[0], inside[-1], 0])
    columns = {
        "target": pa.array(targets, pa.list_(pa.int32())),
        "spans": pa.array([[edge for span in spans for edge in span]] * 12, pa.list_(pa.int32())),
        "text": ["who?"] * 12,
        "text_pair": [text] * 12,
    }
    return pa.table(columns)


def _reads(labels, targets):
    if labels.several_texts:
        return labels.num_logits
    if labels.joins_reads:
        return 4
    return targets.shape[1] - 1 if labels.answers_each_read else 1


def _answers(labels, targets):
    """How many answers a row has."""
    return _reads(labels, targets) if labels.answers_each_read else 1


def _check_targets(labels, targets, written):
    shape, dtype = labels.target_shape(labels.num_outputs)
    reads = _reads(labels, targets)
    asked = labels.answer_targets(targets, reads)
    count = _answers(labels, targets)
    assert (asked.shape, asked.dtype) == ((12, count, *shape), np.dtype(dtype))
    weights = labels.answer_weights(np.ones(12, np.float32), np.ones((12, reads), bool))
    assert (weights.shape, weights.dtype) == ((12, count), np.float32)
    assert labels.example_count(targets) == 12
    assert len(labels.class_counts(targets)) == len(labels.counted_names)
    said = [labels.words(target) for target in targets]
    if labels.several_texts:  # whose names are numbers
        said = list(map(str, said))
    assert list(map(_sorted, said)) == list(map(_sorted, written))
    strata = labels.strata(targets, 3)
    assert strata.shape == (12,)
    constant = labels.constant_logits(targets)
    assert constant.shape == (labels.num_logits,)
    logits = labels.repeated(constant, targets)
    assert np.isfinite(list(labels.score(targets, logits).values())).all()


def _sorted(one):
    return sorted(one) if isinstance(one, list) else one


def _right_logits(labels, targets):
    """Outputs that are right beyond doubt."""
    if labels.joins_reads:
        flags = np.zeros((12, 4, 2))
        flags[np.arange(12)[:, None], targets[:, :2], [0, 1]] = 1
        return (20 * (2 * flags - 1)).reshape(12, -1).astype(np.float32)
    if labels.fewest_names == 0:
        return targets[:, None].astype(np.float32)
    if labels.answers_each_read:
        targets = np.maximum(targets[:, :-1], 0)
        flags = np.eye(labels.num_outputs)[targets].reshape(12, -1)
    else:
        flags = targets if targets.ndim == 2 else np.eye(labels.num_logits)[targets]
    return (20 * (2 * flags - 1)).astype(np.float32)


def _check_losses(labels, targets, right, wrong):
    targets = labels.answer_targets(targets, _reads(labels, targets))
    count = targets.shape[0] * targets.shape[1]
    targets = targets.reshape(count, *targets.shape[2:])
    right, wrong = right.reshape(count, -1), wrong.reshape(count, -1)
    logits = tf.Variable(wrong)
    with tf.GradientTape() as tape:
        losses = labels.losses(tf.constant(targets), logits)
    gradient = tape.gradient(losses, logits).numpy()
    assert losses.shape == (count,)
    assert losses.dtype == tf.float32
    assert np.isfinite(gradient).all()
    assert gradient.any(axis=1).all()
    # An example's loss depends on its own outputs alone, and is least where they are right.
    alone = labels.losses(tf.constant(targets[:1]), tf.constant(wrong[:1]))
    np.testing.assert_allclose(alone, losses[:1], rtol=1e-6)
    assert np.all(labels.losses(tf.constant(targets), tf.constant(right)).numpy() < 1e-5)
    same = labels.imitation_losses(tf.constant(wrong), tf.constant(wrong), 2.0)
    np.testing.assert_allclose(same, np.zeros(count), atol=1e-6)


def _check_scores(labels, targets, logits):
    scored = labels.scored(targets, logits)
    values = scored.values()
    assert tuple(values) == labels.metrics
    assert set(labels.metrics) <= set(METRICS)
    assert labels.headline in labels.metrics
    # Weights that are whole numbers are copies.
    counts = np.arange(12) % 3
    copies = labels.score(np.repeat(targets, counts, axis=0), np.repeat(logits, counts, axis=0))
    weighted = scored.scores(counts[None].astype(np.float64))
    for name, value in copies.items():
        assert abs(weighted[name][0] - value) < 1e-12, name
    predicted = labels.predicted(logits)
    # Entities are held against seqeval, see tests/tasks/tags.
    references = {} if labels.makes_rows else REFERENCES
    for name, metric in references.items():
        if name in values:
            assert abs(values[name] - metric(targets, predicted)) < 1e-6, name
    for kind in ("right", "wrong"):
        some_targets, some_logits = labels.pseudo_examples(targets, logits, kind, seed=0)
        assert len(some_targets) == len(some_logits) <= 12


REFERENCES = {
    "accuracy": reference.accuracy_score,
    "subset_accuracy": reference.accuracy_score,
    "macro_f1": lambda y, z: reference.f1_score(y, z, average="macro", zero_division=0),
    "micro_f1": lambda y, z: reference.f1_score(y, z, average="micro", zero_division=0),
    "mcc": reference.matthews_corrcoef,
    "mse": reference.mean_squared_error,
    "mae": reference.mean_absolute_error,
}


def _check_answers(labels, logits):
    if labels.makes_rows:
        _check_row_answers(labels, logits)
        return
    answers = list(labels.answers(logits))
    texts = json.loads(json.dumps(answers, allow_nan=False))
    for answer, text in zip(answers, texts, strict=True):
        labels.answer_body.model_validate(text)
        assert len(labels.answer_fields(answer, ";")) == len(labels.answer_columns())
    said = [answer[labels.answer_key] for answer in answers]
    assert said == [labels.words(one) for one in labels.predicted(logits)]
    assert pa.array(said, labels.answer_type()).to_pylist() == said
    outputs = labels.graph_outputs(tf.constant(logits))
    assert outputs
    assert all(len(output) == 12 for output in outputs.values())
    averaged = labels.averaged(np.stack([logits, logits]).astype(np.float64))
    assert [labels.words(one) for one in labels.predicted(averaged)] == said
    assert all(len(watched) for watched in labels.watched(logits).values())


def _check_row_answers(labels, logits):
    """Of a task that makes the rows of examples itself."""
    width = logits.shape[1] // labels.num_outputs
    spans = tuple((2 * place, 2 * place + 1) for place in range(width))
    choices = tuple("abc") if labels.several_texts else ()
    records = [Record(1, "a " * width, None, None, spans, choices)] * 12
    rows = [TaskRow(number, (), (), (0, width), 0, 2 * width) for number in range(12)]
    if labels.joins_reads:
        spans = spans[: width - 1]
        records = [Record(1, "who?", "a " * width, None)] * 12
        rows = [
            TaskRow(number, (), range(width), (0, width - 1), 0, 2 * width, spans=spans)
            for number in range(12)
        ]
    answers = list(labels.row_answers(records, rows, logits))
    texts = json.loads(json.dumps(answers, allow_nan=False))
    for text in texts:
        labels.answer_body.model_validate(text)
    said = [answer[labels.answer_key] for answer in answers]
    assert any(said)
    assert pa.array(said, labels.answer_type()).to_pylist() == said
    averaged = labels.averaged(np.stack([logits, logits]).astype(np.float64))
    assert (labels.predicted(averaged) == labels.predicted(logits)).all()
    assert all(len(watched) for watched in labels.watched(logits).values())
