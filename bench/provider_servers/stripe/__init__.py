"""Stripe's API as far as the shop uses it, strict about keys, forms and idempotency, with its own book."""
