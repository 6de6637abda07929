"""What operators share: how they refuse, work a slice at a time, and open an editor beside the view."""
