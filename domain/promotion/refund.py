"""Which part of what a line cost goes back with some of its units."""


def refund_share(line_total_paid: int, quantity: int, already_refunded_quantity: int, units: int) -> int:
    """Minor units for `units` of a line when some have gone back before.

    However a line is cut into parts, the parts add up to what was paid: each is the difference of two
    points on one staircase from nothing to everything, and no step is skipped or taken twice.
    """
    if not 0 <= already_refunded_quantity <= already_refunded_quantity + units <= quantity:
        raise ValueError(f"{units} more than {already_refunded_quantity} of {quantity} cannot go back")
    after = already_refunded_quantity + units
    return line_total_paid * after // quantity - line_total_paid * already_refunded_quantity // quantity
