"""Made-up searches and runs with numbers as a small encoder gives on short reviews."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tf_finetune.evaluation.report import EvaluationReport, build_evaluation_report
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.reports.page.content import NextStep, ReportContent, TrialRow
from tf_finetune.results.trial import Cell, Predictions, TrialResult
from tf_finetune.searches.answer.recommendation import recommend
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.labels import LabelSpace

REVIEWS = Classes(("negative", "positive"))
QUICK = EvaluationConfig(bootstrap_resamples=100, mistakes=6)
TEXTS = (
    "It is a film that asks for patience and gives little back, and yet the last half hour "
    "made me glad that I stayed.",
    "Neither as funny as it thinks it is nor as dull as they say.",
    "The plot is thin, the actors are not.",
    "You will not be able to look away, however much you may wish to.",
)
# By depth: accuracy, best rate, seconds an epoch, trained parameters, peak memory.
DEPTHS = {
    0: (0.896, 5e-5, 70.2, 22_713_986, 1_610_612_736),
    2: (0.884, 1e-4, 50.4, 7_247_234, 1_241_513_984),
    4: (0.876, 3e-4, 27.9, 3_698_306, 905_969_664),
    6: (0.752, 1e-3, 8.1, 148_610, 486_539_264),
}
FACTORS = (1 / 3, 1.0, 3.0)


def logits_like(labels: LabelSpace, targets: np.ndarray, quality: float, seed: int) -> np.ndarray:
    """Outputs that are right for about this share; examples share their difficulty."""
    shared, own = np.random.default_rng(1), np.random.default_rng(seed)
    if labels.task == "regression":
        noise = shared.normal(size=len(targets)) + 0.3 * own.normal(size=len(targets))
        return (targets + (1 - quality) * noise)[:, None].astype(np.float32)
    ease = shared.uniform(size=len(targets)) + 0.05 * own.normal(size=len(targets))
    right = ease < quality
    if labels.task == "multi_label":
        signs = np.where(targets > 0, 1.0, -1.0)
        flipped = own.integers(labels.num_outputs, size=len(targets))
        signs[np.arange(len(targets)), flipped] *= np.where(right, 1.0, -1.0)
        return (signs * own.uniform(0.5, 4.0, signs.shape)).astype(np.float32)
    wrong = (targets + own.integers(1, labels.num_outputs, len(targets))) % labels.num_outputs
    logits = own.normal(size=(len(targets), labels.num_outputs))
    logits[np.arange(len(targets)), np.where(right, targets, wrong)] += own.uniform(
        2.5, 5.0, len(targets)
    )
    return logits.astype(np.float32)


def make_targets(labels: LabelSpace, n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    if labels.task == "regression":
        return rng.uniform(0, 5, n).astype(np.float32)
    if labels.task == "multi_label":
        return (rng.uniform(size=(n, labels.num_outputs)) < 0.3).astype(np.float32)
    return rng.integers(labels.num_outputs, size=n).astype(np.int32)


def make_trials(
    labels: LabelSpace = REVIEWS,
    metric: str = "accuracy",
    depths: Any = DEPTHS,
    factors: tuple[float, ...] = FACTORS,
    seeds: int = 2,
    n: int = 872,
    extra: Mapping[str, Any] | None = None,
) -> list[TrialResult]:
    targets = make_targets(labels, n)
    trials = []
    for depth, (quality, best_rate, seconds, parameters, memory) in depths.items():
        for factor in factors:
            for seed in range(seeds):
                loss = 0.022 * abs(np.log(factor)) + 0.004 * (factor > 1)
                logits = logits_like(
                    labels, targets, quality - loss, 100 * depth + seed + int(7 * factor)
                )
                scores = labels.score(targets, logits)
                wobble = 1 + 0.02 * np.sin(11 * depth + 3 * factor + seed)
                trials.append(
                    TrialResult(
                        cell=Cell(
                            depth, float(f"{best_rate * factor:.1e}"), tuple((extra or {}).items())
                        ),
                        seed=seed,
                        status="completed",
                        score=scores[metric],
                        metrics=scores,
                        trainable_parameters=parameters,
                        seconds_per_epoch=seconds * wobble,
                        examples_per_second=6920 / seconds / wobble,
                        train_seconds=3 * seconds * wobble,
                        peak_memory_bytes=memory,
                        answer_flops=4e8,
                        epochs=3,
                        predictions=Predictions(targets, logits),
                    )
                )
    return trials


def make_heads(
    labels: LabelSpace = REVIEWS, metric: str = "accuracy", layers: int = 6, n: int = 872
) -> list[TrialResult]:
    """A head on every number of first layers, each solved exactly: what a first answer gives."""
    targets = make_targets(labels, n)
    trials = []
    for used in range(1, layers + 1):
        logits = logits_like(labels, targets, 0.78 + 0.06 * used / layers, 900 + used)
        scores = labels.score(targets, logits)
        trials.append(
            TrialResult(
                cell=Cell(used, None, (("encoder.layers", used),) if used < layers else ()),
                seed=0,
                status="completed",
                score=scores[metric],
                metrics=scores,
                trainable_parameters=770,
                seconds_per_epoch=0.4 + 0.6 * used,
                train_seconds=3 * (0.4 + 0.6 * used),
                peak_memory_bytes=1_000_000_000,
                answer_flops=4e8 * used / layers,
                epochs=1,
                predictions=Predictions(targets, logits),
            )
        )
    return trials


def make_history(trial: TrialResult, metric: str) -> tuple[dict[str, float], ...]:
    """Three epochs that end at the trial's score."""
    assert trial.score is not None
    wrong = 1 - min(0.9, abs(trial.score))
    return tuple(
        {
            "loss": 0.69 * wrong ** (0.35 * epoch),
            "val_loss": 0.69 * wrong ** (0.3 * epoch) + 0.04 * (epoch == 3),
            f"val_{metric}": trial.score - 0.06 / epoch + 0.02,
        }
        for epoch in (1, 2, 3)
    )


