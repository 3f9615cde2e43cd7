"""How much of a model's answers hold when texts are changed in ways that should not matter."""
