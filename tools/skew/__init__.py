"""Whether tokenisation inside a graph gives the tokens of the fast tokenizer."""
