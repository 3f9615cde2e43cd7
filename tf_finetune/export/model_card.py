"""The model card of a Hugging Face folder: what the model is, scores, from what and how."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.family import Pooling
from tf_finetune.encoders.pooling import TEXT_POOLING, words_of
from tf_finetune.errors import UserError
from tf_finetune.export.smaller.making import SmallerModel
from tf_finetune.options.marks import Mark
from tf_finetune.plans.freezing import FreezePlan, PlanRow
from tf_finetune.reports.console import baseline_title, printable
from tf_finetune.reports.page import numbers
from tf_finetune.reports.plan_tables import plan_markdown
from tf_finetune.runs.model_folder import THRESHOLD
from tf_finetune.runs.opening import config_of_model
from tf_finetune.storage.manifests import damaged_files
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.storage.yaml_document import yaml_value
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.table import TASKS

CARD = "README.md"
# Names of the scores on the hub.
_HUB_METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "f1",
    "micro_f1": "f1",
    "mcc": "matthews_correlation",
    "pearson": "pearsonr",
    "spearman": "spearmanr",
    "mse": "mse",
    "mae": "mae",
    "strict_f1": "f1",
    "strict_precision": "precision",
    "strict_recall": "recall",
    "lenient_f1": "f1",
    "word_accuracy": "accuracy",
    "token_f1": "f1",
    "exact_match": "exact_match",
    "relation_f1": "f1",
}
# What the head reads, of states [b, t, hidden] and a mask [b, t] of ones and zeros on any side.
_FIRST = "states[range(len(states)), mask.argmax(1)]"
_READ: dict[Pooling, str] = {
    "first": _FIRST,
    "first_state": _FIRST,
    "mean": "(states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)",
    "max": 'states.masked_fill(mask[..., None] == 0, float("-inf")).amax(1)',
    "last": "states[range(len(states)), mask.shape[1] - 1 - mask.flip(1).argmax(1)]",
}
_SOURCES = ("data.train", "data.validation", "data.test", "encoder.name", "encoder.adapter")


@dataclass(frozen=True)
class RunRecord:
    """What a finished run wrote of itself.

    Attributes:
        config: The configuration of the model.
        plan: Its freeze plan.
        reports: Content of evaluation.json, one report a split.
        data: The data summary of the report page.
        created: When, in words.
        versions: Software by name.
    """

    config: ExperimentConfig
    plan: FreezePlan
    reports: Mapping[str, Mapping[str, Any]]
    data: Mapping[str, Any]
    created: str
    versions: Mapping[str, str]


def read_record(run: RunDirectory, config: ExperimentConfig) -> RunRecord:
    """Reads what a card tells.

    Args:
        run: A finished run, or a search.
        config: Its configuration; of a search, that of the chosen cell is taken.

    Raises:
        UserError: A file of the run is missing or damaged.
    """
    problems = damaged_files(run.path)
    if problems:
        raise UserError(problems, hint="Restore the folder from a copy, or train again.")
    config = config_of_model(run, config)
    plan, page = _read(run.plan), _read(run.report.with_suffix(".json"))
    reports = _read(run.evaluation)
    try:
        rows = tuple(PlanRow.from_dict(row) for row in plan["rows"])
        return RunRecord(
            config=config,
            plan=FreezePlan(rows, plan["num_layers"]),
            # The card is of the single model.
            reports={name: r for name, r in reports.items() if r.get("models", 1) == 1},
            data=page["data"],
            created=page["created"],
            versions=page["versions"],
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{run.path}: a JSON file is damaged: {error}") from None


def write_model_card(
    path: Path,
    record: RunRecord,
    model_config: Mapping[str, Any],
    max_length: int,
    smaller: SmallerModel | None = None,
    *,
    is_adapter: bool = False,
) -> None:
    """Writes README.md of a model folder.

    Args:
        path: The file.
        record: What the run wrote.
        model_config: config.json of the model.
        max_length: Longest text in tokens.
        smaller: The smaller model that the folder holds, where it is not the run's own.
        is_adapter: Whether the folder is one of PEFT, beside the encoder.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tf_finetune.export", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    template = environment.get_template("model_card.md")
    content = template.render(
        card_data=_metadata(record, smaller, "peft" if is_adapter else "transformers").to_yaml(),
        **_context(record),
        smaller=None if smaller is None else _smaller_context(smaller),
        architecture=model_config["architectures"][0],
        threshold=_threshold(record, model_config),
        library_class="AutoModel" + TASKS[record.data["task"]].library_class,
        classes=_outputs(record, model_config),
        pooled=_pooled(record, model_config),
        is_adapter=is_adapter,
        max_length=max_length,
    )
    # Checks the metadata as the hub's own library reads them.
    ModelCard(content).save(path)


