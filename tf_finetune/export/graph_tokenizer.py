"""A tokenizer as a TensorFlow graph that gives the token ids of the fast tokenizer.

`TFBertTokenizer` does not: its normaliser goes by another Unicode version, its punctuation
lacks what the fast tokenizer sets apart, it counts the bytes of a long word and not its
characters, and it does not know special tokens in a text. Here the characters go through a
table that was read off the fast tokenizer, and only words are left to tensorflow-text.
"""

import re
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from tf_finetune.export.character_table import (
    ALONE,
    CLASS,
    KIND,
    PAGE,
    SEPARATOR,
    SPACE,
)
from tf_finetune.export.extras import missing_extra
from tf_finetune.export.formats import SAVEDMODEL
from tf_finetune.export.tokenizer_recipe import Template, TokenizerRecipe

if TYPE_CHECKING:
    from tensorflow_text import FastWordpieceTokenizer

# Special tokens in a text are replaced by characters for private use, from the first of plane
# 15; those that a text brings along are moved out of the way, to the last of plane 16.
_SENTINEL = 0xF0000
_ELSEWHERE = "\U0010fffd"
_REPLACEMENT = 0xFFFD


class GraphTokenizer(tf.Module):
    """Texts to padded token ids, made of TensorFlow operations alone.

    Args:
        recipe: The fast tokenizer as data.
        max_length: Longest text, or pair, in tokens; longer ones are truncated.

    Raises:
        UserError: tensorflow-text is not installed.
    """

    def __init__(self, recipe: TokenizerRecipe, max_length: int):
        super().__init__(name="tokenizer")
        self._recipe = recipe
        self._max_length = max_length
        with tf.device("CPU"):
            self._wordpiece = _build_wordpiece(recipe)
            # Made once here, not in each graph, so that a SavedModel holds them once.
            table = recipe.characters
            self._page_of = tf.constant(table.page_of)
            self._pages = tf.constant(table.pages)
            self._sequence_starts = tf.constant(table.sequence_starts)
            # A table without any sequence but the empty one still needs an element to gather.
            self._sequence_values = tf.constant(np.append(table.sequence_values, np.int32(0)))
            self._special_ids = tf.constant(list(recipe.special_ids.values()), tf.int32)

    def __call__(self, texts: tf.Tensor, pairs: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Tokenises texts.

        Args:
            texts: string [b], UTF-8; invalid bytes count as U+FFFD.
            pairs: Second texts, string [b], or None.

        Returns:
            `token_ids`, `token_type_ids` and `attention_mask`, int32 [b, t], t the longest.
        """
        # Strings live on the host, whatever the model runs on.
        with tf.device("CPU"):
            ids = [self._pieces(texts)]
            template = self._recipe.single
            if pairs is not None:
                ids.append(self._pieces(pairs))
                template = self._recipe.pair
            return self._lay_out(self._truncate(ids, template), template)

    def _pieces(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Ids of the pieces of each text, int32 [b, None]."""
        values, rows = self._normalize(self._mark_special_tokens(texts))
        words, word_rows = _cut_words(values, rows)
        lengths = words.row_lengths()
        number = tf.gather(words.flat_values, words.row_starts()) - _SENTINEL
        is_special = (number >= 0) & (number < len(self._recipe.special_ids))
        single_id = tf.where(
            is_special,
            tf.gather(self._special_ids, tf.where(is_special, number, 0)),
            self._recipe.unknown_id,
        )
        is_single = is_special | (lengths > self._recipe.max_word_characters)
        spelt = tf.strings.unicode_encode(words, "UTF-8")
        # In place of a word that is one token anyway, one that is unknown and so one token.
        pieces = self._wordpiece.tokenize(tf.where(is_single, chr(_SENTINEL), spelt))
        word = pieces.value_rowids()
        ids = tf.where(tf.gather(is_single, word), tf.gather(single_id, word), pieces.flat_values)
        return tf.RaggedTensor.from_value_rowids(
            ids, tf.gather(word_rows, word), nrows=tf.size(texts, tf.int64), validate=False
        )

    def _mark_special_tokens(self, texts: tf.Tensor) -> tf.Tensor:
        texts = tf.strings.unicode_transcode(
            texts, "UTF-8", "UTF-8", errors="replace", replacement_char=_REPLACEMENT
        )
        special = list(self._recipe.special_ids)
        last = chr(_SENTINEL + len(special))
        texts = tf.strings.regex_replace(texts, f"[{chr(_SENTINEL)}-{last}]", _ELSEWHERE)
        # Longest first, as the fast tokenizer prefers them.
        for number, token in sorted(enumerate(special), key=lambda pair: -len(pair[1])):
            texts = tf.strings.regex_replace(texts, re.escape(token), chr(_SENTINEL + number))
        return texts

    def _normalize(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Packed characters of the normal form, int32 [n], and the text of each, int64 [n]."""
        codes = tf.strings.unicode_decode(
            texts, "UTF-8", errors="replace", replacement_char=_REPLACEMENT
        )
        code = codes.flat_values
        entry = tf.gather_nd(
            self._pages,
            tf.stack([tf.gather(self._page_of, code // PAGE), code % PAGE], axis=1),
        )
        is_special = (code >= _SENTINEL) & (code < _SENTINEL + len(self._recipe.special_ids))
        entry = tf.where(is_special, code + ALONE * KIND, entry)
        values, source = self._expand(tf.where(entry == 0, code, entry))
        rows = tf.gather(codes.value_rowids(), source)
        if self._recipe.characters.sorts_marks:
            values, rows = _sort_marks(values, rows)
        return values, rows

    def _expand(self, entries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Puts sequences in place of the entries that stand for one.

        Args:
            entries: Packed characters, or numbers below 0 for sequences, int32 [n].

        Returns:
            Packed characters int32 [m], and the index in `entries` that each comes from.
        """
        sequence = tf.where(entries < 0, -1 - entries, 0)
        start = tf.gather(self._sequence_starts, sequence)
        length = tf.gather(self._sequence_starts, sequence + 1) - start
        counts = tf.where(entries < 0, length, 1)
        source = tf.repeat(tf.range(tf.size(entries)), counts)
        offset = tf.range(tf.size(source)) - tf.gather(tf.cumsum(counts, exclusive=True), source)
        entry = tf.gather(entries, source)
        index = tf.where(entry < 0, tf.gather(start, source) + offset, 0)
        return tf.where(entry < 0, tf.gather(self._sequence_values, index), entry), source

    def _truncate(self, ids: list[tf.RaggedTensor], template: Template) -> list[tf.RaggedTensor]:
        """Cuts texts, the longer of a pair first, as the fast tokenizer does."""
        room = tf.constant(self._max_length - template.num_special, tf.int64)
        lengths = [text.row_lengths() for text in ids]
        if len(ids) == 1:
            kept = [tf.minimum(lengths[0], room)]
        else:
            shorter, longer = tf.minimum(*lengths), tf.maximum(*lengths)
            fits = shorter + longer <= room
            # Either the longer one gives up all that is too much, or both get half the room.
            one = tf.where(shorter <= room // 2, shorter, room // 2)
            kept_shorter = tf.where(fits, shorter, one)
            kept_longer = tf.where(fits, longer, tf.minimum(longer, room - one))
            first_is_longer = lengths[0] > lengths[1]
            kept = [
                tf.where(first_is_longer, kept_longer, kept_shorter),
                tf.where(first_is_longer, kept_shorter, kept_longer),
            ]
        return [
            _keep(text, count, self._recipe.truncates_left)
            for text, count in zip(ids, kept, strict=True)
        ]

    def _lay_out(self, ids: list[tf.RaggedTensor], template: Template) -> dict[str, tf.Tensor]:
        """Puts special tokens around the texts and fills up to the longest."""
        num_texts = ids[0].nrows()

        def everywhere(values: tuple[int, ...]) -> tf.RaggedTensor:
            row = tf.constant(values, tf.int32, shape=(1, len(values)))
            return tf.RaggedTensor.from_tensor(tf.repeat(row, num_texts, axis=0))

        first = template.parts[0]
        token_ids, type_ids = [everywhere(first.ids)], [everywhere(first.type_ids)]
        for text, type_id, part in zip(ids, template.type_ids, template.parts[1:], strict=True):
            token_ids += [text, everywhere(part.ids)]
            type_ids += [tf.zeros_like(text) + type_id, everywhere(part.type_ids)]
        joined = tf.concat(token_ids, axis=1)
        return {
            "token_ids": joined.to_tensor(self._recipe.pad_id),
            "token_type_ids": tf.concat(type_ids, axis=1).to_tensor(0),
            "attention_mask": tf.ones_like(joined).to_tensor(0),
        }


def _sort_marks(values: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Puts runs of combining marks in the order of their classes, and drops what parts runs."""
    combining_class = values // CLASS

    def sort() -> tf.Tensor:
        begins = (combining_class == 0) | tf.concat([[True], rows[1:] != rows[:-1]], axis=0)
        run = tf.cumsum(tf.cast(begins, tf.int32))
        return tf.gather(values, tf.argsort(run * 256 + combining_class, stable=True))

    values = tf.cond(tf.reduce_any(combining_class > 0), sort, lambda: values)
    stays = _kind(values) != SEPARATOR
    return tf.boolean_mask(values, stays), tf.boolean_mask(rows, stays)


def _cut_words(values: tf.Tensor, rows: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
    """Cuts texts into words.

    Args:
        values: Packed characters, int32 [n].
        rows: The text of each, int64 [n], ascending.

    Returns:
        Code points of each word, int32 [words, None], and the text of each word.
    """
    kind = _kind(values)
    # The first character of all has no one before it; a blank does as well.
    before = tf.concat([[SPACE], kind[:-1]], axis=0)
    row_before = tf.concat([[-1], rows[:-1]], axis=0)
    inside = kind != SPACE
    begins = inside & ((kind == ALONE) | (before != 0) | (rows != row_before))
    word = tf.cumsum(tf.cast(begins, tf.int64)) - 1
    words = tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(values % KIND, inside),
        tf.boolean_mask(word, inside),
        nrows=tf.reduce_sum(tf.cast(begins, tf.int64)),
        validate=False,
    )
    return words, tf.boolean_mask(rows, begins)


def _kind(values: tf.Tensor) -> tf.Tensor:
    return values // KIND % 4


def _keep(ids: tf.RaggedTensor, count: tf.Tensor, from_left: bool) -> tf.RaggedTensor:
    """The first `count` ids of each row, or the last."""
    position = tf.ragged.range(ids.row_lengths())
    if from_left:
        skipped = tf.expand_dims(ids.row_lengths() - count, 1)
        return tf.ragged.boolean_mask(ids, position >= skipped)
    return tf.ragged.boolean_mask(ids, position < tf.expand_dims(count, 1))


def _build_wordpiece(recipe: TokenizerRecipe) -> "FastWordpieceTokenizer":
    try:
        import tensorflow_text
    except ImportError:
        raise missing_extra(SAVEDMODEL) from None
    pieces = [
        # An id that no piece has still needs its place in the list.
        f"{chr(_SENTINEL)}{index}" if piece is None else piece
        for index, piece in enumerate(recipe.vocabulary)
    ]
    return tensorflow_text.FastWordpieceTokenizer(
        pieces,
        suffix_indicator=recipe.continuing_prefix,
        max_bytes_per_word=4 * recipe.max_word_characters,
        token_out_type=tf.int32,
        unknown_token=recipe.vocabulary[recipe.unknown_id],
        no_pretokenization=True,
    )
