"""Labels new texts: a stream of any length in, answers in the same order out.

`predict_texts` does the work; `ResumableFile` keeps what an interruption would lose, and
`answers` says a model's outputs in the words of its labels.
"""
