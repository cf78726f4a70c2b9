"""Alipay, against a gateway server of ours in a process of its own."""
