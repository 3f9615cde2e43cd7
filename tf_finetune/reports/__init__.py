"""Views of results: console, page, figures, TensorBoard."""