def make_rows(trials: list[TrialResult], metric: str) -> tuple[TrialRow, ...]:
    return tuple(
        TrialRow.of(trial, make_history(trial, metric) if trial.score is not None else ())
        for trial in trials
    )


def make_report(
    labels: LabelSpace = REVIEWS,
    split: str = "test",
    n: int = 400,
    texts: tuple[str, ...] = TEXTS,
    quality: float = 0.86,
) -> EvaluationReport:
    targets = make_targets(labels, n)
    return build_evaluation_report(
        labels,
        split,
        targets,
        logits_like(labels, targets, quality, 5),
        lambda rows: [Record(1, texts[i % len(texts)], None, None) for i in rows],
        np.arange(n) + 2,
        QUICK,
        train_targets=make_targets(labels, 3 * n),
        logits_before=logits_like(labels, targets, 0.5, 6),
    )


def make_plan(depth: int, layers: int = 6) -> dict[str, Any]:
    places = [
        ("embeddings", None, 11_825_664),
        *(("attention", layer, 592_128) for layer in range(layers)),
        *(("feed_forward", layer, 1_182_336) for layer in range(layers)),
        ("pooler", None, 147_840),
        ("head", None, 770),
    ]
    places.sort(key=lambda place: {"embeddings": -1}.get(place[0], place[1] or 0))
    places.sort(key=lambda place: place[0] in ("pooler", "head"))
    rows = [
        {
            "path": f"{part}/{layer}",
            "part": part,
            "layer": layer,
            "count": count,
            "trainable": depth == 0 or part in ("pooler", "head") or (layer or -1) >= depth,
            "rule": "trains by default",
        }
        for part, layer, count in places
    ]
    for row in rows:
        if not row["trainable"]:
            row["rule"] = f"freeze.depth={depth}"
    return {
        "num_layers": layers,
        "frozen_depth": depth,
        "total_parameters": sum(row["count"] for row in rows),
        "trainable_parameters": sum(row["count"] for row in rows if row["trainable"]),
        "rows": rows,
    }


