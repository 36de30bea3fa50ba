"""One subject each: `layout()` returns its part of the page, `register(app, client)` its callbacks."""
