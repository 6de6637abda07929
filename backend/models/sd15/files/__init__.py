"""Finding, reading and building the networks from a folder or a file of weights."""
