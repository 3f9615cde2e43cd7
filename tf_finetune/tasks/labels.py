"""What is asked of a model: what its labels mean, as numbers, in words, and in scores."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import BaseModel
from typing_extensions import Self  # of typing since Python 3.11

from tf_finetune.encoders.family import Pooling
from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record
from tf_finetune.tasks.answer_changes import AnswerChanges
from tf_finetune.tasks.certainty import Certainty
from tf_finetune.tasks.doubts import Doubts
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.tasks.pseudo_examples import Kind
from tf_finetune.tasks.questions import Asked, ChosenPart, Question, ReadText, RowLogits
from tf_finetune.tasks.scored import Scored
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.wrong_answers import (
    Answer,
    Part,
    RecordsOf,
    WrongAnswer,
    surest_wrong_answers,
)

if TYPE_CHECKING:
    import pyarrow as pa
    import tensorflow as tf

# What a server watches for drift: answers that are names, how sure they are, and numbers.
LABEL, CONFIDENCE, VALUE = "label", "confidence", "value"


@dataclass(frozen=True)
class LabelSpace(AnswerChanges, Certainty, Doubts):
    """A task with its labels: the meaning of the model's outputs.

    Each kind of task is a class in a file of its own, and a line in `tasks.table.TASKS`. Nothing
    outside asks which one it has: what differs between tasks is asked of the task.

    Targets are encoded labels of n examples, shaped as the task likes. Logits are outputs of the
    model, float [n, C] with C = `num_logits`.

    Attributes:
        nouns: What one of `counted_names` is called, and several.
        counted: What is counted of each of them.
        output_noun: What one of `names` is called.
        answer_key: Where the answer to a text stands, as in JSON.
        answer_body: An answer in the server's OpenAPI description.
        mistake_words: What the mistakes that a report shows are called.
        problem_type: Its name in config.json.
        answer_kind: What a text is answered with, in words.
        metrics: Names of its scores, in the order of every report.
        headline: The one score that a summary in a sentence quotes.
        probability_words: What the probabilities are of the logits, in words.
        constant_name: Name of the baseline that gives every text the same answer.
        constant_words: That answer, in words.
        has_smoothed_targets: Whether `training.label_smoothing` means anything.
        pooling: What the head reads, where the task says so; None: what `encoder.pooling` says.
        library_class: Which of the library's classes of a family has this head.
        pipeline: What the hub and the library's pipelines call the task.
        pipeline_use: Further arguments of such a pipeline, and those of a call, in Python.
        card_code: What a model card does with `tokenizer` and `model`, in Python with torch, where
            that is neither logits of texts nor a pipeline that the library has in all versions.
        outputs_in_words: What the outputs are, where they have no `names`.
        reads_words: Which states are read of a row, where it `reads_several`, in Markdown.
        long_texts: What is done with texts that are too long, for those who use the model.
        writing: How else they have to write what they ask, in Markdown; empty if as usual.
        rate_factor: Usual learning rates as a multiple of those of labels of whole texts.
        tells_apart: Whether two texts have the same label or not, so that they can be paired.
        has_exact_head: Whether a head alone can be solved as a convex problem.
        threshold_words: What a `threshold` does, in words before the number.
        unable: What cannot be done with the task, of `table.UNABLE`.
        request_names: What a server's requests call a text, and the second of a pair.
        sample: A text as one might send to a server.
        pair_sample: A pair likewise.
        listed_words: What an answer lists where `lists_best`, for `top_k`.
        answers_parts: Whether an answer is parts of the text: a list of mappings with `start`,
            `end`, `text`, `label` and `probability`.
        explains_parts: Whether what is explained is why a part of a text is the answer, or one of
            several: `chosen_part` and `question`.
    """

    nouns: ClassVar[tuple[str, str]]
    counted: ClassVar[str] = "examples"
    output_noun: ClassVar[str] = "class"
    answer_key: ClassVar[str]
    answer_body: ClassVar[type[BaseModel]]
    mistake_words: ClassVar[str] = "most confident mistakes"
    problem_type: ClassVar[str]
    answer_kind: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    headline: ClassVar[str]
    probability_words: ClassVar[str] = ""
    constant_name: ClassVar[str]
    constant_words: ClassVar[str]
    has_smoothed_targets: ClassVar[bool] = True
    pooling: ClassVar[Pooling | None] = None
    library_class: ClassVar[str] = "ForSequenceClassification"
    pipeline: ClassVar[str] = "text-classification"
    pipeline_use: ClassVar[tuple[str, str]] = ("", '"a text"')
    card_code: ClassVar[str] = ""
    outputs_in_words: ClassVar[str] = "The one output is the predicted number."
    reads_words: ClassVar[str] = ""
    long_texts: ClassVar[str] = "longer ones were cut in training and should be cut in use"
    writing: ClassVar[str] = ""
    request_names: ClassVar[tuple[str, str]] = ("text", "text_pair")
    sample: ClassVar[str] = "a fine film"
    pair_sample: ClassVar[tuple[str, str]] = ("a film", "a movie")
    listed_words: ClassVar[str] = "the likeliest labels with their probabilities"
    answers_parts: ClassVar[bool] = False
    rate_factor: ClassVar[float] = 1.0
    tells_apart: ClassVar[bool] = False
    explains_parts: ClassVar[bool] = False
    has_exact_head: ClassVar[bool] = True
    threshold_words: ClassVar[str] = "labels above"
    unable: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def of_model(cls, names: tuple[str, ...], threshold: float | None) -> Self:
        """The space that a model's config.json describes.

        Args:
            names: Of its outputs.
            threshold: Where it decides; None: it does not say.
        """
        labels = cls(names if cls.fewest_names else ())
        if labels.threshold is None or threshold is None:
            return labels
        return labels.decided_at(threshold)

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the outputs are called in config.json."""
        return self.names or ("score",)

    @classmethod
    @abstractmethod
    def purpose(cls, num_names: int) -> str:
        """What a model with this many `counted_names` says of a text, in words."""

    def scale(self, targets: np.ndarray, *, centred: bool = True) -> OutputScale | None:
        """The scale of training targets; None where the labels are no numbers.

        Args:
            targets: Encoded labels.
            centred: Whether the head has a bias, to which their mean can be added.
        """
        return None

    # Losses. Those of training are without names, so that a step can be built before any data.

    @staticmethod
    @abstractmethod
    def losses(
        targets: "tf.Tensor",
        logits: "tf.Tensor",
        label_smoothing: float = 0.0,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """Loss of each example in training, float32 [b].

        Args:
            targets: Those of b examples.
            logits: [b, C] float32.
            label_smoothing: Share of the target spread evenly over all classes (Szegedy et al.
                2016); of no meaning for numbers.
            deviation: What errors of numbers are divided by, [] float32.
        """

    # The same for a solver, which wants the whole of a convex problem and not a step.

    @staticmethod
    @abstractmethod
    def losses_and_slopes(
        targets: np.ndarray,
        logits: np.ndarray,
        label_smoothing: float = 0.0,
        deviation: float = 1.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The losses of `losses`, and their derivatives by the logits.

        Args:
            targets: Those of n examples.
            logits: float64 [n, C].
            label_smoothing: As for `losses`.
            deviation: As for `losses`.

        Returns:
            Losses, float64 [n], and slopes, float64 [n, C].
        """

    @staticmethod
    @abstractmethod
    def curvatures(logits: np.ndarray) -> np.ndarray:
        """Second derivatives of the losses by each logit, in units of the deviation.

        They do not depend on the targets.

        Args:
            logits: float64 [n, C].

        Returns:
            float64 [n, C].
        """

    @staticmethod
    @abstractmethod
    def imitation_losses(
        answers: "tf.Tensor",
        logits: "tf.Tensor",
        temperature: float,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """How far a student's answers are from a teacher's, float32 [b]; 0 where they are equal.

        Args:
            answers: The teacher's logits, float32 [b, C].
            logits: The student's.
            temperature: What both are divided by; of no meaning for numbers.
            deviation: What differences of numbers are divided by, [] float32.
        """

    @staticmethod
    @abstractmethod
    def target_shape(num_outputs: int) -> tuple[tuple[int, ...], str]:
        """Shape and dtype of one example's target."""

    # Answers and their scores.

    @abstractmethod
    def averaged(self, logits: np.ndarray) -> np.ndarray:
        """Logits whose answer is the mean of several models' answers.

        Args:
            logits: Of each model, float64 [models, n, C].

        Returns:
            float64 [n, C].
        """

    def scored(self, targets: np.ndarray, logits: np.ndarray) -> Scored:
        """What to score of finite outputs; its scores are those of `metrics`.

        `loss` is the plain mean, without class weights or label smoothing.

        Raises:
            ValueError: There are no examples, or not one output for each target.
        """
        if not len(targets) or len(targets) != len(logits):
            raise ValueError(f"{len(targets)} targets and {len(logits)} outputs cannot be scored")
        return self.scored_answers(targets, np.asarray(logits))

    @abstractmethod
    def scored_answers(self, targets: np.ndarray, logits: np.ndarray) -> Scored:
        """As `scored`, of as many targets as outputs."""

    def score(self, targets: np.ndarray, logits: np.ndarray) -> dict[str, float]:
        """The scores in the order of `metrics`; all NaN if an output is not finite."""
        if not np.isfinite(logits).all():
            return dict.fromkeys(self.metrics, float("nan"))
        return self.scored(targets, logits).values()

    def chosen_threshold(self, targets: np.ndarray, logits: np.ndarray) -> float | None:
        """The best threshold for finite outputs; None: that with the best micro F1."""
        return None

    def monitor(self, option: str) -> tuple[str, bool]:
        """Finds the score that early stopping and search compare.

        Args:
            option: `training.monitor`.

        Returns:
            The score's name, and whether a higher value is better.

        Raises:
            UserError: The task has no such score.
        """
        name = self.headline if option == "auto" else option
        if name not in self.metrics:
            accepted = ["auto", *(one for one in self.metrics if METRICS[one].is_monitor)]
            raise UserError(
                f"training.monitor: received {option!r}, which a {self.task} task does not have; "
                f"accepted: {', '.join(accepted)}"
            )
        return name, not METRICS[name].lower_is_better

    @abstractmethod
    def constant_logits(self, train_targets: np.ndarray) -> np.ndarray:
        """The best outputs that ignore the text, float64 [C]."""

    def repeated(self, answer: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """An answer as `constant_logits` gives it, for each of n rows, [n, r * C]."""
        return np.tile(answer, (len(targets), 1))

    @abstractmethod
    def pseudo_examples(
        self, targets: np.ndarray, logits: np.ndarray, kind: Kind, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Copies of random examples whose answers are made right or wrong.

        Args:
            targets: Those of n examples.
            logits: Finite outputs.
            kind: What becomes of the answers.
            seed: Draws the examples, and what is wrong about them: those of several models that
                answer with the same classes are the same examples.

        Returns:
            Targets and outputs of min(n, `pseudo_examples.MOST_EXAMPLES`) examples, shaped as
            the given ones.
        """

    # Answers in words, for predict, the server, and the exported graph.

    def answers(self, logits: np.ndarray, top_k: int | None = None) -> Iterator[dict[str, Any]]:
        """What to say of each text, under `answer_key` and perhaps more.

        Args:
            logits: Finite outputs.
            top_k: Give only the probabilities of this many labels, likeliest first; None gives
                all in the order of the labels.
        """
        return ({self.answer_key: self.words(one)} for one in self.predicted(logits))

    def row_answers(
        self,
        records: Sequence[Record],
        rows: Sequence[TaskRow],
        logits: np.ndarray,
        top_k: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """What to say of each example, where the task makes its rows.

        Args:
            records: The examples.
            rows: From `rows`.
            logits: Finite outputs of the rows, [rows, r * C].
            top_k: As for `answers`.
        """
        raise ValueError(f"a {self.task} task answers each row")

    @property
    def lists_probabilities(self) -> bool:
        """Whether an answer has the probability of every name, under `probabilities`."""
        return bool(self.names)

    @property
    def lists_best(self) -> bool:
        """Whether an answer lists as many of the likeliest as are asked for."""
        return self.lists_probabilities

    def said(self, answer: Mapping[str, Any]) -> Answer:
        """An answer in short, as people read it."""
        found: Answer = answer[self.answer_key]
        return found

    def answer_columns(self) -> tuple[str, ...]:
        """Columns of an answer in CSV, but for those of the probabilities."""
        return (self.answer_key,)

    def answer_rows(self, answer: Mapping[str, Any], separator: str) -> list[tuple[Any, ...]]:
        """The rows of an answer in CSV, at least one; see `answer_fields`."""
        return [self.answer_fields(answer, separator)]

    def answer_fields(self, answer: Mapping[str, Any], separator: str) -> tuple[Any, ...]:
        """What stands in these columns; `separator` joins several names."""
        return (answer[self.answer_key],)

    @staticmethod
    @abstractmethod
    def answer_type() -> "pa.DataType":
        """Type of the answer in Parquet."""

    def further_columns(self) -> tuple[tuple[str, "pa.DataType"], ...]:
        """What else an answer has in Parquet, and of which type."""
        return ()

    def most_listed(self) -> int | None:
        """How many names or parts with probabilities an answer may list; None: any number.

        Raises:
            UserError: It lists none.
        """
        if not self.names:
            raise UserError("this model predicts a number")
        if not self.lists_probabilities:
            raise UserError(
                f"this model answers with {self.answer_kind}, each with its own probability"
            )
        return self.num_logits

    @abstractmethod
    def graph_outputs(self, logits: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        """What an exported graph answers besides `logits`, every output with one row a text."""

    @abstractmethod
    def watched(self, logits: np.ndarray) -> dict[str, list[str | float]]:
        """What a server watches for drift: labels (a text may have none or several), numbers."""

    @property
    def watched_names(self) -> tuple[str, ...]:
        """The names that `watched` gives of labels."""
        return self.names

    # Explanations, where an answer is not to the whole of one text.

    def chosen_part(
        self,
        record: Record,
        outputs: tuple[Sequence[TaskRow], np.ndarray],
        asked: Asked,
    ) -> ChosenPart:
        """The part of a text that is to be explained.

        Args:
            record: The example.
            outputs: Its rows, and their logits.
            asked: Which one; its label is one of `counted_names`.

        Raises:
            UserError: There is no such part, or nothing of the text is read.
        """
        raise ValueError(f"a {self.task} task answers whole texts")

    def question(
        self, record: Record, part: Part, rows: Sequence[TaskRow], logits_of: RowLogits
    ) -> Question | None:
        """By which outputs a part of a text is what it is called; None if nothing of it is read.

        Args:
            record: The example.
            part: The part.
            rows: Those of the example.
            logits_of: Where several rows show the part, what the model says of each.
        """
        raise ValueError(f"a {self.task} task answers whole texts")

    @staticmethod
    def read_texts(record: Record, max_length: int) -> list[ReadText]:
        """The texts of an example, each of which has an output; where there are `several_texts`.

        Args:
            record: The example.
            max_length: Tokens of a row at most.
        """
        raise ValueError("an example is one text or pair")

    # A linear model on states of the encoder, which shows how much of the task they hold.

    @abstractmethod
    def probe(self) -> Any:
        """A model of scikit-learn, not yet fitted."""

    @abstractmethod
    def probe_logits(self, probe: Any, features: np.ndarray) -> np.ndarray:
        """The fitted probe's outputs as a model's, float [n, C]."""

    # What there is in a split, and mistakes, for the report.

    @property
    def counted_names(self) -> tuple[str, ...]:
        """What is counted in the data and scored by itself; empty where nothing is."""
        return self.names

    def class_counts(self, targets: np.ndarray) -> np.ndarray:
        """Of each of `counted_names`, int64; empty where there are none."""
        return np.zeros(0, np.int64)

    def target_range(self, targets: np.ndarray) -> tuple[float, float, float] | None:
        """Least, mean and greatest number; None where there are none."""
        return None

    def target_warnings(self, targets: np.ndarray) -> list[str]:
        """What is strange about the training targets."""
        return []

    def wrongness(self, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Size of the error or probability of a wrong decision, float64 [n, C]; 0 where right.

        Of a task that has no `wrong_answers` of its own.
        """
        raise ValueError(f"a {self.task} task tells what is wrong by parts of texts")

    def mistake_probability(self, wrongness: float) -> float | None:
        """The probability that a wrong answer was given; None where there is none."""
        return wrongness

    @abstractmethod
    def words(self, encoded: np.ndarray) -> Answer:
        """A target or prediction in the user's words."""

    def wrong_answers(
        self, targets: np.ndarray, logits: np.ndarray, records_of: RecordsOf, most: int
    ) -> list[WrongAnswer]:
        """The worst wrong answers to n rows, worst first.

        Args:
            targets: Those of n rows.
            logits: Finite outputs.
            records_of: Gives the examples that some of the rows are of.
            most: How many at most.
        """
        given = self.predicted(logits)
        return surest_wrong_answers(
            self.wrongness(targets, logits),
            lambda row: (self.words(targets[row]), self.words(given[row])),
            self.mistake_probability,
            records_of,
            most,
        )

    def confusion(
        self, targets: np.ndarray, prediction: np.ndarray
    ) -> tuple[tuple[int, ...], ...] | None:
        """Examples by true (outer) and predicted class, [C][C]; None where that has no meaning."""
        return None

    def points(
        self, targets: np.ndarray, prediction: np.ndarray
    ) -> tuple[tuple[float, float], ...] | None:
        """True and predicted numbers, of examples spread evenly; None where there are none."""
        return None
