"""The options of a job: one frozen model a section, every field with meaning and range.

These models are the single truth about options. The command line, `--help`, the
starting YAML of `init`, the JSON schema and the checks are all derived from them.
Nothing here imports TensorFlow.

Four rules for whoever adds an option. Its type has a `Mark` that says what it decides. The loader
hands every scalar over as text, so a union with `str` (other than `str | None`) would never see a
number. What an option accepts is said in words with an example: `examples` where the default is
none, `_said` where the type says too little. A check across options raises ValueError with one
line a mistake, `section.name: received …; accepted: …`.
"""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    model_validator,
)

from tf_finetune.config.value_checks import (
    check_distinct,
    check_duration,
    check_encoding,
    check_layer_ranges,
    check_pattern,
    check_size,
    check_upwards,
    join_depths,
    read_tab,
)
from tf_finetune.options.marks import Mark
from tf_finetune.options.section import Section


def _said(words: str) -> dict[str, JsonValue]:
    """What a value is, in words, for what its type and range would say less well."""
    return {"accepted": words}


Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]
Probability = Annotated[float, Field(gt=0.0, lt=1.0)]
Rate = Annotated[float, Field(gt=0.0, le=10.0)]
Rates = Annotated[tuple[Rate, ...], Field(min_length=1), AfterValidator(check_distinct)]
RateRange = Annotated[
    tuple[Rate, ...], Field(min_length=2, max_length=2), AfterValidator(check_upwards)
]
Size = Annotated[
    str,
    Field(json_schema_extra=_said("a size in bytes with its unit")),
    AfterValidator(check_size),
]
Duration = Annotated[
    str,
    Field(
        pattern=r"^(\d+h)?(\d+m)?(\d+s)?$",
        json_schema_extra=_said("a time in hours, minutes and seconds"),
    ),
    AfterValidator(check_duration),
]
Names = Annotated[tuple[str, ...], Field(min_length=1)]
Task = Literal["auto", "single_label", "multi_label", "regression"]
Part = Literal["embeddings", "attention", "feed_forward", "layer_norm", "bias", "pooler", "head"]


