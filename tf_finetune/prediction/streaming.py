"""Texts of any number in, answers in their order out, a chunk in memory at a time."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from tf_finetune.config.sections import DataConfig
from tf_finetune.data import Record, read_texts
from tf_finetune.data.chunks import in_chunks
from tf_finetune.errors import UserError
from tf_finetune.files import json_line
from tf_finetune.prediction.answers import answers
from tf_finetune.prediction.resumable import Output

if TYPE_CHECKING:
    from tf_finetune.training.trained_model import TrainedModel

CHUNK_TEXTS = 2048  # tokenised and sorted by length together; what an interruption loses


def count_texts(config: DataConfig, source: str) -> int:
    """Reads every row once, so that what is wrong is told before any work is done.

    Returns:
        Number of texts.

    Raises:
        UserError: The source cannot be read, or rows are bad; all of them are listed.
    """
    return sum(1 for _ in read_texts(config, source))


def predict_texts(
    load: Callable[[], "TrainedModel"],
    config: DataConfig,
    source: str | TextIO,
    output: Output,
    *,
    batch_size: int,
    top_k: int | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
    chunk_texts: int = CHUNK_TEXTS,
) -> None:
    """Answers every text of a source, going on where the output ends.

    The chunks are the same in every call, and so are the batches within them: an output that
    was interrupted ends byte for byte as one that was not.

    Args:
        load: Gives the model; called when the first chunk is to be answered.
        config: Options of the data section.
        source: As for `read_texts`.
        output: Gets the answers, a JSON object a text.
        batch_size: Texts a forward pass.
        top_k: As for `answers`.
        on_progress: Called with the number of texts that are done.
        chunk_texts: Texts in memory at a time; of long ones fewer, see `in_chunks`.

    Raises:
        UserError: A row is bad, or the texts that are answered already have changed.
    """
    resumed = output.done
    seen, digest = 0, ""
    trained: TrainedModel | None = None
    for chunk in in_chunks(read_texts(config, source), chunk_texts):
        seen, digest = seen + len(chunk), _chain(digest, chunk)
        if seen <= resumed.texts:
            if seen == resumed.texts and digest != resumed.digest:
                raise _changed(resumed.texts)
            continue
        if seen - len(chunk) < resumed.texts:  # a chunk that was shorter when it was answered
            raise _changed(resumed.texts)
        trained = trained or load()
        output.append("".join(_lines(trained, chunk, batch_size, top_k)), len(chunk), digest)
        on_progress(output.done.texts)
    if seen < resumed.texts:
        raise _changed(resumed.texts)


def _lines(
    trained: "TrainedModel", chunk: Sequence[Record], batch_size: int, top_k: int | None
) -> Iterator[str]:
    logits = trained.logits_of(chunk, batch_size)
    for record, answer in zip(chunk, answers(trained.labels, logits, top_k), strict=True):
        texts = {"text": record.text}
        if record.text_pair is not None:
            texts["text_pair"] = record.text_pair
        yield json_line({**texts, **answer}) + "\n"


def _chain(digest: str, chunk: Sequence[Record]) -> str:
    """SHA-256 of a chunk and of all before it, hex."""
    hashed = hashlib.sha256(digest.encode())
    for record in chunk:
        for text in (record.text, record.text_pair or ""):
            content = text.encode()
            hashed.update(len(content).to_bytes(8, "big") + content)
    return hashed.hexdigest()


def _changed(texts: int) -> UserError:
    return UserError(
        f"the first {texts:,} texts, which an earlier call answered, are not the same any more",
        hint="Remove the .partial and .progress.json files, or choose another --output.",
    )
