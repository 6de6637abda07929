"""The body's surface: texels on it, what each frame sees of them, and one texture out of many frames."""
