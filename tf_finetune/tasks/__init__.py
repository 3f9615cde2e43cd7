"""What is asked of a text, what its labels mean, and how answers are scored."""
