"""The example operations of `clients/`, as their applications use them in the demo shop."""
