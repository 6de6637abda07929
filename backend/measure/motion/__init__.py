"""How well the embedded motion model makes what a text says, beside the library that it learned from."""
