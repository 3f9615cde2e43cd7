"""A tag for each word of a text, and the entities that the tags mark."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import BaseModel
from scipy import special

from tf_finetune.encoders.family import Pooling
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.doubts import Measure, doubts_of_one, words_of_one
from tf_finetune.tasks.encoding import Written
from tf_finetune.tasks.labels import CONFIDENCE, LABEL, LabelSpace
from tf_finetune.tasks.named_classes import log_mean, logistic_regression
from tf_finetune.tasks.pseudo_examples import MOST_EXAMPLES, Kind
from tf_finetune.tasks.questions import Asked, ChosenPart, Question, RowLogits
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.scored import Scored
from tf_finetune.tasks.tags.entities import find_entities
from tf_finetune.tasks.tags.explained_entities import chosen_entity, entity_question
from tf_finetune.tasks.tags.tag_rows import tag_rows
from tf_finetune.tasks.tags.tag_scores import TAG_METRICS, TagScored
from tf_finetune.tasks.tags.tag_set import OUTSIDE, TagSet
from tf_finetune.tasks.tags.word_layout import NO_WORD, WordTargets, joined, targets_of_rows
from tf_finetune.tasks.tags.wrong_entities import wrong_entities
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.wrong_answers import Part, RecordsOf, WrongAnswer

if TYPE_CHECKING:
    import tensorflow as tf


class FoundEntity(BaseModel):
    """A part of a text that names something."""

    start: int
    end: int
    text: str
    label: str
    probability: float


class FoundEntities(BaseModel):
    """What a text names."""

    entities: list[FoundEntity]


@dataclass(frozen=True)
class Tags(LabelSpace):
    """A tag for each word, of which entities are made.

    Names are the tags of IOB2, `O` first. Targets of n rows with up to w words are int32
    [n, w + 1], see `WordTargets`; logits of a row stand word after word, float [n, w * C].
    """

    task: ClassVar[str] = "token_classification"
    read_as: ClassVar[Written] = "token_classification"
    nouns: ClassVar[tuple[str, str]] = ("kind", "kinds")
    counted: ClassVar[str] = "entities"
    output_noun: ClassVar[str] = "tag"
    answer_key: ClassVar[str] = "entities"
    answer_body: ClassVar[type[BaseModel]] = FoundEntities
    # The library knows no other for a model that tells classes apart; the folder names the task.
    problem_type: ClassVar[str] = "single_label_classification"
    answer_kind: ClassVar[str] = "the entities that a text names"
    metrics: ClassVar[tuple[str, ...]] = TAG_METRICS
    headline: ClassVar[str] = "strict_f1"
    probability_words: ClassVar[str] = "softmax of each word's logits"
    constant_name: ClassVar[str] = "commonest_tag"
    constant_words: ClassVar[str] = "the commonest tag for every word"
    fewest_names: ClassVar[int] = 2
    measures: ClassVar[tuple[Measure, ...]] = ("margin", "entropy")
    makes_rows: ClassVar[bool] = True
    answers_each_read: ClassVar[bool] = True
    pooling: ClassVar[Pooling | None] = "words"
    # Between what serves all layers and a third of them (docs/findings.md).
    rate_factor: ClassVar[float] = 4.0
    library_class: ClassVar[str] = "ForTokenClassification"
    pipeline: ClassVar[str] = "token-classification"
    pipeline_use: ClassVar[tuple[str, str]] = (', aggregation_strategy="first"', '"a text"')
    reads_words: ClassVar[str] = "where each word's first token stands, -1 behind the last word"
    long_texts: ClassVar[str] = (
        "longer ones were read in overlapping windows, each word answered by one of them"
    )
    writing: ClassVar[str] = (
        "The first piece of each word carries its tag; what the others say was not trained. Words "
        "that were split before are joined by a space."
    )
    sample: ClassVar[str] = "from Boston to New York"
    answers_parts: ClassVar[bool] = True
    explains_parts: ClassVar[bool] = True
    unable: ClassVar[frozenset[str]] = frozenset(("check", "suspects"))

    rows = staticmethod(tag_rows)
    losses = staticmethod(Classes.losses)
    losses_and_slopes = staticmethod(Classes.losses_and_slopes)
    curvatures = staticmethod(Classes.curvatures)
    imitation_losses = staticmethod(Classes.imitation_losses)

    @cached_property
    def tag_set(self) -> TagSet:
        """What the names mean."""
        return TagSet(self.names)

    @classmethod
    def arranged(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """Both tags of every kind, `O` first; kinds may be named in place of their tags."""
        kinds = dict.fromkeys(
            name[2:] if name[:2] in ("B-", "I-") else name for name in names if name != OUTSIDE
        )
        return TagSet.of_kinds(kinds).names

    @classmethod
    def purpose(cls, num_names: int) -> str:
        """See `LabelSpace.purpose`."""
        return f"which words of a text are entities, of {num_names} kinds"

    # Labels.

    def encode_collecting(self, raw: RawLabels, problems: Problems) -> np.ndarray:
        """See `LabelSpace.encode_collecting`."""
        distinct, which, _ = raw.distinct
        values = self.values_of(distinct)
        if None in values:
            self._add_unknown(raw, values, problems)
        numbers = np.array([value or 0 for value in values], np.int32)[which]
        examples = np.arange(len(raw.rows)) if raw.examples is None else raw.examples
        goes_on = np.append(False, examples[1:] == examples[:-1])
        return targets_of_rows(numbers, raw.lengths, goes_on[: len(raw.rows)])

    def values_of(self, labels: list[str]) -> list[float | None]:
        """See `LabelSpace.values_of`."""
        places = {name: index for index, name in enumerate(self.names)}
        return [places.get(label) for label in labels]

    def of_numbers(self, numbers: np.ndarray, texts: np.ndarray, num_texts: int) -> np.ndarray:
        """See `LabelSpace.of_numbers`; each text a row."""
        counts = np.bincount(texts, minlength=num_texts)
        return targets_of_rows(numbers, counts, np.zeros(num_texts, bool))

    def check_lists(self, raw: RawLabels, problems: Problems) -> None:
        """See `LabelSpace.check_lists`; tags are lists."""

    def accepted(self) -> str:
        """See `LabelSpace.accepted`."""
        kinds = ", ".join(map(show, self.tag_set.kinds))
        return f"O, or B- or I- with a kind of the training examples: {kinds}"

    def same_in_all(self, targets: np.ndarray) -> tuple[str, str] | None:
        """See `LabelSpace.same_in_all`."""
        words = WordTargets.of(targets).words
        if len(words) and np.any(words != words[0]):
            return None
        return "same tag for every word", "words of at least one entity"

    def strata(self, targets: np.ndarray, most: int) -> np.ndarray:
        """The rarest kind that a row has; see `LabelSpace.strata`."""
        tags = WordTargets.of(targets).tags
        kinds = np.where(tags == NO_WORD, -1, self.tag_set.kind_of[tags])
        has = np.stack([(kinds == one).any(axis=1) for one in range(len(self.tag_set.kinds))], 1)
        by_rarity = np.argsort(has.sum(axis=0), kind="stable")
        ranked = has[:, by_rarity]
        strata = np.where(ranked.any(axis=1), ranked.argmax(axis=1), len(by_rarity))
        return np.minimum(strata, most - 1)

    @staticmethod
    def answer_targets(targets: np.ndarray, reads: int) -> np.ndarray:
        """The tags of the words; 0 where none is. See `LabelSpace.answer_targets`."""
        return np.maximum(targets[:, :-1][:, :reads], 0)

    @staticmethod
    def answer_weights(weights: np.ndarray, is_read: np.ndarray) -> np.ndarray:
        """Every word weighs what its row does; see `LabelSpace.answer_weights`."""
        return np.where(is_read, weights[:, None], 0).astype(np.float32)

    @staticmethod
    def joined_targets(*targets: np.ndarray) -> np.ndarray:
        """See `LabelSpace.joined_targets`."""
        return joined(targets)

    @staticmethod
    def most_reads(length: int) -> int:
        """As if every token began a word; see `LabelSpace.most_reads`."""
        return length

    @staticmethod
    def examples_of(targets: np.ndarray) -> np.ndarray:
        """See `LabelSpace.examples_of`."""
        return np.cumsum(~WordTargets.of(targets).goes_on) - 1

    @staticmethod
    def target_shape(num_outputs: int) -> tuple[tuple[int, ...], str]:
        """That of a word; see `LabelSpace.target_shape`."""
        return (), "int32"

    # Answers and their scores.

    def by_word(self, logits: np.ndarray) -> np.ndarray:
        """Logits [n, w * C] as [n, w, C]."""
        return np.asarray(logits).reshape(len(logits), -1, self.num_outputs)

    def predicted(self, logits: np.ndarray) -> np.ndarray:
        """The likeliest tags, int32 [n, w + 1] like targets, each row an example by itself."""
        by_word = self.by_word(logits)
        # Where nothing was read all logits are 0.
        tags = np.where(by_word.any(axis=-1), by_word.argmax(axis=-1), NO_WORD)
        return np.pad(tags, ((0, 0), (0, 1))).astype(np.int32)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """See `LabelSpace.probabilities`; [n, w * C], of each word they sum to 1."""
        by_word = special.softmax(self.by_word(logits).astype(np.float64), axis=-1)
        return by_word.reshape(len(logits), -1)

    def averaged(self, logits: np.ndarray) -> np.ndarray:
        """Logarithms of the mean probabilities; see `LabelSpace.averaged`."""
        by_word = logits.reshape(*logits.shape[:2], -1, self.num_outputs)
        return log_mean(special.log_softmax(by_word, axis=-1)).reshape(logits.shape[1:])

    def _answered(self, targets: np.ndarray, logits: np.ndarray) -> tuple[WordTargets, np.ndarray]:
        """The words of rows, and their logits one after the other, float64 [m, C]."""
        by_word = self.by_word(logits)
        words = WordTargets.of(targets)
        is_word = words.is_word[:, : by_word.shape[1]]
        return words, by_word[:, : is_word.shape[1]][is_word].astype(np.float64)

    def scored_answers(self, targets: np.ndarray, logits: np.ndarray) -> Scored:
        """See `LabelSpace.scored_answers`."""
        words, of_words = self._answered(targets, logits)
        logarithms = special.log_softmax(of_words, axis=-1)
        losses = -logarithms[np.arange(len(of_words)), words.words]
        return TagScored(words.words, of_words.argmax(axis=-1), words.offsets, self.tag_set, losses)

    def constant_logits(self, train_targets: np.ndarray) -> np.ndarray:
        """Logarithms of the frequencies; see `LabelSpace.constant_logits`."""
        words = WordTargets.of(train_targets).words
        return np.log(np.bincount(words, minlength=self.num_outputs) + 1.0)

    def repeated(self, answer: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """See `LabelSpace.repeated`; for every word."""
        return np.tile(answer, (len(targets), targets.shape[1] - 1))

    def pseudo_examples(
        self, targets: np.ndarray, logits: np.ndarray, kind: Kind, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows, each as an example by itself, with all entities found or all missed.

        A row without an entity is answered with none, or with one of the kind that another has.
        See `LabelSpace.pseudo_examples`.
        """
        rng = np.random.default_rng(seed)
        rows = rng.choice(len(targets), min(len(targets), MOST_EXAMPLES), replace=False)
        goal = targets[rows].copy()
        goal[:, -1] = 0
        by_word = self.by_word(logits)[rows].astype(np.float64)
        tags = np.maximum(goal[:, : by_word.shape[1]], 0)
        if kind == "wrong":
            seen = np.unique(targets[:, :-1][targets[:, :-1] > 0])
            invented = np.zeros_like(tags)
            if len(seen):
                begins = seen[self.tag_set.begins[seen]] if len(seen) else seen
                invented[:, 0] = rng.choice(begins if len(begins) else seen, len(rows))
            without = (tags == 0).all(axis=1, keepdims=True)
            tags = np.where(without, invented, 0)
        size = np.maximum(np.abs(by_word).max(axis=-1, keepdims=True), 1.0)
        answers = np.where(np.arange(self.num_outputs) == tags[..., None], size, -size)
        return goal, answers.reshape(len(rows), *logits.shape[1:])

    # Answers in words.

    def row_answers(
        self,
        records: Sequence[Record],
        rows: Sequence[TaskRow],
        logits: np.ndarray,
        top_k: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """See `LabelSpace.row_answers`: the entities of each text."""
        by_text = self._words_of_texts(len(records), rows, logits)
        for record, of_words in zip(records, by_text, strict=True):
            yield {self.answer_key: self._entities(record, of_words)}

    def _words_of_texts(
        self, texts: int, rows: Sequence[TaskRow], logits: np.ndarray
    ) -> Iterator[np.ndarray]:
        """The logits of the words of one text after the other, [words, C]."""
        by_word = self.by_word(logits)
        at = 0
        for number in range(texts):
            found = [np.zeros((0, self.num_outputs))]
            while at < len(rows) and rows[at].example == number:
                first, after = rows[at].words
                found.append(by_word[at, : after - first])
                at += 1
            yield np.concatenate(found)

    def doubts(
        self,
        measure: Measure,
        records: Sequence[Record],
        rows: Sequence[TaskRow],
        logits: np.ndarray,
    ) -> np.ndarray:
        """The mean entropy of the words, or the doubt of the least sure one."""
        found = np.zeros(len(records))
        for text, of_words in enumerate(self._words_of_texts(len(records), rows, logits)):
            if len(of_words):
                each = doubts_of_one(measure, _chances(of_words))
                found[text] = each.mean() if measure == "entropy" else each.max()
        return found

    def doubt_in_words(
        self, measure: Measure, record: Record, rows: Sequence[TaskRow], logits: np.ndarray
    ) -> str:
        """The least sure word, and between which tags; see `Doubts.doubt_in_words`."""
        (of_words,) = self._words_of_texts(1, rows, logits)
        if not len(of_words):
            return "no word of it was read"
        chances = _chances(of_words)
        each = doubts_of_one(measure, chances)
        start, end = record.spans[word := int(each.argmax())]
        why = words_of_one(measure, chances[word], self.names)
        mean = f"; mean entropy of the words {each.mean():.3f}" if measure == "entropy" else ""
        return f'least sure of the word "{record.text[start:end]}": {why}{mean}'

    def _entities(self, record: Record, logits: np.ndarray) -> list[dict[str, Any]]:
        """The entities of a text; each has the mean probability of its words' tags."""
        tags = logits.argmax(axis=-1)
        offsets = np.array([0, len(tags)])
        found = find_entities(tags, offsets, self.tag_set, "lenient").of_document(0)
        chances = special.softmax(logits.astype(np.float64), axis=-1).max(axis=-1)
        return [
            {
                "start": (start := record.spans[entity.start][0]),
                "end": (end := record.spans[entity.end - 1][1]),
                "text": record.text[start:end],
                "label": self.tag_set.kinds[entity.kind],
                "probability": round(float(chances[entity.start : entity.end].mean()), 6),
            }
            for entity in found
        ]

    @property
    def lists_probabilities(self) -> bool:
        """Each entity has its own; see `LabelSpace.lists_probabilities`."""
        return False

    def answer_columns(self) -> tuple[str, ...]:
        """See `LabelSpace.answer_columns`; those of one entity."""
        return ("start", "end", "entity", "label", "probability")

    def answer_rows(self, answer: Mapping[str, Any], separator: str) -> list[tuple[Any, ...]]:
        """A row an entity, one without of a text that has none; see `LabelSpace.answer_rows`."""
        names = ("start", "end", "text", "label", "probability")
        found = [tuple(entity[name] for name in names) for entity in answer[self.answer_key]]
        return found or [("",) * len(names)]

    def chosen_part(
        self,
        record: Record,
        outputs: tuple[Sequence[TaskRow], np.ndarray],
        asked: Asked,
    ) -> ChosenPart:
        """See `LabelSpace.chosen_part`; an entity."""
        rows, logits = outputs
        by_word = self.by_word(logits)
        of_words = np.concatenate(
            [own[: row.words[1] - row.words[0]] for row, own in zip(rows, by_word, strict=True)]
        )
        found = self._entities(record, of_words)
        return chosen_entity(record, of_words, found, self.tag_set, asked.label, asked.number)

    def question(
        self, record: Record, part: Part, rows: Sequence[TaskRow], logits_of: RowLogits
    ) -> Question | None:
        """See `LabelSpace.question`; a word is answered by one row."""
        return entity_question(record, part, rows, self.tag_set)

    def said(self, answer: Mapping[str, Any]) -> list[str]:
        """The entities in words; see `LabelSpace.said`."""
        found = answer[self.answer_key]
        return [Part(p["start"], p["end"], p["label"], p["text"]).words for p in found]

    @staticmethod
    def answer_type() -> pa.DataType:
        """See `LabelSpace.answer_type`."""
        return pa.list_(
            pa.struct(
                [
                    ("start", pa.int64()),
                    ("end", pa.int64()),
                    ("text", pa.string()),
                    ("label", pa.string()),
                    ("probability", pa.float64()),
                ]
            )
        )

    def graph_outputs(self, logits: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        """See `LabelSpace.graph_outputs`; of each word its tag and the probabilities.

        Args:
            logits: [..., C]; all 0 where there is no word, whose tag is "".
        """
        import tensorflow as tf

        likeliest = tf.gather(tf.constant(self.names), tf.argmax(logits, axis=-1))
        is_word = tf.reduce_any(logits != 0, axis=-1)
        tag = tf.where(is_word, likeliest, "")
        return {"probabilities": tf.nn.softmax(logits), "tag": tag}

    def watched(self, logits: np.ndarray) -> dict[str, list[str | float]]:
        """The kinds of entities that rows are given; see `LabelSpace.watched`."""
        by_word = self.by_word(logits)
        is_word, tags = by_word.any(axis=-1), by_word.argmax(axis=-1)
        offsets = tags.shape[1] * np.arange(len(tags) + 1)
        found = find_entities(tags.ravel(), offsets, self.tag_set, "lenient")
        chances = self.by_word(self.probabilities(logits)).max(axis=-1)
        kinds: list[str | float] = [self.tag_set.kinds[kind] for kind in found.kind.tolist()]
        return {LABEL: kinds, CONFIDENCE: chances[is_word].tolist()}

    @property
    def watched_names(self) -> tuple[str, ...]:
        """See `LabelSpace.watched_names`."""
        return self.counted_names

    def probe(self) -> Any:
        """See `LabelSpace.probe`."""
        return logistic_regression()

    def probe_logits(self, probe: Any, features: np.ndarray) -> np.ndarray:
        """See `LabelSpace.probe_logits`."""
        return Classes(self.names).probe_logits(probe, features)

    # The data, and mistakes.

    @property
    def counted_names(self) -> tuple[str, ...]:
        """The kinds of entities; see `LabelSpace.counted_names`."""
        return self.tag_set.kinds

    def class_counts(self, targets: np.ndarray) -> np.ndarray:
        """Entities of each kind; see `LabelSpace.class_counts`."""
        words = WordTargets.of(targets)
        found = find_entities(words.words, words.offsets, self.tag_set)
        return np.bincount(found.kind, minlength=len(self.counted_names))

    def wrong_answers(
        self, targets: np.ndarray, logits: np.ndarray, records_of: RecordsOf, most: int
    ) -> list[WrongAnswer]:
        """Texts with wrong entities; see `LabelSpace.wrong_answers`."""
        words, of_words = self._answered(targets, logits)
        chances = special.softmax(of_words, axis=-1).max(axis=-1)
        given = of_words.argmax(axis=-1)
        return wrong_entities(words, given, chances, self.tag_set, records_of, most)

    def words(self, encoded: np.ndarray) -> list[str]:
        """The tags of a row's words; see `LabelSpace.words`."""
        return [self.names[int(tag)] for tag in encoded[:-1] if tag != NO_WORD]


def _chances(of_words: np.ndarray) -> np.ndarray:
    """Probabilities of the tags of words, from their logits, float64 [words, C]."""
    found: np.ndarray = special.softmax(of_words.astype(np.float64), axis=-1)
    return found
