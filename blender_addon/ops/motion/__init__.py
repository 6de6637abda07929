"""Operators on a character's motion: what an import assumed, repairs, problems one by one, export."""
