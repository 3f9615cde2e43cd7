"""The trained model in the forms in which it leaves the project."""
