"""Actions that go somewhere, a file a family."""
