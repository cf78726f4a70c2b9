"""Servers that speak the protocols of payment providers, each in its own process, with faults on demand."""
