"""A race of cells: after every trial, which next one lowers the chance of a wrong answer most."""
