"""Text-to-motion models: what a user's folder or file is taken for. A family is a declaration here and a row."""
