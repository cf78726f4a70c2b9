"""Loading accounts and addresses."""

from loaders.base import ByKey, ManyByKey, loader
from models import Account, Address


class AccountById(ByKey[int, Account]):
    key = Account.id


class AddressesByAccount(ManyByKey[int, Address]):
    key = Address.account_id
    order_by = (Address.is_default.desc(), Address.id)
    primes = "address"


class AddressById(ByKey[int, Address]):
    key = Address.id


class AccountLoaders:
    account = loader(AccountById)
    account_addresses = loader(AddressesByAccount)
    address = loader(AddressById)