class DataConfig(Section):
    """Where the labelled text is and how to read it."""

    train: Annotated[str | None, Mark.INPUT] = Field(
        default=None,
        description="training examples: a CSV, TSV, JSON, JSONL, Parquet or Arrow file, text also "
        "as .gz, .bz2 or .xz; a folder with such files or with one folder of .txt files a class; a "
        "pattern such as part-*.csv; tfds:NAME, or builtin:docstrings",
        examples=["reviews.csv"],
    )
    validation: Annotated[str | None, Mark.INPUT] = Field(
        default=None,
        description="validation examples, as data.train; tfds:NAME and folders with splits give "
        "their split of that name; null makes a stratified split of the training examples",
        examples=["dev.csv"],
    )
    test: Annotated[str | None, Mark.INPUT] = Field(
        default=None, description="test examples, as data.validation", examples=["test.csv"]
    )
    format: Annotated[
        Literal["auto", "csv", "tsv", "text", "json", "jsonl", "parquet", "arrow", "folder"],
        Mark.INPUT,
    ] = Field(default="auto", description="file format; auto goes by the file name's ending")
    text_column: Annotated[str | None, Mark.INPUT] = Field(
        default=None,
        description="column (or JSON field) that holds the text; null infers it",
        examples=["text"],
    )
    text_pair_column: Annotated[str | None, Mark.INPUT] = Field(
        default=None,
        description="column of the second text of a pair; null for single texts",
        examples=["second_text"],
    )
    label_column: Annotated[str | None, Mark.INPUT] = Field(
        default=None,
        description="column that holds the label or the target; null infers it",
        examples=["label"],
    )
    label_columns: Annotated[Names | None, Mark.INPUT] = Field(
        default=None,
        description="columns of zeros and ones (or false and true), one a label, in place of "
        "data.label_column; label_names may give them other names, in the same order",
        examples=[["toxic", "rude"]],
    )
    task: Annotated[Task, Mark.INPUT] = Field(
        default="auto", description="what the labels are; auto infers it from the training examples"
    )
    label_names: Annotated[tuple[str, ...] | None, Mark.INPUT] = Field(
        default=None,
        description="names of the classes in the order of their integer labels, or the full "
        "list of the names that may occur; null takes what the training examples hold",
        examples=[["neg", "pos"]],
    )
    label_separator: Annotated[str | None, BeforeValidator(read_tab), Mark.INPUT] = Field(
        default=None,
        min_length=1,
        description="what separates several labels in one field (multi-label); JSON lists "
        "need none",
        examples=[";"],
    )
    decimal_mark: Annotated[Literal["auto", "point", "comma"], Mark.INPUT] = Field(
        default="auto",
        description="what begins the decimals of labels that are numbers; auto: the comma where "
        "the training labels are numbers only in that way, as 3,5",
    )
    header: Annotated[bool, Mark.INPUT] = Field(
        default=True,
        description="whether the first row of a CSV or TSV file names its columns; without, "
        "columns are named 1, 2, 3 and so on",
    )
    delimiter: Annotated[str | None, BeforeValidator(read_tab), Mark.INPUT] = Field(
        default=None,
        min_length=1,
        max_length=1,
        description=r"field separator of CSV or TSV, \t for a tab; null goes by the format",
        examples=[";"],
    )
    quoting: Annotated[Literal["auto", "standard", "backslash", "none"], Mark.INPUT] = Field(
        default="auto",
        description='whether "..." quotes a field, and a quote inside it is written "" (standard) '
        r"or \" (backslash); auto: standard in CSV, none in TSV, or what the file shows if that "
        "does not fit",
    )
    encoding: Annotated[str, AfterValidator(check_encoding), Mark.INPUT] = Field(
        default="utf-8",
        description="text encoding of the files",
        json_schema_extra=_said("the name of a text encoding"),
    )
    extra_columns: Annotated[Literal["error", "ignore"], Mark.INPUT] = Field(
        default="error",
        description="what to do with rows that have more fields than expected; ignore leaves the "
        "last ones out, which cuts a text that holds the delimiter and is not quoted",
    )
    max_length: Annotated[int, Mark.INPUT, Mark.ANSWER] = Field(
        default=128, ge=4, le=8192, description="longest text in tokens; longer ones are truncated"
    )
    validation_fraction: Annotated[Fraction, Mark.INPUT] = Field(
        default=0.1,
        description="share of the examples for validation when no validation set is given",
    )
    test_fraction: Annotated[Fraction, Mark.INPUT] = Field(
        default=0.1,
        description="share of the examples for the test when no test set is given; 0: no test",
    )
    folds: Annotated[int | None, Mark.INPUT] = Field(
        default=None,
        ge=2,
        le=20,
        description="for few examples: in place of validation examples, cut the training examples "
        "into this many folds; each is scored by a model trained on the others, and the "
        "final model is trained on all; null: no folds",
        examples=[5],
    )
    split_seed: Annotated[int, Mark.INPUT] = Field(
        default=0, ge=0, lt=2**31, description="seed of the splits that are made"
    )
    train_limit: Annotated[int | None, Mark.INPUT] = Field(
        default=None,
        ge=1,
        description="train on a random sample (by split_seed) of this many examples; null: all",
        examples=[1000],
    )
    cache_dir: Annotated[str, Mark.PLACE] = Field(
        default="~/.cache/tf_finetune",
        description="folder in which tokenised data is kept and reused",
    )

    @model_validator(mode="after")
    def _check_folds_or_validation(self) -> "DataConfig":
        if self.folds is None:
            return self
        problems = []
        with_folds = f"with data.folds={self.folds}, which scores the training examples"
        if self.validation is not None:
            problems.append(
                f"data.validation: received {self.validation} {with_folds}; accepted: null (its "
                "examples can be added to those of data.train), or data.folds=null"
            )
        default = type(self).model_fields["validation_fraction"].default
        if self.validation_fraction not in (0.0, default):
            problems.append(
                f"data.validation_fraction: received {self.validation_fraction:g} {with_folds} and "
                "makes no validation split; accepted: 0, or leave it out, or data.folds=null"
            )
        if problems:
            raise ValueError("\n".join(problems))
        return self


