"""Payments by card through Stripe."""
