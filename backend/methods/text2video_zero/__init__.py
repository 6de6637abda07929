"""Text2Video-Zero's attention to frame 0."""