class EncoderConfig(Section):
    """The pretrained encoder."""

    name: Annotated[str, Mark.INPUT] = Field(
        default="auto",
        description="a local folder (a model, or a run, whose model is taken), a hub name such as "
        "google-bert/bert-base-uncased, or package:NAME (an installed distribution that carries a "
        "model folder); auto takes an installed model package and otherwise "
        "google-bert/bert-base-uncased",
        examples=["google-bert/bert-base-uncased"],
    )
    dropout: Annotated[Fraction | None, Mark.STEP] = Field(
        default=None,
        description="dropout of hidden states and attention; null: as the encoder says",
        examples=[0.1],
    )


class FreezeRule(Section):
    """One ordered rule: the variables it selects, and whether they are trained."""

    train: bool = Field(description="whether the selected variables are trained")
    layers: (
        Annotated[
            str,
            Field(
                pattern=r"^\d+(-\d+)?(,\d+(-\d+)?)*$",
                json_schema_extra=_said("layers and ranges of layers, with commas"),
            ),
            AfterValidator(check_layer_ranges),
        ]
        | None
    ) = Field(
        default=None,
        description='encoder layers such as "0-3" or "0,5"; null: wherever the variable is',
        examples=["0-3"],
    )
    parts: tuple[Part, ...] | None = Field(
        default=None,
        description="parts of the model; null: every part",
        examples=[["attention", "bias"]],
    )
    pattern: (
        Annotated[
            str,
            Field(json_schema_extra=_said("a regular expression")),
            AfterValidator(check_pattern),
        ]
        | None
    ) = Field(
        default=None,
        description="regular expression searched in the variable's path; null: any path",
        examples=["output/dense"],
    )


class FreezeConfig(Section):
    """Which variables are trained."""

    depth: Annotated[int, Mark.STEP, Mark.TRIAL] = Field(
        default=0,
        ge=0,
        description="frozen depth k: 0 trains everything; k >= 1 freezes the embeddings and "
        "encoder layers 0..k-1; the number of layers trains only pooler and head",
    )
    embeddings: Annotated[bool, Mark.STEP] = Field(
        default=False, description="freeze the embeddings also at depth 0 (deeper ones always do)"
    )
    rules: Annotated[tuple[FreezeRule, ...], Mark.STEP] = Field(
        default=(),
        description="ordered rules that come before freeze.depth; the first that matches a "
        "variable decides",
        examples=[[{"train": True, "parts": ["bias"]}]],
    )


