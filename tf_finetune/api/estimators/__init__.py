"""scikit-learn's contract: estimators of texts."""
