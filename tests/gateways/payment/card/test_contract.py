"""Cards keep the rules of every provider."""

from tests.gateways.payment.provider_contract import ProviderContract


class TestCard(ProviderContract):
    pass
