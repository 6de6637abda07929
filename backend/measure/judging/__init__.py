"""The shipped model measured: how steady its shots are, and how well its tiny decoder stands in."""
