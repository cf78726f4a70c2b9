"""Which of the staff has read whose personal data, for administrators."""

import strawberry

from loaders.customer import NEWEST_READING, select_readings
from loaders.page import FIRST_PAGE, Page, PageRequest
from models import Reading
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.paging import query_page


async def personal_data_readings(
    info: Info,
    customer_id: strawberry.ID | None = None,
    reader_id: strawberry.ID | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[Reading]:
    """By which operations the staff have read personal data of customers, the newest first.

    customer_id: only of this customer or guest
    reader_id: only by this member of the staff
    """
    statement = select_readings(
        account_id=row_id(customer_id, "Account", field=("customer_id",)) if customer_id else None,
        reader_id=row_id(reader_id, "Account", field=("reader_id",)) if reader_id else None,
    )
    return await query_page(info, statement, NEWEST_READING, page)
