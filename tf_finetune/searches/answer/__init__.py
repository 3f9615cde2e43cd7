"""What a search found: evidence, the answer in a sentence, and its report."""
