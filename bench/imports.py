"""What others wait while a file of products comes in: `python -m bench imports [HOW MANY]`.

On a new SQLite file and on PostgreSQL, `cartwheel import products` runs in a process of its own. Meanwhile
carts are made and a product is edited, one after the other. It prints the longest wait of each, the seconds
and the memory of the import, and fails where one waits a second or the memory reaches 500 MB.
"""

import asyncio
import resource
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from sqlalchemy import func, select

from bench.arguments import read_arguments
from domain.catalog.product import ProductChanges, ProductDraft, save_products, update_product
from domain.cause import Cause
from events.shop import Shop
from migrations.runner import upgrade
from models import Cart, Product, ProductStatus
from tests.factories.cart import create_cart
from tests.process import ROOT, open_shop_of, process_environment
from tests.servers import PostgresServer, run_postgres

PRODUCTS = 20_000
WAIT_LIMIT_SECONDS = 1.0
MEMORY_LIMIT_MB = 500
PAUSE_SECONDS = 0.05
HEADER = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Option1 Name,Option1 Value,Variant SKU,Variant Grams,"
    "Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Image Src\n"
)


def write_file(path: Path, products: int) -> None:
    """A file of products with two variants each."""
    with path.open("w") as file:
        file.write(HEADER)
        for at in range(products):
            file.write(
                f"p-{at},Product number {at},<p>A thing of material {at % 31}</p>,Brand {at % 50},"
                f"Home > Group {at % 40},Size,S,P-{at}-S,100,shopify,9,{at % 500 + 1}.50,https://pics.test/{at}\n"
                f"p-{at},,,,,,M,P-{at}-M,120,shopify,9,{at % 500 + 2}.50,\n"
            )


async def make_cart(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_cart(session, token_hash=uuid4().hex)


async def edit_product(shop: Shop, product_id: int) -> None:
    async with shop.database.writes.begin() as session:
        product = await session.get_one(Product, product_id)
        changes = ProductChanges(texts={"title": f"Edited {product.version}"})
        await update_product(
            session,
            product_id,
            changes,
            category_id=None,
            version=product.version,
            cause=Cause(datetime.now(UTC)),
        )


async def measure_waits(shop: Shop, process: Process, product_id: int) -> dict[str, float]:
    """The longest waits while the process runs, in seconds."""
    longest = {"cart": 0.0, "edit": 0.0}
    while process.returncode is None:
        for name, work in (("cart", make_cart(shop)), ("edit", edit_product(shop, product_id))):
            begun = time.perf_counter()
            await work
            longest[name] = max(longest[name], time.perf_counter() - begun)
        await asyncio.sleep(PAUSE_SECONDS)
    return longest


async def run_import(url: str, products: int) -> bool:
    """Whether nobody waited too long, and all came in."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "products.csv")
        write_file(file, products)
        env = process_environment(url, Path(folder))
        await asyncio.to_thread(upgrade, url)
        async with open_shop_of(env) as shop:
            async with shop.database.writes.begin() as session:
                draft = ProductDraft(slug="edited", title="Edited", status=ProductStatus.DRAFT)
                (saved,) = await save_products(session, [draft], cause=Cause(datetime.now(UTC)))
            command = [sys.executable, "-m", "cli", "import", "products", str(file)]
            begun = time.perf_counter()
            process = await asyncio.create_subprocess_exec(*command, env=env, cwd=ROOT, stderr=DEVNULL)
            waits = await measure_waits(shop, process, saved.product.id)
            seconds = time.perf_counter() - begun
            async with shop.database.reads() as session:
                seen = await session.scalar(
                    select(func.count()).select_from(Product).where(Product.status == ProductStatus.ACTIVE)
                )
                carts = await session.scalar(select(func.count()).select_from(Cart))
            dialect = shop.database.dialect
    memory = peak_memory_mb()
    print(f"{dialect}: {seen:,} of {products:,} products in {seconds:.0f} s, {memory:.0f} MB;", end=" ")
    print(f"{carts:,} carts, the longest wait {waits['cart']:.2f} s, of an edit {waits['edit']:.2f} s")
    return seen == products and max(waits.values()) < WAIT_LIMIT_SECONDS and memory < MEMORY_LIMIT_MB


def peak_memory_mb() -> float:
    """The most memory that a process which has ended had: the import is the largest."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


async def run_on_sqlite(products: int) -> bool:
    with TemporaryDirectory() as folder:
        return await run_import(f"sqlite+aiosqlite:///{folder}/shop.db", products)


async def run_on_postgresql(server: PostgresServer, products: int) -> bool:
    return await run_import(await server.create_database(f"imports_{uuid4().hex}"), products)


def main() -> int:
    products = next(iter(read_arguments(__doc__).numbers), PRODUCTS)
    passed = asyncio.run(run_on_sqlite(products))
    with run_postgres() as server:
        passed = asyncio.run(run_on_postgresql(server, products)) and passed
    return 0 if passed else 1