class TrainingConfig(Section):
    """How the chosen variables are trained."""

    learning_rate: Annotated[float, Mark.COURSE, Mark.TRIAL] = Field(
        default=5e-5, gt=0.0, le=10.0, description="peak learning rate"
    )
    epochs: Annotated[int, Mark.COURSE] = Field(
        default=3, ge=1, le=10_000, description="passes over the training examples"
    )
    batch_size: Annotated[int, Mark.COURSE] = Field(
        default=32, ge=1, le=65_536, description="examples a step, over all replicas (global batch)"
    )
    seed: Annotated[int, Mark.COURSE, Mark.TRIAL] = Field(
        default=0,
        ge=0,
        lt=2**31,
        description="seed of the new weights, the batch order and dropout",
    )
    optimizer: Annotated[Literal["adamw", "sgd", "adafactor"], Mark.STEP] = Field(
        default="adamw", description="optimiser; sgd uses Nesterov momentum 0.9"
    )
    weight_decay: Annotated[float, Mark.STEP] = Field(
        default=0.01,
        ge=0.0,
        le=1.0,
        description="decoupled weight decay, never on biases and layer norms",
    )
    schedule: Annotated[Literal["linear", "cosine", "constant"], Mark.STEP] = Field(
        default="linear", description="learning rate after the warm-up: down to 0, or constant"
    )
    warmup_fraction: Annotated[Fraction, Mark.COURSE] = Field(
        default=0.1, description="share of all steps in which the learning rate rises from 0"
    )
    clip_norm: Annotated[float | None, Mark.STEP] = Field(
        default=1.0, gt=0.0, description="longest global gradient norm; null: no clipping"
    )
    accumulation_steps: Annotated[int, Mark.STEP] = Field(
        default=1,
        ge=1,
        le=1024,
        description="micro-batches a step is computed in, to save memory; the batch size and "
        "the result stay the same",
    )
    precision: Annotated[
        Literal["float32", "mixed_bfloat16", "mixed_float16"], Mark.STEP, Mark.ANSWER
    ] = Field(default="float32", description="compute precision; weights stay float32")
    class_weights: Annotated[
        Literal["none", "balanced"] | dict[str, Annotated[float, Field(gt=0.0)]], Mark.COURSE
    ] = Field(
        default="none",
        description="loss weight of each class: none, balanced (inverse frequency), or a "
        "mapping from class name to weight",
        examples=[{"neg": 1, "pos": 3}],
    )
    label_smoothing: Annotated[Fraction, Mark.STEP] = Field(
        default=0.0,
        description="share of the target spread evenly over all classes",
        examples=[0.1],
    )
    early_stopping_patience: Annotated[int | None, Mark.COURSE] = Field(
        default=None,
        ge=1,
        description="stop after this many epochs without a better validation score and "
        "restore the best weights; null: train all epochs and keep the last",
        examples=[2],
    )
    monitor: Annotated[
        Literal["auto", "accuracy", "macro_f1", "micro_f1", "mcc", "pearson", "spearman", "loss"],
        Mark.COURSE,
    ] = Field(
        default="auto",
        description="validation score that early stopping and search compare; auto: accuracy, "
        "micro F1 (multi-label) or Spearman (regression)",
    )
    strategy: Annotated[
        Literal["auto", "cpu", "gpu", "mirrored", "multi_worker", "tpu"], Mark.WORK, Mark.ANSWER
    ] = Field(
        default="auto",
        description="devices to train on; auto: TPU, else all GPUs, else the CPU; multi_worker: "
        "the processes that TF_CONFIG names (only `train`)",
    )
    padding: Annotated[Literal["auto", "longest", "buckets", "max", "packed"], Mark.COURSE] = Field(
        default="auto",
        description="pad a batch to its longest text, to the next of a few fixed lengths, or "
        "to data.max_length; packed: in training put several texts into each row of that length, "
        "one shape and little padding; auto: packed where XLA compiles (TPU), else longest",
    )
    checkpoint_seconds: Annotated[float, Mark.WORK] = Field(
        default=60.0,
        ge=0.0,
        le=86_400.0,
        description="most seconds of work that a kill loses: a checkpoint is written when they "
        "have passed, and after every epoch; 0: after every step",
    )
    steps_per_execution: Annotated[int, Mark.WORK] = Field(
        default=1,
        ge=1,
        le=1024,
        description="steps that run in one call, without Python between them: worth it where a "
        "step takes a few milliseconds; the result stays the same, but a signal, a checkpoint and "
        "the progress bar wait for the end of the call",
    )
    on_nonfinite: Annotated[Literal["stop", "skip", "halve_lr"], Mark.WORK] = Field(
        default="stop",
        description="a step whose loss or gradient is NaN or infinite changes nothing; stop: the "
        "run ends with the state before it saved; skip: the run goes on; halve_lr: it goes on at "
        "half the learning rate. 10 such steps in a row, or an epoch of them, end it anyway",
    )
    on_out_of_memory: Annotated[Literal["stop", "accumulate"], Mark.WORK] = Field(
        default="accumulate",
        description="when a training step does not fit the memory: stop, or halve the "
        "micro-batches, as twice the accumulation_steps would, and go on from the last checkpoint; "
        "the batch size and the result stay the same; several processes always stop",
    )


