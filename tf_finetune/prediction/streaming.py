"""Texts of any number in, answers in their order out, a chunk in memory at a time."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tf_finetune.errors import UserError
from tf_finetune.prediction.resumable import Output
from tf_finetune.prediction.sureness import Sureness
from tf_finetune.sources.records import Record
from tf_finetune.storage.files import json_line

if TYPE_CHECKING:
    from tf_finetune.runs.ensemble import Ensemble

CHUNK_TEXTS = 2048  # tokenised and sorted by length together; what an interruption loses


def json_answer(record: Record, answer: Mapping[str, Any]) -> str:
    """A text and its answer as a JSON object in a line."""
    texts = {"text": record.text}
    if record.text_pair is not None:
        texts["text_pair"] = record.text_pair
    return json_line({**texts, **answer}) + "\n"


def predict_texts(
    load: Callable[[], "Ensemble"],
    chunks: Iterable[Sequence[Record]],
    output: Output,
    *,
    batch_size: int,
    top_k: int | None = None,
    sureness: Sureness | None = None,
    write: Callable[[Record, Mapping[str, Any]], str] = json_answer,
    on_progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Answers every text, going on where the output ends.

    If the chunks are the same in every call, so are the batches within them: an output that
    was interrupted ends byte for byte as one that was not.

    Args:
        load: Gives the model; called when the first chunk is to be answered.
        chunks: The texts, as many as are tokenised and sorted by length together. An output
            that goes on has to get those of the call before, see `in_chunks`.
        output: Gets the answers of a chunk at a time.
        batch_size: Texts a forward pass.
        top_k: As for `answers`.
        sureness: Marks what the model is not sure of; None: nothing is marked.
        write: Gives the line of a text and its answer.
        on_progress: Called with the number of texts that are done.

    Raises:
        UserError: A row is bad, or the texts that are answered already have changed.
    """
    resumed = output.done
    sureness = sureness or Sureness()
    seen, digest = 0, ""
    trained: Ensemble | None = None
    for chunk in chunks:
        seen, digest = seen + len(chunk), _chain(digest, chunk)
        if seen <= resumed.texts:
            if seen == resumed.texts and digest != resumed.digest:
                raise _changed(resumed.texts)
            continue
        if seen - len(chunk) < resumed.texts:  # a chunk that was shorter when it was answered
            raise _changed(resumed.texts)
        trained = trained or load()
        outputs = trained.outputs_of(chunk, batch_size)
        found = sureness.answers(outputs, trained.labels, top_k)
        lines = "".join(map(write, chunk, found))
        output.append(lines, len(chunk), digest)
        on_progress(output.done.texts)
    if seen < resumed.texts:
        raise _changed(resumed.texts)


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
