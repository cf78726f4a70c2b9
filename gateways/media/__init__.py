"""Where pictures are stored: a local folder by default, a bucket of an object store by setting."""

from gateways.media.local import LocalMedia
from gateways.media.store import MediaStore, MediaUnavailable
from settings import Settings

__all__ = ["LocalMedia", "MediaStore", "MediaUnavailable", "create_media_store"]


def create_media_store(settings: Settings) -> MediaStore:
    """The store that the settings name."""
    if settings.media.url is None:
        return LocalMedia(settings.media_dir)
    from gateways.media.bucket import BucketMedia

    return BucketMedia(
        settings.media.url,
        endpoint=settings.media.s3_endpoint,
        region=settings.media.s3_region,
        access_key_id=settings.media.s3_access_key_id.get_secret_value(),
        secret_access_key=settings.media.s3_secret_access_key.get_secret_value(),
    )
