"""What trains above the frozen depth: all weights, biases alone, and what else a file here says."""