def training_command(config: ExperimentConfig) -> str:
    """The command that trains such a model: every option that is not its default.

    Args:
        config: The resolved configuration. Of files, only the names are shown.
    """
    usual = ExperimentConfig()
    # A method has options of its own.
    default = usual.model_copy(update={"method": type(config.method)()}).marked()
    default["method.name"] = usual.method.name
    words = ["tf-finetune", "train"]
    for option, value in config.marked(without={Mark.SEARCH, Mark.PLACE}).items():
        if value != default[option]:
            shown = _file_name(value) if option in _SOURCES and value else value
            words.append(shlex.quote(f"{option}={_literal(shown)}"))
    return " \\\n    ".join([" ".join(words[:2]), *words[2:]])


def _metadata(record: RunRecord, smaller: SmallerModel | None, library: str) -> ModelCardData:
    config = record.config
    base = config.encoder.name
    is_on_hub = base.count("/") == 1 and not Path(base).expanduser().exists()
    source = _file_name(config.data.train or "")
    if smaller is None:
        scores = [
            (split, name, estimate["value"])
            for split, report in record.reports.items()
            for name, estimate in report["metrics"].items()
        ]
    else:
        loss = smaller.comparison.loss
        scores = [(smaller.comparison.split, loss.metric, loss.value)]
    results = [
        EvalResult(
            task_type=TASKS[record.data["task"]].pipeline,
            dataset_type=source.split(":")[0].split(".")[0] or "data",
            dataset_name=source,
            dataset_split=split,
            metric_type=_HUB_METRICS[name],
            metric_name=METRICS[name].title,
            metric_value=round(value, 6),
        )
        for split, name, value in scores
        if name in _HUB_METRICS
    ]
    return ModelCardData(
        base_model=base if is_on_hub else None,
        library_name=library,
        pipeline_tag=TASKS[record.data["task"]].pipeline,
        tags=["tf-finetune"],
        model_name=_title(record),
        eval_results=results or None,
    )


def _context(record: RunRecord) -> dict[str, Any]:
    data, config = record.data, record.config
    task, splits = TASKS[data["task"]], data["splits"]
    has_pipeline = task.makes_rows and not task.several_texts and not task.card_code
    return {
        "title": _title(record),
        "encoder": _file_name(config.encoder.name),
        "layers": config.encoder.layers,
        "purpose": _purpose(data),
        "headline": _headline(record),
        "probability_words": task.probability_words,
        "long_texts": task.long_texts,
        "writing": task.writing,
        "pipeline": task.pipeline if has_pipeline else "",
        "card_code": task.card_code,
        "pipeline_use": task.pipeline_use,
        "several_texts": task.several_texts,
        "outputs_in_words": task.outputs_in_words,
        "reads_words": task.reads_words,
        "pairs": config.data.text_pair_column is not None,
        "output_noun": task.output_noun,
        "counted": f"{task.counted.capitalize()} of each {task.nouns[0]}",
        "noun": task.nouns[0],
        "reports": [_report_table(report) for report in record.reports.values()],
        "splits": [list(_split_row(split)) for split in splits],
        "class_counts": [
            [_cell(name), *(f"{split['class_counts'][index]:,}" for split in splits)]
            for index, name in enumerate(data["label_names"])
        ],
        "warnings": data["warnings"],
        "plan": record.plan,
        "plan_table": plan_markdown(record.plan),
        "command": training_command(config),
        "created": record.created,
        "versions": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
    }