class EvaluationConfig(Section):
    """How a trained model is scored."""

    batch_size: Annotated[int, Mark.WORK, Mark.ANSWER] = Field(
        default=64, ge=1, le=65_536, description="examples a step in evaluation"
    )
    baselines: Annotated[bool, Mark.WORK] = Field(
        default=True, description="also score the majority class and the model before fine-tuning"
    )
    bootstrap_resamples: Annotated[int, Mark.WORK] = Field(
        default=1000, ge=100, le=100_000, description="resamples behind each interval"
    )
    confidence: Annotated[float, Mark.WORK] = Field(
        default=0.95, gt=0.5, lt=1.0, description="coverage of the intervals"
    )
    threshold: Annotated[Probability | Literal["auto"], Mark.ANSWER] = Field(
        default=0.5,
        description="with several labels a text: probability above which a label applies; auto: "
        "the one with the best micro F1 on the validation examples, chosen after training and "
        "kept with the model (of a finished run: its own)",
    )
    mistakes: Annotated[int, Mark.WORK] = Field(
        default=20, ge=0, le=10_000, description="how many of the most confident mistakes to keep"
    )
    explained_mistakes: Annotated[int, Mark.WORK] = Field(
        default=5,
        ge=0,
        le=10_000,
        description="of how many of them to say what each word contributed to the wrong answer "
        "(integrated gradients, coloured in the report); 0: of none",
    )


class CacheConfig(Section):
    """Whether and where states at the frozen boundary are kept for more epochs and trials."""

    mode: Annotated[Literal["auto", "memory", "disk", "off"], Mark.PLACE] = Field(
        default="auto",
        description="where states of frozen layers are kept; auto: where they fit, if a few "
        "measured steps say that it saves time; off: the layers run in every step",
    )
    dtype: Annotated[Literal["auto", "float32", "float16", "bfloat16"], Mark.COURSE] = Field(
        default="auto",
        description="how a state is stored; auto: as it is computed, or as float16 if only that "
        "fits memory_budget",
    )
    memory_budget: Annotated[Size | None, Mark.PLACE] = Field(
        default=None,
        description="memory that states may take, such as 2GiB; null: a quarter of the machine's",
        examples=["2GiB"],
    )
    disk_budget: Annotated[Size, Mark.PLACE] = Field(
        default="20GiB",
        description="disk that states may take; what was not used for longest goes first",
    )
    dir: Annotated[str | None, Mark.PLACE] = Field(
        default=None,
        description="folder of states on disk; null: prefix/ in data.cache_dir",
        examples=["/tmp/states"],
    )


