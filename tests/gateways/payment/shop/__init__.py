"""The shop and the servers of payment providers, each in a process of its own, over HTTP."""
