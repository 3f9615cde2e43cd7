"""Explains predictions: what each word of a text contributed to an output of the model.

`Explainer` does it by integrated gradients; `explain_mistakes` adds it to the worst mistakes
of a report. Both load TensorFlow, and are loaded at first use.
"""