class SearchConfig(Section):
    """Which depths, learning rates and other options `search` tries, and for how long."""

    oracle: Annotated[Literal["grid", "random", "bayesian", "hyperband"], Mark.SEARCH] = Field(
        default="grid",
        description="what decides which cell (depth, learning rate, further options) is tried "
        "next: grid tries all; random draws; bayesian models the scores; hyperband trains many "
        "cells for few epochs and the better ones for training.epochs",
    )
    depths: Annotated[
        str,
        Field(
            pattern=r"^(all|\d+(-\d+)?(,\d+(-\d+)?)*)$",
            json_schema_extra=_said("all, or depths and ranges of depths, with commas"),
        ),
        BeforeValidator(join_depths),
        AfterValidator(check_layer_ranges),
        Mark.SEARCH,
    ] = Field(
        default="all",
        description='frozen depths to try: all (0 to the number of layers), ranges such as "0-6", '
        'a list such as "0,2,4,6"',
        examples=["0,2,4-6"],
    )
    learning_rates: Annotated[Rates | None, Mark.SEARCH] = Field(
        default=None,
        description="learning rates to try at every depth; null: rates for each depth, larger "
        "ones for deeper freezing, around 5e-5 at depth 0 and 1e-3 with all layers frozen",
        examples=[[5e-5, 3e-4]],
    )
    learning_rate_range: Annotated[RateRange | None, Mark.SEARCH] = Field(
        default=None,
        description="lowest and highest learning rate, in place of learning_rates; drawn evenly "
        "in the logarithm, and in a grid cut into steps of half a decade",
        examples=[[1e-5, 1e-3]],
    )
    learning_rates_by_depth: Annotated[dict[int, Rates], Mark.SEARCH] = Field(
        default={},
        description="learning rates of single depths, which go before the others",
        examples=[{"0": [5e-5, 1e-4]}],
        json_schema_extra=_said("a mapping from depths to one or more learning rates each"),
    )
    learning_rate_ranges_by_depth: Annotated[dict[int, RateRange], Mark.SEARCH] = Field(
        default={},
        description="ranges of single depths, which go before the others",
        examples=[{"0": [1e-5, 1e-4]}],
        json_schema_extra=_said("a mapping from depths to a lowest and a highest learning rate"),
    )
    seeds: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=2**31)], ...],
        Field(min_length=1),
        AfterValidator(check_distinct),
        Mark.SEARCH,
    ] = Field(
        default=(0, 1),
        description="training seeds; each cell is tried with each, the first of all cells first, "
        "and the final model is trained with the first",
    )
    max_trials: Annotated[int | None, Mark.SEARCH] = Field(
        default=None,
        ge=1,
        description="most trials (a cell with a seed); null: as many as the grid has, and for the "
        "other oracles 12 cells with every seed",
        examples=[20],
    )
    time_budget: Annotated[Duration | None, Mark.SEARCH] = Field(
        default=None,
        description="time for all trials such as 90s, 20m or 1h30m; no trial is begun that would "
        "overrun it, and the final training comes on top",
        examples=["1h30m"],
    )
    widen_edges: Annotated[bool, Mark.SEARCH] = Field(
        default=True,
        description="try one rate more, at most twice, where a depth's best learning rate is its "
        "lowest or highest",
    )
    median_stopping: Annotated[bool, Mark.SEARCH] = Field(
        default=False,
        description="give up a trial after an epoch if its best score so far is below the median "
        "of the other trials at its depth after as many epochs; it then gets no other seed",
    )
    batch_sizes: Annotated[
        tuple[Annotated[int, Field(ge=1, le=65_536)], ...],
        AfterValidator(check_distinct),
        Mark.SEARCH,
    ] = Field(
        default=(),
        description="batch sizes to try; empty: training.batch_size alone",
        examples=[[16, 32]],
    )
    weight_decays: Annotated[
        tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...],
        AfterValidator(check_distinct),
        Mark.SEARCH,
    ] = Field(
        default=(),
        description="weight decays to try; empty: training.weight_decay alone",
        examples=[[0.0, 0.01]],
    )
    warmup_fractions: Annotated[
        tuple[Fraction, ...], AfterValidator(check_distinct), Mark.SEARCH
    ] = Field(
        default=(),
        description="warm-ups to try; empty: training.warmup_fraction alone",
        examples=[[0.0, 0.1]],
    )
    rule_sets: Annotated[dict[str, tuple[FreezeRule, ...]], Mark.SEARCH, Mark.STEP] = Field(
        default={},
        description="named lists of freeze rules to try, each before freeze.rules; such as "
        "{all: [], biases: [{train: false, parts: [attention, feed_forward]}]}; empty: "
        "freeze.rules alone",
        examples=[{"biases": [{"train": False, "parts": ["attention", "feed_forward"]}]}],
    )
    tolerance: Annotated[float | None, Mark.SEARCH] = Field(
        default=None,
        gt=0.0,
        description="how much worse than the best still counts as acceptable, in the score's "
        "units; null: 0.01, and for errors and losses 5 % of the best",
        examples=[0.01],
    )
    train_on_validation: Annotated[bool, Mark.SEARCH] = Field(
        default=False,
        description="train the final model on the validation examples too; only the test set "
        "then says what it is worth",
    )
    ensemble: Annotated[bool, Mark.SEARCH, Mark.ANSWER] = Field(
        default=False,
        description="also keep the recommended cell's model of every seed, as an ensemble: the "
        "mean of their probabilities (or numbers) is scored beside the single model, and is what "
        "predict, evaluate and serve answer; each of them takes false to answer with the single "
        "model",
    )
    workers: Annotated[int, Mark.PLACE] = Field(
        default=1,
        ge=1,
        le=256,
        description="processes on this machine that train trials side by side and share its "
        "cores or GPUs",
    )
    preflight: Annotated[str | None, Mark.PLACE] = Field(
        default=None,
        description="preflight.json that `preflight` wrote for this encoder, for the report to "
        "show; null: none",
        examples=["runs/preflight/preflight.json"],
    )

    @model_validator(mode="after")
    def _check_one_kind_of_rates(self) -> "SearchConfig":
        problems = []
        if self.learning_rates is not None and self.learning_rate_range is not None:
            problems.append(
                "search.learning_rate_range: received beside search.learning_rates; accepted: one "
                "of the two"
            )
        for depth in sorted(
            {*self.learning_rates_by_depth} & {*self.learning_rate_ranges_by_depth}
        ):
            problems.append(
                f"search.learning_rate_ranges_by_depth: received depth {depth}, which is in "
                "search.learning_rates_by_depth too; accepted: one of the two"
            )
        if self.ensemble and len(self.seeds) < 2:
            problems.append(
                f"search.ensemble: received true with search.seeds={self.seeds[0]}; accepted: "
                "false, or two or more seeds, such as search.seeds=0,1,2"
            )
        if self.ensemble and self.train_on_validation:
            problems.append(
                "search.ensemble: received true with search.train_on_validation=true; accepted: "
                "one of the two (the models of the ensemble are those of the trials, which do not "
                "train on the validation examples)"
            )
        if problems:
            raise ValueError("\n".join(problems))
        return self


