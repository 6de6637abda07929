"""Operators, one module each; they are thin."""
