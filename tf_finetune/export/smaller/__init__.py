"""A smaller model made of a trained one: fewer layers, fewer heads, or taught by it."""
