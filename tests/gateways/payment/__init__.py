"""Providers of payments, each against a server of ours that speaks its protocol."""
