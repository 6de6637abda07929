"""What a person gets to see of a result: the video, the contact sheet, the manifest."""
