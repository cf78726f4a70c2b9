"""Webhooks: requests from outside partners, each verified and then handed to one domain command."""

from starlette.routing import Route

from edge.webhooks.payment import PaymentWebhook
from edge.webhooks.shipment import PUSH_LIMITS, CarrierWebhook
from events.shop import Shop

__all__ = ["PUSH_LIMITS", "webhook_routes"]


def webhook_routes(shop: Shop) -> list[Route]:
    return [
        Route("/webhooks/payments/{provider}", PaymentWebhook(shop), methods=["POST"]),
        Route("/webhooks/carriers/{connection}", CarrierWebhook(shop), methods=["POST"]),
    ]
