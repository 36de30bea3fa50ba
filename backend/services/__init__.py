"""From a request to an analysis and back to a response."""
