"""What a model's outputs are worth: scores with intervals, mistakes, explanations."""
