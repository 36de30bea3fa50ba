"""The FastAPI service: it resolves specs, runs analyses chunk by chunk, and serves stored results."""

__version__ = "0.1.0"
