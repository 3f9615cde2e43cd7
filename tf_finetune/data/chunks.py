"""Cuts a stream of records into lists, so that memory stays flat however long the texts are."""

from collections.abc import Iterable, Iterator

from tf_finetune.sources.records import Record

# What 2,048 texts of 4,096 characters have. A tokenizer holds about 100 bytes for each token.
CHUNK_CHARACTERS = 8 * 2**20


def in_chunks(records: Iterable[Record], rows: int) -> Iterator[list[Record]]:
    """Cuts a stream into lists; the same stream always into the same ones.

    Args:
        records: The stream.
        rows: Records in a list at most. One also ends with the record that brings its texts to
            `CHUNK_CHARACTERS` characters or more.
    """
    chunk: list[Record] = []
    characters = 0
    for record in records:
        chunk.append(record)
        characters += len(record.text) + len(record.text_pair or "")
        if len(chunk) == rows or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk
