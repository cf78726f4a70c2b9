"""Payment providers; `provider` is the Protocol each of them implements."""
