"""Section `search`: what is tried, and for how long."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tf_finetune.options.freeze import FreezeRule
from tf_finetune.options.marks import Mark
from tf_finetune.options.section import Section
from tf_finetune.options.setting import Setting
from tf_finetune.options.tried import Rate, Rates, RatesByDepth, Tried, check_different
from tf_finetune.options.value_checks import (
    check_distinct,
    check_duration,
    check_layer_ranges,
    check_upwards,
    join_depths,
)
from tf_finetune.options.values import Fraction, said

RateRange = Annotated[
    tuple[Rate, ...], Field(min_length=2, max_length=2), AfterValidator(check_upwards)
]
Duration = Annotated[
    str,
    Field(
        pattern=r"^(\d+h)?(\d+m)?(\d+s)?$",
        json_schema_extra=said("a time in hours, minutes and seconds"),
    ),
    AfterValidator(check_duration),
]


class SearchConfig(Section):
    """Which depths, learning rates and other options `search` tries, and for how long."""

    oracle: Annotated[Literal["race", "grid", "random", "bayesian", "hyperband"], Mark.SEARCH] = (
        Field(
            default="race",
            description="what decides which cell (depth, learning rate, further options) is tried "
            "next: race tries what lowers the chance of a wrong answer most per second, until the "
            "answer is sure; grid tries all; random draws; bayesian models the scores; hyperband "
            "trains many cells for few epochs and the better ones for training.epochs",
        )
    )
    confidence: Annotated[float, Mark.SEARCH] = Field(
        default=0.95,
        gt=0.5,
        lt=1.0,
        description="a race ends when its answer is within search.tolerance of the best with this "
        "probability",
        examples=[0.9],
    )
    first_answer: Annotated[bool, Mark.SEARCH] = Field(
        default=True,
        description="before the first trial, solve a head exactly on what each layer of the "
        "untouched encoder gives of a text, its first token and the mean of all; not where the "
        "solver is steps or rules leave more than a head to train",
    )
    depths: Annotated[
        str,
        Field(
            pattern=r"^(all|\d+(-\d+)?(,\d+(-\d+)?)*)$",
            json_schema_extra=said("all, or depths and ranges of depths, with commas"),
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
    learning_rates_by_depth: Annotated[RatesByDepth, Mark.SEARCH] = Field(
        default={},
        description="learning rates of single depths, which go before the others",
        examples=[{"0": [5e-5, 1e-4]}],
    )
    learning_rate_ranges_by_depth: Annotated[dict[int, RateRange], Mark.SEARCH] = Field(
        default={},
        description="ranges of single depths, which go before the others",
        examples=[{"0": [1e-5, 1e-4]}],
        json_schema_extra=said("a mapping from depths to a lowest and a highest learning rate"),
    )
    seeds: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=2**31)], ...],
        Field(min_length=1),
        AfterValidator(check_distinct),
        Mark.SEARCH,
    ] = Field(
        default=(0, 1),
        description="training seeds; each cell is tried with each, the first of all cells first, "
        "in a race those cells that are still in it; the final model is trained with the first",
    )
    max_trials: Annotated[int | None, Mark.SEARCH] = Field(
        default=None,
        ge=1,
        description="most trials (a cell with a seed); null: as many as the race needs or the grid "
        "has, and for the other oracles 12 cells with every seed",
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
    methods: Annotated[
        tuple[Annotated[Tried, Setting("method")], ...],
        AfterValidator(check_different),
        Mark.SEARCH,
    ] = Field(
        default=(),
        description="methods to try, by name or with options as under `method`, and each, as in "
        "{name: lora, learning_rates: [1e-3, 3e-3]}, with learning_rates and "
        "learning_rates_by_depth of its own, which go before those above; where none are given, "
        "with rates that suit it; empty: section method alone",
        examples=[["full", "biases"]],
        json_schema_extra=said("a list of methods, by name or as mappings like section method"),
    )
    rule_sets: Annotated[dict[str, tuple[FreezeRule, ...]], Mark.SEARCH, Mark.STEP] = Field(
        default={},
        description="named lists of freeze rules to try, each before freeze.rules; such as "
        "{all: [], biases: [{train: false, parts: [attention, feed_forward]}]}; empty: "
        "freeze.rules alone",
        examples=[{"biases": [{"train": False, "parts": ["attention", "feed_forward"]}]}],
    )
    rule: Annotated[Literal["one_standard_error", "best", "non_inferior"], Mark.SEARCH] = Field(
        default="one_standard_error",
        description="which depth is recommended: the cheapest within one standard error of the "
        "best, the best, or the cheapest that is shown to lose less than search.tolerance",
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
    learning_curve: Annotated[bool, Mark.SEARCH] = Field(
        default=False,
        description="also train the best solved head, pairs of texts and the best cell on growing "
        "parts of the training examples, and say which wins with how many labels and what twice "
        "as many would bring",
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
