"""Published methods, one folder each, and the table of them."""
