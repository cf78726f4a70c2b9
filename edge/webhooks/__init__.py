"""Webhooks: requests from outside partners, each verified and then handed to one domain command."""

from starlette.routing import Route

from edge.webhooks.payment import PaymentWebhook
from edge.webhooks.shipment import CarrierWebhook
from events.shop import Shop


def webhook_routes(shop: Shop) -> list[Route]:
    return [
        Route("/webhooks/payments/{provider}", PaymentWebhook(shop), methods=["POST"]),
        Route("/webhooks/carriers/{connection}", CarrierWebhook(shop), methods=["POST"]),
    ]
