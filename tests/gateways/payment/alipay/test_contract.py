"""Alipay keeps the rules of every payment provider."""

from tests.gateways.payment.provider_contract import ProviderContract


class TestAlipay(ProviderContract):
    """Over page, H5, app and code."""
