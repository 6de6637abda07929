"""Motions made and improved with tensors: from a text, between keys, fitted to positions."""
