"""Tokenises many texts in two ways and counts those that differ; see `tools/tokenizer_skew`."""

import argparse
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tf_finetune.export.graph_tokenizer import GraphTokenizer
from tf_finetune.export.tokenizer_probes import probe_texts
from tf_finetune.export.tokenizer_recipe import read_recipe
from tf_finetune.export.tokenizer_skew import Skew, measure_skew

EVERY_CHARACTER = "every character"


def main(argv: Sequence[str] | None = None) -> int:
    """Prints one line a vocabulary and casing; 1 if the graph differs anywhere."""
    arguments = _parse(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{EVERY_CHARACTER}.txt"
        path.write_text("\n".join(_every_character()), encoding="utf-8")
        return _measure([*arguments.vocabularies, path], arguments)


def _every_character() -> Iterator[str]:
    """A vocabulary in which any two texts of other characters have other tokens."""
    yield from ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    for character in map(chr, range(0x20000)):
        if unicodedata.category(character)[0] in "LMNPS":
            yield from (character, f"##{character}")


def _measure(vocabularies: Sequence[Path], arguments: argparse.Namespace) -> int:
    from transformers import BertTokenizerFast

    console = Console(width=120)
    table = Table("vocabulary", "lower-cased", "texts", box=box.SIMPLE_HEAD)
    for title in ("number", "graph differs", "TFBertTokenizer differs"):
        table.add_column(title, justify="right")
    differences = 0
    for path in vocabularies:
        for lowercase in (True, False):
            tokenizer = BertTokenizerFast(str(path), do_lower_case=lowercase)
            for pairs in (False, True):
                number, ours, theirs = _compare(tokenizer, arguments, pairs, console)
                differences += ours.mismatches
                table.add_row(
                    path.stem,
                    "yes" if lowercase else "no",
                    "pairs" if pairs else "single",
                    f"{number:,}",
                    f"{ours.mismatches:,}",
                    "" if theirs is None else f"{theirs.mismatches:,} ({theirs.rate:.1%})",
                )
    console.print(table)
    return int(differences > 0)


def _compare(
    tokenizer: Any, arguments: argparse.Namespace, pairs: bool, console: Console
) -> tuple[int, Skew, Skew | None]:
    import tensorflow as tf

    length = arguments.max_length
    texts = tf.TensorSpec([None], tf.string)
    graph = tf.function(
        GraphTokenizer(read_recipe(tokenizer), length),
        [texts] * (2 if pairs else 1),
        autograph=False,
    )
    ours = measure_skew(tokenizer, graph, _corpus(tokenizer, arguments, pairs), length)
    for example in ours.examples:
        console.print(f"differs: {example}", markup=False, highlight=False)
    theirs = None
    if arguments.tfbert:
        other = _tfbert(tokenizer, length)
        theirs = measure_skew(tokenizer, other, _corpus(tokenizer, arguments, pairs), length)
    return ours.texts, ours, theirs


def _corpus(
    tokenizer: Any, arguments: argparse.Namespace, pairs: bool
) -> Iterable[tuple[bytes, ...]]:
    """Texts that are made, then those of the files; as pairs, each with one from further on."""
    vocabulary = [piece for piece, _ in sorted(tokenizer.get_vocab().items(), key=lambda p: p[1])]

    def texts(seed: int) -> Iterator[bytes]:
        made = probe_texts(arguments.count, seed, vocabulary)
        return chain(made, (text for path in arguments.texts for text in _fields(path)))

    if pairs:
        return zip(texts(arguments.seed), texts(arguments.seed + 1), strict=True)
    return ((text,) for text in texts(arguments.seed))


def _fields(path: Path) -> Iterator[bytes]:
    """The fields of each line that are separated by tabs."""
    with path.open("rb") as file:
        for line in file:
            yield from line.rstrip(b"\r\n").split(b"\t")


def _tfbert(tokenizer: Any, max_length: int) -> Callable[..., dict[str, Any]]:
    """The one of transformers as a function of texts, by the names used here."""
    import tensorflow as tf
    from transformers import TFBertTokenizer

    layer = TFBertTokenizer.from_tokenizer(
        tokenizer, truncation=True, max_length=max_length, padding="longest"
    )

    def tokenize(*texts: Any) -> dict[str, Any]:
        # It fails on bytes that are not UTF-8.
        clean = [tf.strings.unicode_transcode(t, "UTF-8", "UTF-8", errors="replace") for t in texts]
        found = layer(*clean)
        return {
            "token_ids": found["input_ids"],
            "token_type_ids": found["token_type_ids"],
            "attention_mask": found["attention_mask"],
        }

    return tokenize


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/tokenizer_skew", description=__doc__)
    parser.add_argument(
        "vocabularies", nargs="*", type=Path, metavar="VOCAB.txt", help="WordPiece vocabularies"
    )
    parser.add_argument(
        "--texts",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="text files; every field of every line is one more text",
    )
    parser.add_argument("--count", type=int, default=100_000, help="texts to make (100,000)")
    parser.add_argument("--seed", type=int, default=0, help="of the texts that are made (0)")
    parser.add_argument("--max-length", type=int, default=64, help="tokens to truncate to (64)")
    parser.add_argument(
        "--tfbert", action="store_true", help="also compare TFBertTokenizer of transformers"
    )
    arguments = parser.parse_args(argv)
    missing = [str(p) for p in (*arguments.vocabularies, *arguments.texts) if not p.is_file()]
    if missing:
        parser.error(f"no such file: {', '.join(missing)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
