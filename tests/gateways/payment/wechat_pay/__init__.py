"""WeChat Pay against a server of ours that speaks its API v3."""
