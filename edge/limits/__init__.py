"""Limits that hold before a request is read."""
