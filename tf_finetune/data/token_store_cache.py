"""Open the token store of a source from the cache folder, filling it if it is not there."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tf_finetune.data.task_row_columns import FIELDS
from tf_finetune.data.token_store import TokenStore
from tf_finetune.data.token_store_files import (
    FORMAT_VERSION,
    TOKENS_FILE,
    DamagedStore,
    Manifest,
    hash_blocks,
    remove_store,
    uncommitted_folder,
    write_store_manifest,
)
from tf_finetune.data.token_store_writer import truncating_tokenizer, write_tokens
from tf_finetune.encoders.tokenizers import gives_types, whole_texts
from tf_finetune.errors import UserError, visible
from tf_finetune.live_display import LiveDisplay
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.fingerprints import fingerprint
from tf_finetune.sources.opening import open_table
from tf_finetune.sources.reading import read_records
from tf_finetune.storage.disk_space import told_when_full
from tf_finetune.tasks.labels import LabelSpace

logger = logging.getLogger(__name__)

_UNMARKED_PAIRS = (
    "the tokenizer puts nothing between the texts of a pair: the second goes on where the first "
    "ends"
)


def open_store(
    config: DataConfig,
    source: str,
    tokenizer: Any,
    *,
    split: str = "train",
    console: Console | None = None,
    task: type[LabelSpace] | None = None,
) -> TokenStore:
    """Open the token store of a labelled source, and fill it first if it is not there yet.

    The store is in `<cache_dir>/tokens/<key>/`. The key depends on the content of the source,
    on how it is read and on how it is tokenised, so a store that is there is never outdated.
    One that is damaged is filled again.

    Args:
        config: The `data` section, with its columns resolved.
        source: The value of `data.train`, `data.validation` or `data.test`.
        tokenizer: A fast tokenizer of transformers; it is not changed.
        split: Which split of the source to take, where a source has several (TFDS).
        console: Where progress is shown; None shows none.
        task: One that makes its rows itself; None: each example is a row.

    Raises:
        UserError: If the source is wrong, or the folder cannot be written (`DiskFullError` for
            want of room).
    """
    backend = truncating_tokenizer(tokenizer, config.max_length)
    pad_id, typed = tokenizer.pad_token_id or 0, gives_types(tokenizer)
    read = fingerprint(config, source, split=split)
    parts: tuple[object, ...] = (read, backend.to_str(), pad_id, typed, FORMAT_VERSION)
    make_rows = None
    if task is not None:
        parts = (*parts, task.task, [field.name for field in FIELDS])
        whole = whole_texts(backend)
        make_rows = partial(task.rows, backend=whole, max_length=config.max_length)
    seen_on_opening = open_table(config, source, split=split).notes
    key = hashlib.sha256(repr(parts).encode()).hexdigest()
    folder = Path(config.cache_dir).expanduser() / "tokens" / key
    try:
        try:
            return TokenStore(folder, source, seen_on_opening)
        except FileNotFoundError:
            pass
        except DamagedStore as damage:
            _notify(console, f"damaged token store, filling it again: {damage}")
            remove_store(folder)
        notes: list[str] = []
        records = read_records(config, source, split=split, notes=notes)
        with (
            told_when_full(folder, option="data.cache_dir"),
            uncommitted_folder(folder) as temporary,
            _progress(console, source) as advance,
        ):
            file = temporary / TOKENS_FILE
            written = write_tokens(
                file,
                records,
                backend,
                unknown_id=tokenizer.unk_token_id,
                typed=typed,
                make_rows=make_rows,
                source=source,
                advance=advance,
            )
            if config.text_pair_column is not None and not written.marking_tokens:
                notes.append(_UNMARKED_PAIRS)
            manifest = Manifest(
                key=key,
                rows=written.rows,
                tokenizer=str(tokenizer.name_or_path),
                vocab_size=backend.get_vocab_size(),
                pad_id=pad_id,
                max_length=config.max_length,
                file_bytes=file.stat().st_size,
                block_sha256=hash_blocks(file),
                marking_tokens=written.marking_tokens,
                notes=notes,
                unknown_examples=written.unknown_examples,
            )
            write_store_manifest(temporary, manifest)
        return TokenStore(folder, source, seen_on_opening)
    except (OSError, DamagedStore) as error:
        raise UserError(
            f"data.cache_dir: cannot keep tokens in {folder}: {error}; accepted: a folder that can "
            "be written, with room"
        ) from error


@contextmanager
def _progress(console: Console | None, source: str) -> Iterator[Callable[[int], None]]:
    """A progress line on a terminal, and one line at the end everywhere."""
    start, total = time.monotonic(), 0
    shown = Console(quiet=True) if console is None else console
    bar = Progress(
        SpinnerColumn(),
        TextColumn("Tokenising {task.description}"),
        TextColumn("{task.completed:,.0f} texts"),
        TimeElapsedColumn(),
        console=shown,
        disable=True,  # its display is ours
    )

    def advance(rows: int) -> None:
        nonlocal total
        total += rows
        bar.advance(task, rows)

    with LiveDisplay(shown, bar.get_renderable):
        task = bar.add_task(escape(visible(source)), total=None)
        yield advance
    if console is not None:
        seconds = time.monotonic() - start
        name = visible(source)
        console.print(f"Tokenised {total:,} texts of {name} in {seconds:.1f} s", markup=False)


def _notify(console: Console | None, message: str) -> None:
    if console is None:
        logger.warning(message)
    else:
        console.print(visible(message), markup=False)
