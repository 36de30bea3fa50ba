"""The wire contract: models without functions."""
