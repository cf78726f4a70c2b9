"""What an operation may ask for: limits of its text and structure, and of its cost.

All limits hold before an operation is executed, for HTTP, WebSocket and SSE alike, since `ShopSchema` admits
every operation (schema/shop.py). The model of the cost is in docs/decisions/0017-the-cost-of-an-operation.md.
"""
