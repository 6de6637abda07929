"""What commands share: a link to a backend, one of their own, the arguments of a model, and progress."""
