"""`latentman eval` and `latentman eval NAME`: what is measured, a module each."""
