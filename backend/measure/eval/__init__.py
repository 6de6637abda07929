"""Experiments that run methods and measure them: the paper's tables on models that are at hand."""
