"""Looking before generating: camera, motion check, previews."""
