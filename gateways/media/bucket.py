"""Amazon S3 and stores compatible with it (https://docs.aws.amazon.com/AmazonS3/latest/API)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from gateways.media.store import MediaUnavailable

CONNECT_TIMEOUT = timedelta(seconds=3)
REQUEST_TIMEOUT = timedelta(seconds=20)
"""For one request with all its retries."""

RETRIES = 2


class BucketMedia:
    """A bucket, or a prefix in one: s3://bucket/prefix."""

    def __init__(
        self, url: str, *, endpoint: str | None, region: str, access_key_id: str, secret_access_key: str
    ) -> None:
        parts = urlsplit(url)
        self.store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            endpoint=endpoint or f"https://s3.{region}.amazonaws.com",
            region=region,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": (endpoint or "").startswith("http://"),
                "connect_timeout": CONNECT_TIMEOUT,
                "timeout": REQUEST_TIMEOUT,
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": REQUEST_TIMEOUT},
        )

    async def put(self, name: str, data: bytes, *, content_type: str) -> None:
        with translate_errors():
            await self.store.put_async(name, data, attributes={"Content-Type": content_type})

    async def get(self, name: str) -> bytes | None:
        with translate_errors():
            try:
                found = await self.store.get_async(name)
            except (NotFoundError, FileNotFoundError):
                return None
            return bytes(await found.bytes_async())

    async def has(self, name: str) -> bool:
        with translate_errors():
            try:
                await self.store.head_async(name)
            except (NotFoundError, FileNotFoundError):
                return False
            return True

    async def delete(self, name: str) -> None:
        with translate_errors():
            try:
                await self.store.delete_async(name)
            except (NotFoundError, FileNotFoundError):
                return


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise each failure of the store as MediaUnavailable, without the message, which may quote a request."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise MediaUnavailable(type(error).__name__) from None
