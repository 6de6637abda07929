"""Operators on a character's motion: repairs, its problems one by one, export."""
