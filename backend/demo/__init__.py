"""The demo models that come with headscope."""
