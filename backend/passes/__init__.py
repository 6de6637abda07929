"""The rendered passes of a shot, as the backend reads them."""
