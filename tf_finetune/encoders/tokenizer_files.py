"""Names of the files that tokenizers are read from."""

# What SentencePiece writes; transformers converts it where the package sentencepiece is installed.
SENTENCEPIECE_FILES = ("sentencepiece.bpe.model", "spiece.model", "spm.model")
TOKENIZER_FILES = (
    *("tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", *SENTENCEPIECE_FILES),
    *("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
)
