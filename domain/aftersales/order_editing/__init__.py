"""Editing an order before it is packed: quoted line by line, and carried out in one step.

Kept units keep their agreed price, added ones take today's. The promotions that were in force when the order
was placed are computed anew over the whole order, with today's rules of the codes that are added. Only the
difference is settled: an order that is still to be paid, or is paid at the door, comes to another amount; of
one that is paid, what is too much is refunded, and what is missing is a payment of its own, with a deadline,
after which the edit is carried out. Until then the order is as it was.
"""
