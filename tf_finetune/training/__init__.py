"""Training: strategy, pipeline, the Keras step, and `fine_tune`, which runs them."""
