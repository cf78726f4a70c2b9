"""All that is looked at before a process starts."""

import asyncio
import socket
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, InvalidResponse, RedisError, ResponseError

from edge.start.database import check_database
from edge.start.listeners import open_listeners
from edge.start.refusal import WRONG, StartRefused
from gateways.calls import CallObserver
from gateways.metrics import Metrics
from gateways.payment.registry import log_methods_off
from gateways.search import SearchRefused, SearchUnavailable, UnreadableAnswer, check_search
from settings import Settings

log = structlog.get_logger()

REDIS_SECONDS = 2.0
"""How long Redis may take to accept a connection, and again to answer."""


async def check_start(settings: Settings, *, migrated: bool = True, runs: bool = False) -> None:
    """StartRefused unless VAR_DIR can be written and the database be used.

    A process that `runs` on needs a right REDIS_URL, SEARCH_URL and METRICS_PORT, too; its log tells which
    payment methods nobody has set up.
    """
    check_folder(settings.deployment.var_dir)
    await check_database(settings.database.url, migrated=migrated)
    if runs and settings.redis.url:
        await check_redis(settings.redis.url)
    if runs and (url := settings.search.url.get_secret_value()):
        await check_search_engine(url)
    if runs and settings.monitoring.metrics_port:
        check_metrics_port(settings.monitoring.metrics_host, settings.monitoring.metrics_port)
    if runs:
        log_methods_off(settings)


def check_metrics_port(host: str, port: int) -> None:
    """StartRefused unless the port of the metrics is free: each process has its own."""
    for listener in open_listeners(host, port, names=("METRICS_HOST", "METRICS_PORT")):
        listener.close()


def check_folder(folder: Path) -> None:
    """StartRefused unless files can be made in VAR_DIR, which is made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = f"{folder} cannot be written: {error.strerror}"
        raise StartRefused("VAR_DIR", reason, exit_code=WRONG) from None


async def check_redis(url: str, *, seconds: float = REDIS_SECONDS) -> None:
    """StartRefused where REDIS_URL is wrong: an unknown host, a refused password, something that is no Redis.

    A Redis that does not answer stops nobody, since the shop serves without it: that is logged.
    """
    redis = Redis.from_url(url, socket_connect_timeout=seconds, socket_timeout=seconds)
    place = urlsplit(url).netloc.rpartition("@")[2] or urlsplit(url).path
    try:
        async with asyncio.timeout(3 * seconds):
            await redis.ping()
    except AuthenticationError:
        raise StartRefused("REDIS_URL", f"{place} refuses user and password", exit_code=WRONG) from None
    except ResponseError as error:
        raise StartRefused("REDIS_URL", f"{place} answers: {error}", exit_code=WRONG) from None
    except InvalidResponse:
        raise StartRefused("REDIS_URL", f"what answers at {place} is no Redis", exit_code=WRONG) from None
    except (RedisError, OSError) as error:
        if isinstance(error.__context__, socket.gaierror):
            reason = f"no address is known for {place}"
            raise StartRefused("REDIS_URL", reason, exit_code=WRONG) from None
        log.warning("start.redis_away", setting="REDIS_URL", place=place, error=type(error).__name__)
    finally:
        await redis.aclose()


async def check_search_engine(url: str) -> None:
    """StartRefused where SEARCH_URL is wrong: an unknown host, a refused password, no OpenSearch at all.

    An OpenSearch that is away stops nobody: the shop sells without its search, and that is logged.
    """
    place = urlsplit(url).netloc.rpartition("@")[2]
    async with httpx.AsyncClient() as client:
        try:
            await check_search(url, client, CallObserver(Metrics()))
        except SearchRefused as error:
            reason = f"{place} refuses: {error}"
            raise StartRefused("SEARCH_URL", reason, exit_code=WRONG) from None
        except UnreadableAnswer:
            reason = f"what answers at {place} is no OpenSearch"
            raise StartRefused("SEARCH_URL", reason, exit_code=WRONG) from None
        except SearchUnavailable as error:
            if is_unknown_host(error):
                reason = f"no address is known for {place}"
                raise StartRefused("SEARCH_URL", reason, exit_code=WRONG) from None
            log.warning("start.search_away", setting="SEARCH_URL", place=place, error=str(error))


def is_unknown_host(error: BaseException | None) -> bool:
    """Whether an error comes of a name that has no address."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        error = error.__cause__ or error.__context__
    return False
