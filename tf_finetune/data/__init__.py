"""Labelled text: sources -> records -> token store -> splits -> batches.

`check_sources` tells at once what is not there. `load_splits` is the way in for training and
`load_split` for scoring; both give `Split`s, whose `gather` gives padded tokens for the index
arrays of `epoch_batches` and `evaluation_batches`.
"""
