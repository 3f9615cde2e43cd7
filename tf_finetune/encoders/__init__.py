"""Pretrained encoders: found, checked, cut at a depth, priced and frozen.

Names that need TensorFlow (`Classifier`, `build_classifier`) or transformers
(`load_tokenizer`) are loaded at first use, so that plans and checks answer at once.
"""
