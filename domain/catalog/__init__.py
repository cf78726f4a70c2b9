"""What the shop sells: products, their taxonomy, their files and what they are searched by."""