class RunConfig(Section):
    """Where a run leaves its files."""

    dir: Annotated[str | None, Mark.PLACE] = Field(
        default=None,
        description="folder of the run; null: runs/ and a name made from data and depth",
        examples=["runs/reviews"],
    )
    overwrite: Annotated[bool, Mark.PLACE] = Field(
        default=False, description="replace a run that is already in the folder; false refuses"
    )
    tensorboard: Annotated[bool, Mark.PLACE] = Field(
        default=True, description="write TensorBoard events"
    )


class ExperimentConfig(Section):
    """Everything one job needs; what `config.yaml` of a run directory holds."""

    data: DataConfig = DataConfig()
    encoder: EncoderConfig = EncoderConfig()
    freeze: FreezeConfig = FreezeConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    cache: CacheConfig = CacheConfig()
    search: SearchConfig = SearchConfig()
    run: RunConfig = RunConfig()

    @model_validator(mode="after")
    def _check_multi_worker(self) -> "ExperimentConfig":
        mode, training = self.cache.mode, self.training
        several = training.strategy == "multi_worker"
        if several and training.padding == "packed" and mode in ("memory", "disk"):
            raise ValueError(
                f"cache.mode: received {mode} with training.strategy=multi_worker and "
                "training.padding=packed; accepted: off, or auto, which is off there (a packed "
                "row holds texts whose states several processes keep)"
            )
        return self

    @model_validator(mode="after")
    def _check_folds(self) -> "ExperimentConfig":
        if self.data.folds is None:
            return self
        problems = []
        with_folds = f"with data.folds={self.data.folds}"
        if self.training.strategy == "multi_worker":
            problems.append(
                f"training.strategy: received multi_worker {with_folds}; accepted: auto, cpu, gpu, "
                "mirrored or tpu (folds are for few examples, which one process trains on)"
            )
        if self.search.median_stopping:
            problems.append(
                f"search.median_stopping: received true {with_folds}; accepted: false (a trial "
                "would be given up for the score of a single small fold)"
            )
        if self.search.train_on_validation:
            problems.append(
                f"search.train_on_validation: received true {with_folds}, which make no "
                "validation examples; accepted: false (the final model is trained on all training "
                "examples anyway)"
            )
        if self.search.ensemble:
            problems.append(
                f"search.ensemble: received true {with_folds}; accepted: false (a trial's models "
                "each lack a fold of the examples, and none of them is kept)"
            )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _check_batch_divides(self) -> "ExperimentConfig":
        training = self.training
        if training.batch_size % training.accumulation_steps:
            raise ValueError(
                "training.accumulation_steps: received "
                f"{training.accumulation_steps}, which does not divide training.batch_size "
                f"{training.batch_size}; accepted: a divisor of the batch size"
            )
        return self
