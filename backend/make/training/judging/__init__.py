"""What the trained model is judged by."""
