"""What of a fast tokenizer has to be built again to tokenise inside a TensorFlow graph."""

import copy
import json
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerFast

from tf_finetune.errors import UserError
from tf_finetune.export.character_table import CharacterTable, derive_character_table

_COMPONENTS = {
    "normalizer": "BertNormalizer",
    "pre_tokenizer": "BertPreTokenizer",
    "model": "WordPiece",
}


@dataclass(frozen=True)
class Part:
    """Some special tokens between the texts: their ids, and their token type ids."""

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]


@dataclass(frozen=True)
class Template:
    """How one text, or a pair, is laid out: special tokens around and between.

    Attributes:
        parts: One more than there are texts.
        type_ids: Token type id of each text.
    """

    parts: tuple[Part, ...]
    type_ids: tuple[int, ...]

    @property
    def num_special(self) -> int:
        """Special tokens in all."""
        return sum(len(part.ids) for part in self.parts)


@dataclass(frozen=True, eq=False)
class TokenizerRecipe:
    """A WordPiece tokenizer as data.

    Attributes:
        characters: What becomes of each character before words are cut in pieces.
        vocabulary: Pieces by id; None where no piece has the id.
        unknown_id: Id of a word that cannot be spelt.
        continuing_prefix: What a piece begins with that continues a word, "##".
        max_word_characters: Longer words are unknown.
        special_ids: Tokens that are found in the text as it is, before anything else, by id.
        single: Layout of a text.
        pair: Layout of a pair of texts.
        pad_id: Id that fills up a batch.
        truncates_left: Whether long texts lose their beginning, not their end.
    """

    characters: CharacterTable
    vocabulary: tuple[str | None, ...]
    unknown_id: int
    continuing_prefix: str
    max_word_characters: int
    special_ids: dict[str, int]
    single: Template
    pair: Template
    pad_id: int
    truncates_left: bool


def read_recipe(tokenizer: PreTrainedTokenizerFast) -> TokenizerRecipe:
    """Takes a fast tokenizer apart.

    Raises:
        UserError: It does something that the graph does not know; all such things are named.
    """
    backend = copy.deepcopy(tokenizer.backend_tokenizer)
    backend.no_truncation()
    backend.no_padding()
    description = json.loads(backend.to_str())
    added = tokenizer.added_tokens_decoder
    problems = _unknown_components(description) + _unknown_added_tokens(added.values())
    if tokenizer.padding_side != "right":
        problems.append(f"padding_side: received {tokenizer.padding_side!r}; accepted: 'right'")
    if problems:
        raise UserError(
            [f"{tokenizer.name_or_path}: tokenizer: {problem}" for problem in problems],
            hint="This tokenizer cannot be built into a SavedModel, which then takes token ids.",
        )
    model = description["model"]
    vocabulary = backend.get_vocab(with_added_tokens=False)
    by_id = {index: piece for piece, index in vocabulary.items()}
    return TokenizerRecipe(
        characters=derive_character_table(backend.normalizer),
        vocabulary=tuple(by_id.get(index) for index in range(max(by_id) + 1)),
        unknown_id=vocabulary[model["unk_token"]],
        continuing_prefix=model["continuing_subword_prefix"],
        max_word_characters=model["max_input_chars_per_word"],
        special_ids={token.content: index for index, token in added.items()},
        single=_template(backend, ("a",)),
        pair=_template(backend, ("a", "a")),
        pad_id=int(tokenizer.pad_token_id),
        truncates_left=tokenizer.truncation_side == "left",
    )


def _unknown_components(description: dict[str, Any]) -> list[str]:
    received = {name: (description[name] or {}).get("type") for name in _COMPONENTS}
    return [
        f"{name}: received {received[name]!r}; accepted: {accepted!r}"
        for name, accepted in _COMPONENTS.items()
        if received[name] != accepted
    ]


def _unknown_added_tokens(added: Any) -> list[str]:
    problems = [
        f"added token {token.content!r}: received {name}=true; accepted: false"
        for token in added
        for name in ("normalized", "single_word", "lstrip", "rstrip")
        if getattr(token, name)
    ]
    texts = [token.content for token in added]
    for one in texts:
        for other in texts:
            # Then which of the two is found would depend on what stands between.
            if any(one.endswith(other[:n]) for n in range(1, len(other))):
                problems.append(f"added tokens {one!r} and {other!r}: received tokens that overlap")
    return problems


def _template(backend: Any, texts: tuple[str, ...]) -> Template:
    """Reads off the layout of texts of one token each."""
    encoding = backend.encode(*texts)
    parts: list[list[tuple[int, int]]] = [[]]
    type_ids = []
    columns = zip(encoding.ids, encoding.type_ids, encoding.sequence_ids, strict=True)
    for token_id, type_id, sequence in columns:
        if sequence is None:
            parts[-1].append((token_id, type_id))
        else:
            type_ids.append(type_id)
            parts.append([])
    return Template(
        tuple(Part(tuple(i for i, _ in part), tuple(t for _, t in part)) for part in parts),
        tuple(type_ids),
    )
