"""Notices to people: their texts, who gets which, and sending them."""
