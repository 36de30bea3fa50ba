"""Thin endpoints: parse, call a service, return."""
