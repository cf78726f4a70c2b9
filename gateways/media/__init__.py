"""Where pictures are kept: a folder of our own by default, a bucket of an object store by setting."""

from gateways.media.local import LocalMedia
from gateways.media.store import MediaStore, MediaUnavailable
from settings import Settings

__all__ = ["LocalMedia", "MediaStore", "MediaUnavailable", "media_store"]


def media_store(settings: Settings) -> MediaStore:
    """The store this shop is set to."""
    if settings.media_url is None:
        return LocalMedia(settings.media_dir)
    from gateways.media.bucket import BucketMedia

    return BucketMedia(
        settings.media_url,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key_id=settings.s3_access_key_id.get_secret_value(),
        secret_access_key=settings.s3_secret_access_key.get_secret_value(),
    )
