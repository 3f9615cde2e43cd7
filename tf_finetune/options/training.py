"""Section `training`: how the chosen variables are trained."""

from typing import Annotated, Literal

from pydantic import Field

from tf_finetune.options.marks import Mark
from tf_finetune.options.one_of import OneOf
from tf_finetune.options.section import Section
from tf_finetune.options.values import Fraction


class TrainingConfig(Section):
    """How the chosen variables are trained."""

    learning_rate: Annotated[
        Annotated[float, Field(gt=0.0, le=10.0)] | None, Mark.COURSE, Mark.TRIAL, Mark.STEPWISE
    ] = Field(
        default=None,
        description="peak learning rate; null: one that suits the frozen depth, the method and the "
        "number of steps, which is told before training",
        examples=[3e-4],
    )
    epochs: Annotated[int, Mark.COURSE, Mark.STEPWISE] = Field(
        default=3, ge=1, le=10_000, description="passes over the training examples"
    )
    batch_size: Annotated[int, Mark.COURSE, Mark.STEPWISE] = Field(
        default=32, ge=1, le=65_536, description="examples a step, over all replicas (global batch)"
    )
    seed: Annotated[int, Mark.COURSE, Mark.TRIAL] = Field(
        default=0,
        ge=0,
        lt=2**31,
        description="seed of the new weights, the batch order and dropout",
    )
    solver: Annotated[Literal["auto", "steps", "exact"], Mark.COURSE, Mark.TRIAL] = Field(
        default="auto",
        description="steps: an optimiser goes over the examples; exact: where nothing but the "
        "dense layer of the head trains, its best values are computed for the penalty around "
        "weight_decay that cross-validation inside the training examples chooses, which takes a "
        "second and is the same for every seed; auto: exact where it can be and no option is set "
        "that means something for steps alone",
    )
    optimizer: Annotated[Literal["adamw", "sgd", "adafactor"], Mark.STEP, Mark.STEPWISE] = Field(
        default="adamw", description="optimiser; sgd uses Nesterov momentum 0.9"
    )
    weight_decay: Annotated[float, Mark.STEP] = Field(
        default=0.01,
        ge=0.0,
        le=1.0,
        description="decoupled weight decay, never on biases and layer norms; with solver=exact "
        "the middle of the penalties",
    )
    schedule: Annotated[Literal["linear", "cosine", "constant"], Mark.STEP, Mark.STEPWISE] = Field(
        default="linear", description="learning rate after the warm-up: down to 0, or constant"
    )
    layer_decay: Annotated[float, Mark.STEP, Mark.STEPWISE] = Field(
        default=1.0,
        gt=0.0,
        le=1.0,
        description="each layer's learning rate is that of what is above it times this: the head "
        "and the pooler have all of it, the top layer it times this, and so on down; the "
        "embeddings are one step below the lowest layer. Weight decay goes along; 1: one rate",
        examples=[0.9],
    )
    head_rate_factor: Annotated[float, Mark.STEP, Mark.STEPWISE] = Field(
        default=1.0,
        gt=0.0,
        le=1000.0,
        description="the head's learning rate as a multiple of training.learning_rate",
        examples=[10],
    )
    reinitialise_top: Annotated[int, Mark.STEP, Mark.STEPWISE] = Field(
        default=0,
        ge=0,
        description="how many of the encoder's top layers begin with new values, and the pooler "
        "with them; at most those that are not frozen. With few examples it can steady training",
        examples=[1],
    )
    warmup_fraction: Annotated[Fraction, Mark.COURSE, Mark.STEPWISE] = Field(
        default=0.1, description="share of all steps in which the learning rate rises from 0"
    )
    clip_norm: Annotated[float | None, Mark.STEP, Mark.STEPWISE] = Field(
        default=1.0, gt=0.0, description="longest global gradient norm; null: no clipping"
    )
    accumulation_steps: Annotated[int, Mark.STEP, Mark.STEPWISE] = Field(
        default=1,
        ge=1,
        le=1024,
        description="micro-batches a step is computed in, to save memory; the batch size and "
        "the result stay the same",
    )
    recompute: Annotated[bool, Mark.STEP, Mark.STEPWISE] = Field(
        default=False,
        description="keep of every trained layer what it reads alone, and compute the layer again "
        "in the backward pass: less memory for a third more time; the result stays the same",
    )
    precision: Annotated[
        Literal["float32", "mixed_bfloat16", "mixed_float16", "auto"], Mark.STEP, Mark.ANSWER
    ] = Field(
        default="float32",
        description="compute precision; weights stay float32; auto: mixed_bfloat16 where a few "
        "steps of both, timed before training, are at least 10 % faster in it and their losses "
        "agree, else float32; of a finished run: its own",
    )
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
    average_weights: Annotated[
        Annotated[float, Field(gt=0.0, lt=1.0)] | None, Mark.STEP, Mark.STEPWISE
    ] = Field(
        default=None,
        description="keep a moving average of what trains, in which the weights of a step count "
        "this times as much as those of the next; validation scores, the best epoch and the final "
        "model are of the average, and training goes on with the weights; null: none",
        examples=[0.99],
    )
    adversarial: Annotated[float, Mark.STEP, Mark.STEPWISE] = Field(
        default=0.0,
        ge=0.0,
        le=1000.0,
        description="train also on each text's states at the frozen boundary (at depth 0 its "
        "embeddings), moved by this length to where the loss grows fastest; a step then takes "
        "about twice the work above the boundary; 0: off",
        examples=[1],
    )
    early_stopping_patience: Annotated[int | None, Mark.COURSE, Mark.STEPWISE] = Field(
        default=None,
        ge=1,
        description="stop after this many epochs without a better validation score and "
        "restore the best weights; null: train all epochs and keep the last",
        examples=[2],
    )
    monitor: Annotated[str, OneOf("score", ("auto",)), Mark.COURSE] = Field(
        default="auto",
        description="validation score that early stopping and search compare; auto: the first that "
        "the task has, such as accuracy, micro F1 (multi-label) or Spearman (regression)",
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
    checkpoint_seconds: Annotated[float, Mark.WORK, Mark.STEPWISE] = Field(
        default=60.0,
        ge=0.0,
        le=86_400.0,
        description="most seconds of work that a kill loses: a checkpoint is written when they "
        "have passed, and after every epoch; 0: after every step",
    )
    steps_per_execution: Annotated[int, Mark.WORK, Mark.STEPWISE] = Field(
        default=1,
        ge=1,
        le=1024,
        description="steps that run in one call, without Python between them: worth it where a "
        "step takes a few milliseconds; the result stays the same, but a signal, a checkpoint and "
        "the progress bar wait for the end of the call",
    )
    on_nonfinite: Annotated[Literal["stop", "skip", "halve_lr"], Mark.WORK, Mark.STEPWISE] = Field(
        default="stop",
        description="a step whose loss or gradient is NaN or infinite changes nothing; stop: the "
        "run ends with the state before it saved; skip: the run goes on; halve_lr: it goes on at "
        "half the learning rate. 10 such steps in a row, or an epoch of them, end it anyway",
    )
    on_out_of_memory: Annotated[Literal["stop", "accumulate"], Mark.WORK, Mark.STEPWISE] = Field(
        default="accumulate",
        description="when a training step does not fit the memory: stop, or halve the "
        "micro-batches, as twice the accumulation_steps would, and go on from the last checkpoint; "
        "the batch size and the result stay the same; several processes always stop",
    )