def _smaller_context(smaller: SmallerModel) -> dict[str, Any]:
    found = smaller.comparison
    return {
        "done": smaller.sentence(),
        "split": found.split,
        "examples": found.examples,
        "metric": METRICS[found.loss.metric].title,
        "interval": f"{100 * found.confidence:g} % interval",
        "loss": found.loss,
        "parameters": found.parameters,
        "original_mib": found.original_bytes / 2**20,
        "mib": found.bytes / 2**20,
        "removed_heads": bool(smaller.heads),
    }


def _outputs(record: RunRecord, model_config: Mapping[str, Any]) -> list[str]:
    """Names of the outputs, in their order; none of a number."""
    if not TASKS[record.data["task"]].fewest_names:
        return []
    names = model_config["id2label"]
    return [names[str(index)] for index in range(len(names))]


def _pooled(record: RunRecord, model_config: Mapping[str, Any]) -> dict[str, str] | None:
    """How PyTorch computes what the head reads; None where the library's own classifier does."""
    pooling = model_config.get(TEXT_POOLING)
    if pooling in (None, TASKS[record.data["task"]].pooling):
        return None
    _, head = FAMILIES[model_config["model_type"]].head_names
    return {"words": words_of(pooling), "read": _READ[pooling], "head": head}


def _threshold(record: RunRecord, model_config: Mapping[str, Any]) -> float | None:
    decides = TASKS[record.data["task"]]().threshold is not None
    return model_config.get(THRESHOLD, 0.5) if decides else None


def _title(record: RunRecord) -> str:
    config = record.config
    return f"{_file_name(config.encoder.name)} on {_file_name(config.data.train or 'texts')}"


def _purpose(data: Mapping[str, Any]) -> str:
    count = len(data["label_names"])
    return TASKS[data["task"]].purpose(count)


def _headline(record: RunRecord) -> str:
    if not record.reports:
        return ""
    report = next(iter(record.reports.values()))
    name = TASKS[report["task"]].headline
    found = {key: numbers.score(value) for key, value in report["metrics"][name].items()}
    return (
        f"{report['split'].capitalize()} {METRICS[name].title} {found['value']} "
        f"({100 * report['confidence']:g} % interval {found['low']} to {found['high']})."
    )


def _report_table(report: Mapping[str, Any]) -> dict[str, Any]:
    rows = []
    for name, estimate in report["metrics"].items():
        value, low, high = (numbers.score(estimate[key]) for key in ("value", "low", "high"))
        others = [numbers.score(scores[name]) for scores in report["baselines"].values()]
        rows.append([METRICS[name].title, value, f"{low} to {high}", *others])
    return {
        "split": report["split"],
        "n": report["n"],
        "interval": f"{100 * report['confidence']:g} % interval",
        "baselines": [baseline_title(name) for name in report["baselines"]],
        "rows": rows,
    }


def _split_row(split: Mapping[str, Any]) -> Iterator[str]:
    yield split["name"]
    yield _cell(_file_name(split["source"]))
    yield f"{split['rows']:,}"
    yield str(split["length_p50"])
    yield str(split["length_p99"])
    yield f"{split['truncated_share']:.0%}"


def _file_name(source: str) -> str:
    """A source or encoder without the folders above it, which are nobody else's business."""
    scheme, colon, name = source.rpartition(":")
    is_path = Path(name).is_absolute() or name.startswith(("~", ".")) or Path(name).exists()
    return f"{scheme}{colon}{Path(name).name if is_path else name}"


def _literal(value: Any) -> str:
    """A value as `section.name=value` takes it."""
    if isinstance(value, str) and value.lower() not in ("null", "~") and value[:1] not in "\"'":
        return value
    return yaml_value(value)


def _cell(text: str) -> str:
    """A text from outside inside a table or line of Markdown."""
    for character in "\\|`*_[]<>#":
        text = text.replace(character, f"\\{character}")
    return printable(text)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: missing; the model card tells what it holds") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: damaged: {error}") from None
