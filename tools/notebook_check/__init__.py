"""Executes the notebooks of docs/colab, so that they cannot rot."""
