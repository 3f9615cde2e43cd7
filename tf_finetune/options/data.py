"""Section `data`: the labelled text and how it is read and split."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tf_finetune.options.marks import Mark
from tf_finetune.options.one_of import OneOf
from tf_finetune.options.section import Section
from tf_finetune.options.value_checks import check_encoding, read_tab
from tf_finetune.options.values import Fraction, said

Names = Annotated[tuple[str, ...], Field(min_length=1)]


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
        Literal[
            "auto", "csv", "tsv", "text", "json", "jsonl", "parquet", "arrow", "folder", "conll"
        ],
        Mark.INPUT,
        Mark.TEXTS,
    ] = Field(
        default="auto",
        description="file format; auto goes by the file name's ending; conll: a word and its tag a "
        "line, blank lines between sentences",
    )
    text_column: Annotated[str | None, Mark.INPUT, Mark.TEXTS] = Field(
        default=None,
        description="column (or JSON field) that holds the text, the tokens of a text, or the "
        "question; null infers it",
        examples=["text"],
    )
    text_pair_column: Annotated[str | None, Mark.INPUT, Mark.TEXTS] = Field(
        default=None,
        description="column of the second text of a pair, or of the context of a question; null "
        "for single texts",
        examples=["second_text"],
    )
    label_column: Annotated[str | None, Mark.INPUT, Mark.LABELS] = Field(
        default=None,
        description="column that holds the label, the target, the tags of a text's words, its "
        "marked spans or the answers to a question; null infers it",
        examples=["label"],
    )
    label_columns: Annotated[Names | None, Mark.INPUT, Mark.LABELS] = Field(
        default=None,
        description="columns of zeros and ones (or false and true), one a label, in place of "
        "data.label_column; label_names may give them other names, in the same order",
        examples=[["toxic", "rude"]],
    )
    span_columns: Annotated[Names | None, Mark.INPUT, Mark.TEXTS] = Field(
        default=None,
        description="columns of character offsets: of a relation the two with the places of its "
        "first and second entity, of questions the one with the starts of their answers; null "
        "infers them",
        examples=[["head", "tail"]],
    )
    choice_columns: Annotated[Names | None, Mark.INPUT, Mark.TEXTS] = Field(
        default=None,
        description="columns of the choices of a multiple-choice example, one a choice, or the one "
        "column that holds lists of them; null infers them",
        examples=[["ending0", "ending1", "ending2", "ending3"]],
    )
    task: Annotated[str, OneOf("task", ("auto",)), Mark.INPUT] = Field(
        default="auto",
        description="what the labels are; auto infers it from the training examples. task.name "
        "is another name of this option",
    )
    label_names: Annotated[tuple[str, ...] | None, Mark.INPUT] = Field(
        default=None,
        description="names of the classes in the order of their integer labels, or the full "
        "list of the names that may occur; null takes what the training examples hold",
        examples=[["neg", "pos"]],
    )
    label_separator: Annotated[
        str | None,
        BeforeValidator(read_tab),
        Mark.INPUT,
        Mark.LABELS,
    ] = Field(
        default=None,
        min_length=1,
        description="what separates several labels in one field (multi-label); JSON lists "
        "need none",
        examples=[";"],
    )
    decimal_mark: Annotated[Literal["auto", "point", "comma"], Mark.INPUT, Mark.LABELS] = Field(
        default="auto",
        description="what begins the decimals of labels that are numbers; auto: the comma where "
        "the training labels are numbers only in that way, as 3,5",
    )
    header: Annotated[bool, Mark.INPUT, Mark.TEXTS] = Field(
        default=True,
        description="whether the first row of a CSV or TSV file names its columns; without, "
        "columns are named 1, 2, 3 and so on",
    )
    delimiter: Annotated[str | None, BeforeValidator(read_tab), Mark.INPUT, Mark.TEXTS] = Field(
        default=None,
        min_length=1,
        max_length=1,
        description=r"field separator of CSV or TSV, \t for a tab; null goes by the format",
        examples=[";"],
    )
    quoting: Annotated[
        Literal["auto", "standard", "backslash", "none"],
        Mark.INPUT,
        Mark.TEXTS,
    ] = Field(
        default="auto",
        description='whether "..." quotes a field, and a quote inside it is written "" (standard) '
        r"or \" (backslash); auto: standard in CSV, none in TSV, or what the file shows if that "
        "does not fit",
    )
    encoding: Annotated[str, AfterValidator(check_encoding), Mark.INPUT, Mark.TEXTS] = Field(
        default="utf-8",
        description="text encoding of the files",
        json_schema_extra=said("the name of a text encoding"),
    )
    extra_columns: Annotated[Literal["error", "ignore"], Mark.INPUT, Mark.TEXTS] = Field(
        default="error",
        description="what to do with rows that have more fields than expected; ignore leaves the "
        "last ones out, which cuts a text that holds the delimiter and is not quoted",
    )
    max_length: Annotated[int, Mark.INPUT, Mark.ANSWER] = Field(
        default=128,
        ge=4,
        le=8192,
        description="longest text in tokens; longer ones are truncated. Where it is not set, an "
        "encoder with fewer positions takes that many",
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
