"""The pictures that the model is trained on, drawn by the project itself."""
