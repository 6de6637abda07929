"""The wire between add-on and backend: messages, frames, how a backend is started."""
