"""The HParams tab of TensorBoard: one row a trial, with its options and what it gave and took.

A trial's row is read from the events of the trial's own folder, and which columns there are
from the folder above, so that one `--logdir` shows the whole search.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorboard.plugins.hparams import api as hp
from tensorboard.plugins.hparams import api_pb2, summary

from tf_finetune.reports.page.content import TrialRow
from tf_finetune.results.trial import METHOD
from tf_finetune.storage.disk_space import told_when_full
from tf_finetune.tasks.metrics import METRICS

DEPTH, LEARNING_RATE, SEED = "frozen_depth", "learning_rate", "seed"
SCORE = "trial/validation_score"
# Tag, title and the attribute of a trial.
COSTS = (
    ("trial/trainable_parameters", "trainable parameters", "trainable_parameters"),
    ("trial/seconds_per_epoch", "seconds an epoch", "seconds_per_epoch"),
    ("trial/examples_per_second", "examples/s", "examples_per_second"),
    ("trial/peak_memory_mib", "peak memory, MiB", "peak_memory_bytes"),
    ("trial/answer_flops", "operations an answer", "answer_flops"),
)


def write_hparams_columns(
    events: Path,
    metric: str,
    depths: Sequence[int],
    rates: Sequence[float],
    seeds: Sequence[int],
    extra: Mapping[str, Sequence[Any]] | None = None,
    scored_on: str = "validation",
) -> None:
    """Says which columns the table has; written once, before the first trial.

    Args:
        events: The folder above the events of the trials.
        metric: The monitored score.
        depths: Frozen depths that may be tried.
        rates: Learning rates that may be tried, or the ends of their range.
        seeds: Training seeds.
        extra: Values of further dimensions by dotted name.
        scored_on: What the examples are that trials are scored on.
    """
    further = [
        hp.HParam(name, hp.Discrete(sorted(set(_alike(values)))))
        for name, values in (extra or {}).items()
    ]
    columns = [
        # Values outside these domains are shown all the same; they feed the filters.
        hp.HParam(DEPTH, hp.Discrete(sorted({float(d) for d in depths})), "frozen depth"),
        *_rate_column(rates),
        hp.HParam(SEED, hp.Discrete(sorted({float(s) for s in seeds})), "seed"),
        *further,
    ]
    title = f"{scored_on} {METRICS[metric].title}"
    metrics = [hp.Metric(SCORE, display_name=title)]
    metrics += [hp.Metric(tag, display_name=name) for tag, name, _ in COSTS]
    with _writer(events) as writer, writer.as_default():
        hp.hparams_config(columns, metrics)


def write_trial_hparams(events: Path, trial: TrialRow) -> None:
    """Writes a trial's row when it has ended, failed or not.

    Args:
        events: The trial's own events folder, below the one of `write_hparams_columns`.
        trial: The trial; its history is not used.
    """
    options: dict[str, Any] = {
        DEPTH: trial.depth,
        SEED: trial.seed,
        **{name: _plain(value) for name, value in trial.cell.options.items()},
    }
    if trial.cell.method is not None:
        options[METHOD] = trial.cell.place.method_name
    if trial.learning_rate is not None:
        options[LEARNING_RATE] = trial.learning_rate
    status = api_pb2.STATUS_SUCCESS if trial.completed else api_pb2.STATUS_FAILURE
    with _writer(events) as writer, writer.as_default(step=0):
        hp.hparams(options, trial_id=trial.name)
        if trial.score is not None:
            tf.summary.scalar(SCORE, trial.score)
        for tag, _, attribute in COSTS:
            value = getattr(trial, attribute)
            if value is not None:
                tf.summary.scalar(tag, value / 2**20 if "mib" in tag else value)
        end = summary.session_end_pb(status)
        tf.summary.experimental.write_raw_pb(end.SerializeToString(), step=0)


@contextmanager
def _writer(events: Path) -> Iterator[Any]:
    """A context that closes the writer, so that nothing waits in its buffer."""
    with told_when_full(events), closing(tf.summary.create_file_writer(str(events))) as writer:
        yield writer


def _rate_column(rates: Sequence[float]) -> list[hp.HParam]:
    """With room for rates that a search adds at its edges; none where nothing has a rate."""
    if not rates:
        return []
    domain = hp.RealInterval(min(rates) / 10.0, max(rates) * 10.0)
    return [hp.HParam(LEARNING_RATE, domain, "learning rate")]


def _plain(value: Any) -> Any:
    """A value that HParams knows: numbers, texts and switches; others as JSON."""
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)


def _alike(values: Sequence[Any]) -> list[Any]:
    """The values as one type: HParams has no column of several."""
    plain = [_plain(value) for value in values]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in plain):
        return [float(value) for value in plain]
    return plain if len({type(value) for value in plain}) == 1 else [str(v) for v in plain]
