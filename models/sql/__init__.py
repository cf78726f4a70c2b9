"""What makes SQL faster than the ORM: statements compiled once, all rows or keys in one parameter."""
