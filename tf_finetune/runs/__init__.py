"""The folder of a run: what lies where, its model opened again, its report written."""