def make_data(labels: LabelSpace = REVIEWS) -> dict[str, Any]:
    def split(name: str, rows: int) -> dict[str, Any]:
        classes = max(1, len(labels.names))
        counts = [rows // classes] * classes
        return {
            "name": name,
            "source": f"reviews/{name}.tsv",
            "rows": rows,
            "class_counts": () if labels.task == "regression" else tuple(counts),
            "target_range": (0.0, 2.4, 5.0) if labels.task == "regression" else None,
            "length_p50": 23,
            "length_p90": 41,
            "length_p99": 55,
            "length_max": 71,
            "truncated_share": 0.0,
            "duplicates": 7,
        }

    return {
        "task": labels.task,
        "label_names": labels.names,
        "splits": (split("train", 6920), split("validation", 872), split("test", 1821)),
        "shared_texts": (),
        "conflicting_texts": 3,
        "conflict_examples": ((12, 1308),),
        "warnings": ("train: texts with different labels: 3, such as rows 12 and 1308",),
    }


COMMANDS = (
    NextStep("Label new texts", "python -m trainers.predict runs/reviews new_reviews.csv"),
    NextStep("Score it on other examples", "python -m trainers.evaluate runs/reviews other.csv"),
    NextStep(
        "Search again",
        "python -m trainers.search --config runs/reviews/config.yaml run.dir=runs/reviews-2",
    ),
)


def make_preflight() -> dict[str, Any]:
    """What `preflight` writes, as far as a page shows it: a cell that fits, one that does not."""
    fitting = {
        **{"chip": "v5e", "depth": 4, "batch_size": 32, "fits": True, "device_bytes": 2**28},
        **{"flops": 1.17e11, "estimated_step_seconds": 0.0029, "estimated_job_seconds": 2.7},
    }
    return {
        **{"encoder": "MiniLM-L6", "length": 128, "precision": "mixed_bfloat16"},
        **{"examples": 10_000, "epochs": 3, "assumptions_of_estimates": ["roofline"]},
        "cells": [fitting, {"chip": "v4", "depth": 0, "batch_size": 16384, "fits": False}],
    }


def make_search(
    labels: LabelSpace = REVIEWS,
    metric: str = "accuracy",
    higher_is_better: bool = True,
    failures: int = 0,
    depths: Any = DEPTHS,
    examples: int = 400,
    splits: tuple[str, ...] = ("test", "validation"),
    layers: int = 6,
    heads: bool = False,
    methods: tuple[str, ...] = (),
    **trials: Any,
) -> ReportContent:
    """The content of a search's page, perhaps with a first answer or several methods."""
    results = [
        trial
        for extra in ([{"method": method} for method in methods] or [None])
        for trial in make_trials(labels, metric, depths, extra=extra, **trials)
    ]
    if heads:
        size = {"n": trials["n"]} if "n" in trials else {}
        results += make_heads(labels, metric, layers, **size)
    for index in range(failures):
        gone = results[index]
        results[index] = TrialResult(
            gone.cell, gone.seed, "failed", reason="the loss diverged in step 12"
        )
    found = recommend(results, labels, metric, higher_is_better, num_layers=layers, resamples=100)
    reports = {name: make_report(labels, name, examples) for name in splits}
    return ReportContent(
        title="How deep to fine-tune MiniLM-L6 on reviews",
        summary=(),
        encoder="MiniLM-L6",
        created="23 November 2026, 19:20",
        metric=metric,
        trials=make_rows(results, metric),
        reports=reports,
        plan=make_plan(found.recommended_place.depth, layers),
        data=make_data(labels),
        commands=COMMANDS,
        versions={"tf-finetune": "0.1.0", "tensorflow": "2.20.0"},
        search=found,
        config="freeze:\n  depth: 4\n",
        preflight=make_preflight(),
    )


def make_run(labels: LabelSpace = REVIEWS, metric: str = "accuracy") -> ReportContent:
    """The content of a single run's page."""
    search = make_search(labels, metric, depths={4: DEPTHS[4]}, factors=(1.0,), seeds=1)
    summary = ("Trained layers 4 to 5 of 6 on 6,920 examples.",)
    return replace(
        search, search=None, preflight=None, summary=summary, title="reviews at frozen depth 4"
    )


@pytest.fixture(scope="session")
def search_content() -> Callable[..., ReportContent]:
    return make_search


@pytest.fixture(scope="session")
def run_content() -> Callable[..., ReportContent]:
    return make_run
