"""Answers that are spans of a text: how they are found in scores of its tokens, and scored."""
