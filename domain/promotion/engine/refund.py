"""How much of a line's price is refunded for some of its units."""


def refund_share(line_total_paid: int, quantity: int, already_refunded_quantity: int, units: int) -> int:
    """Minor units to refund for `units` of a line of which some were refunded before.

    However a line is refunded in parts, the parts add up to `line_total_paid`: each part is the difference
    of two cumulative amounts. ValueError for more units than are left.
    """
    if not 0 <= already_refunded_quantity <= already_refunded_quantity + units <= quantity:
        raise ValueError(f"{units} more than {already_refunded_quantity} of {quantity} cannot go back")
    after = already_refunded_quantity + units
    return line_total_paid * after // quantity - line_total_paid * already_refunded_quantity // quantity
