"""Carriers: one Protocol, one module or package per connection."""
