"""What the commands of `cartwheel` print, and what they send to a shop."""
