"""A trained model that answers, scores, explains, and is handed over."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from tf_finetune.api.checked import Checked, check_options
from tf_finetune.api.examples import name_of, source_of
from tf_finetune.api.report_page import ReportPage
from tf_finetune.api.scores import Scores
from tf_finetune.api.server import Server
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.runs.opening import OpenedRun, open_model
from tf_finetune.sources.in_memory import InMemory
from tf_finetune.tasks.labels import LabelSpace

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from tf_finetune.api.explained import Explained, ExplainedTexts
    from tf_finetune.runs.ensemble import Ensemble
    from tf_finetune.runs.outputs import Outputs
    from tf_finetune.sources.records import Record

_ARGUMENT = ("texts", "pairs")


class Model:
    """The model of a finished run; a context manager that closes it.

    Args:
        folder: Of a run or a search, which may have been a command.
        held: The run's examples in memory, which are read again when its own test split is scored.

    Raises:
        UserError: There is no finished run, or a file of its model is missing or damaged.

    Example:
        >>> model = tft.load(answer.path)
        >>> model.predict("the fine film")["label"].tolist()
        ['pos']
        >>> model.predict_proba(["the fine film", "the dull plot"]).shape
        (2, 2)
    """

    def __init__(self, folder: "str | Path", held: Sequence[object] = ()):
        self._held = held
        self._opened: OpenedRun | None = open_model(str(folder))

    @property
    def path(self) -> Path:
        """The folder of the run."""
        return self._run.run.path

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels, in the order of `predict_proba`, or the kinds of entities.

        None of a model of numbers.
        """
        return self._run.labels.counted_names

    @property
    def report(self) -> ReportPage:
        """The page of the run."""
        return ReportPage(self._run.run.report)

    def load(self) -> "Model":
        """Loads the weights now rather than with the first answer; returns the model."""
        _ = self._loaded
        return self

    def close(self) -> None:
        """Lets go of the weights; what is asked afterwards is an error."""
        self._opened = None
        self.__dict__.pop("_loaded", None)

    def predict(
        self, texts: Any, *, top_k: int | None = None, at_least: float | None = None
    ) -> "pd.DataFrame":
        """Answers texts.

        Args:
            texts: One text; a list, Series or array of them (of pairs, where the model reads
                pairs); a DataFrame or other table with the column of the training examples; or
                a `pathlib.Path` of a file of them.
            top_k: How many of the likeliest labels; None gives the answer alone.
            at_least: The probability from which on an answer is `sure`; None marks none.

        Returns:
            A row a text, with the index of what was given. `label` and `probability`; `labels`
            and a probability each where several apply; `value` of a model of numbers; of a model
            of tags `entities`, a list of dictionaries with `start`, `end`, `text`, `label` and
            `probability`. With `at_least` also `sure`, True or False.

        Raises:
            UserError: A text is missing or blank, of all of them at once; the model is closed;
                `at_least` is no probability, or the answers have none.
        """
        import pandas as pd

        from tf_finetune.prediction.sureness import Sureness, check_at_least

        self._check_top_k(top_k)
        least = None if at_least is None else str(at_least)
        sureness = Sureness(check_at_least(least, self._labels, "at_least"))
        rows: list[dict[str, Any]] = []
        for outputs in self._outputs(texts):
            found = sureness.answers(outputs, self._labels, top_k)
            rows += [answer_row(one, self._labels.answer_key, top_k) for one in found]
        return pd.DataFrame(rows, index=texts.index if hasattr(texts, "iloc") else None)

    def predict_proba(self, texts: Any) -> "np.ndarray":
        """Probabilities of the labels, float64 [n, labels] in the order of `labels`.

        Args:
            texts: As for `predict`.

        Raises:
            UserError: As for `predict`, or the model predicts a number, or parts of texts.
        """
        import numpy as np

        if not self._labels.lists_probabilities:
            said = self._labels.answer_kind if self.labels else "a number"
            raise UserError(f"predict_proba: this model predicts {said}; accepted: predict")
        parts = [self._labels.probabilities(logits) for logits in self._logits(texts)]
        return np.concatenate(parts)

    def evaluate(self, examples: Any = None, *, progress: bool = False) -> Scores:
        """Scores the model, and keeps the scores in its folder.

        Args:
            examples: Labelled, in any form that `search` takes; None: the run's own test split.
            progress: Whether reading them is told.

        Raises:
            UserError: The examples are wrong, or have labels that the model does not know.
        """
        from tf_finetune.api.calling import called
        from tf_finetune.jobs.evaluate import evaluate

        source = None if examples is None else source_of(examples, "examples")
        file = None if source is None else name_of(source)
        with called(progress) as console:
            found = evaluate(self._run, file, console, load=lambda: self._loaded)
        return Scores(found.report)

    def rank(
        self,
        texts: Any,
        count: int = 100,
        *,
        by: str | None = None,
        balanced: bool = False,
        labelled: Any = None,
        own: bool = True,
    ) -> "pd.DataFrame":
        """Which unlabelled texts to label next, as `tf-finetune rank` says it.

        The run's own examples and exact copies are left out.

        Args:
            texts: As for `predict`.
            count: How many.
            by: margin or entropy, the least sure texts; coverage, such that are unlike each other;
                None: margin, of a model of numbers coverage.
            balanced: Whether to take as many of each class that is predicted.
            labelled: Texts that are labelled by now, as for `predict`; they are left out, too.
            own: Whether the run's own examples are read and left out; False where they are gone.

        Returns:
            A row a text, the first to label first, with the index of what was given: its `row`,
            its texts by their columns, `score`, `predicted`, `reason`.

        Raises:
            UserError: As for `predict`; there are fewer texts; the model cannot be asked that.
        """
        from tf_finetune.api.ranked import ranked_table

        given = None if labelled is None else self._records(labelled)
        found = ranked_table(
            self._run,
            lambda: self._loaded,
            self._records(texts),
            given or (),
            count=count,
            by=by,
            balanced=balanced,
            own=own,
        )
        return found.set_index(texts.index[found.row - 1]) if hasattr(texts, "iloc") else found

    def check(
        self,
        examples: Any = None,
        *,
        checks: "str | Path | None" = None,
        by: str | Sequence[str] = (),
        shift: bool = False,
        most_flipped: float | None = None,
        tolerance: float | None = None,
        limit: int = 2_000,
        seed: int = 0,
        progress: bool = False,
    ) -> Checked:
        """Checks the model with changed texts, known answers and parts of the data.

        What is found is also written into the model's folder, as a page and as JSON.

        Args:
            examples: Labelled, in any form that `search` takes; None: the run's own test split.
            checks: A YAML file with further checks and lists of words: docs/trust.md.
            by: Columns of the examples by whose values scores are told apart.
            shift: Whether it is told how well the examples are told from those of training.
            most_flipped: The largest share of a check's texts that may fail.
            tolerance: Of a model of numbers: by how much an answer may change.
            limit: How many texts are drawn; 0: all.
            seed: Of the draw and of the changes.
            progress: Whether it tells what it does.

        Raises:
            UserError: Examples or checks are wrong, or the task's answers are not of whole texts.
        """
        from tf_finetune.api.calling import called
        from tf_finetune.jobs.check import check_model

        columns = (by,) if isinstance(by, str) else tuple(by)
        path = None if checks is None else str(checks)
        options = check_options(path, columns, most_flipped, tolerance, limit, seed, shift=shift)
        source = None if examples is None else source_of(examples, "examples")
        file = None if source is None else name_of(source)
        with called(progress) as console:
            found = check_model(self._run, file, options, console, load=lambda: self._loaded)
        return Checked(
            found.report, ReportPage(found.written.with_name(f"{found.written.name}.html"))
        )

    @overload
    def explain(
        self,
        texts: str,
        *,
        label: str | None = None,
        entity: int | None = None,
        answer: str | None = None,
    ) -> "Explained": ...
    @overload
    def explain(
        self,
        texts: Any,
        *,
        label: str | None = None,
        entity: int | None = None,
        answer: str | None = None,
    ) -> "ExplainedTexts": ...
    def explain(
        self,
        texts: Any,
        *,
        label: str | None = None,
        entity: int | None = None,
        answer: str | None = None,
    ) -> "Explained | ExplainedTexts":
        """Which words decided the answer, by integrated gradients.

        Args:
            texts: As for `predict`; each takes about as long as a step of training.
            label: The label to explain, or the kind of entity; None: the answer of each text.
            entity: Of a model of entities: which of each text (of the kind), from 1; None: the
                likeliest.
            answer: Of a model that answers questions: a text of the contexts, "" for no answer;
                None: the model's.

        Returns:
            Of one text what shows itself in colours, of several one after the other.

        Raises:
            UserError: As for `predict`, or there is no such label or entity.
        """
        from tf_finetune.api.explained import Explained, ExplainedTexts
        from tf_finetune.evaluation.explanation.precision import Precision
        from tf_finetune.evaluation.explanation.requests import asked_of
        from tf_finetune.jobs.explain import explain

        _check_entity(entity)
        names = ("label", "entity", "answer")
        asked = asked_of(self._labels, label=label, entity=entity, answer=answer, flags=names)
        (member, *_) = self._loaded.members
        records = list(self._records(texts))
        found = ExplainedTexts(map(Explained, explain(member, records, asked, Precision())))
        return found[0] if isinstance(texts, str) else found

    @overload
    def export(
        self, folder: "str | Path", *, form: str = "huggingface", **options: Any
    ) -> Path: ...
    @overload
    def export(
        self, folder: "str | Path", *, form: Sequence[str], **options: Any
    ) -> dict[str, Path]: ...
    def export(
        self, folder: "str | Path", *, form: str | Sequence[str] = "huggingface", **options: Any
    ) -> Path | dict[str, Path]:
        """Hands the model over.

        Args:
            folder: Where the folder of each form goes.
            form: `huggingface`, `peft`, `savedmodel`, `litert`, or several.
            **options: `precisions` of LiteRT, `max_loss`, `examples` to measure on, `replace=True`,
                and what makes the model smaller: docs/export.md.

        Returns:
            The folder of the form; of several, the folder of each.

        Raises:
            UserError: The model cannot be had in that form, or the folder is not free.
        """
        from tf_finetune.api.handing_over import export_model

        written = export_model(self.path, Path(folder), form, options)
        return written[form] if isinstance(form, str) else written

    def serve(self, port: int = 8000, *, host: str = "127.0.0.1", block: bool = True) -> Server:
        """Answers requests over HTTP, as `tf-finetune serve` does, in a process of its own.

        Args:
            port: 0 takes a free one.
            host: Where to listen; another than this machine needs the command and its token.
            block: Whether to wait until it is interrupted; False returns at once.

        Returns:
            The server, which has stopped if this has waited.

        Raises:
            UserError: The server's packages are not installed, or the address is taken.
        """
        server = Server(self.path, host, port)
        if block:
            print(f"serving {self.path} on {server.url} (API page: {server.url}/docs)", flush=True)
            server.wait()
        return server

    @property
    def _run(self) -> OpenedRun:
        if self._opened is None:
            raise UserError("this model was closed; accepted: one that tft.load opens again")
        return self._opened

    @property
    def _labels(self) -> LabelSpace:
        return self._run.labels

    @property
    def _batch_size(self) -> int:
        return self._run.config.evaluation.batch_size

    @cached_property
    def _loaded(self) -> "Ensemble":
        return self._run.load()

    def _logits(self, texts: Any) -> "Iterator[np.ndarray]":
        """As `_outputs`, the numbers alone."""
        return (outputs.logits for outputs in self._outputs(texts))

    def _outputs(self, texts: Any) -> "Iterator[Outputs]":
        """Of some texts at a time, by the traced model, so that they depend on the texts alone."""
        from tf_finetune.data.chunks import in_chunks
        from tf_finetune.prediction.streaming import CHUNK_TEXTS

        records = self._records(texts)
        for chunk in in_chunks(records, CHUNK_TEXTS):
            yield self._loaded.outputs_of(chunk, self._batch_size, traced=True)

    def _records(self, texts: Any) -> "Iterator[Record]":
        from tf_finetune.sources.reading import check_texts

        data = self._run.config.data
        if isinstance(texts, str):
            texts = [texts]
        if isinstance(texts, Path) or _is_table(texts):
            return _read(data, source_of(texts, _ARGUMENT[0]))
        try:
            given = list(texts)
        except TypeError:
            raise UserError(
                f"texts: received {type(texts).__name__}; accepted: a text, a list of texts, a "
                "DataFrame, or a pathlib.Path of a file"
            ) from None
        if not given:
            raise UserError("texts: received none; accepted: at least one")
        if data.text_pair_column is None:
            return iter(check_texts(given, [], _ARGUMENT, task=data.task))
        wrong = [n for n, pair in enumerate(given, 1) if isinstance(pair, str) or len(pair) != 2]
        if wrong:
            raise UserError(
                f"texts: number {wrong[0]} is no pair; accepted: (text, second text), as this "
                "model reads pairs"
            )
        firsts, seconds = zip(*given, strict=True)
        return iter(check_texts(firsts, seconds, _ARGUMENT, task=data.task))

    def _check_top_k(self, top_k: int | None) -> None:
        from tf_finetune.prediction.answers import check_top_k

        try:
            check_top_k(None if top_k is None else str(top_k), self._labels)
        except UserError as error:
            raise UserError([p.replace("--top-k", "top_k") for p in error.problems]) from None

    def __enter__(self) -> "Model":
        """The model."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self.close()

    def __repr__(self) -> str:
        """Folder and labels in a line."""
        if self._opened is None:
            return "Model(closed)"
        named = ", ".join(self.labels[:5]) + (", ..." if len(self.labels) > 5 else "")
        return f"Model({str(self.path)!r}: {named or 'a number'})"


def _check_entity(entity: int | None) -> None:
    """Refuses what the command's --entity could not be.

    Raises:
        UserError: It is no number from 1.
    """
    if entity is None:
        return
    if isinstance(entity, bool) or not isinstance(entity, int) or entity < 1:
        raise UserError(f"entity: received {entity!r}; accepted: a whole number from 1")


def _read(data: DataConfig, source: str | InMemory) -> "Iterator[Record]":
    """Streams the texts of a source, which it holds until the last one is read."""
    from tf_finetune.sources.reading import read_texts

    yield from read_texts(data, name_of(source))


def _is_table(texts: Any) -> bool:
    return (
        isinstance(texts, Mapping)
        or hasattr(texts, "columns")
        or hasattr(texts, "column_names")
        or hasattr(texts, "as_numpy_iterator")
        or (isinstance(texts, Sequence) and bool(texts) and isinstance(texts[0], Mapping))
    )


def answer_row(answer: Mapping[str, Any], kind: str, top_k: int | None) -> dict[str, Any]:
    """An answer of `prediction.answers`, under this name, as a row of `Model.predict`."""
    from tf_finetune.prediction.sureness import SURE

    found, row = answer[kind], {kind: answer[kind]}
    sure = {SURE: answer[SURE]} if SURE in answer else {}
    probabilities = answer.get("probabilities", {})
    if kind == "labels" and top_k is None:
        return row | sure | dict(probabilities)
    if kind == "label":
        row["probability"] = probabilities[found]
    row |= sure
    if top_k is not None:
        for place, (name, probability) in enumerate(probabilities.items(), start=1):
            if (kind, place) != ("label", 1):  # the likeliest is the answer
                row |= {f"label_{place}": name, f"probability_{place}": probability}
    return row
