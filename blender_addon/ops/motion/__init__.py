"""What an import asks about a motion file, and what can be said differently afterwards."""
