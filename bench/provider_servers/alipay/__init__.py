"""A server that speaks the protocol of Alipay's open platform as its gateway does."""
