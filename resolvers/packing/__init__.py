"""Packing: waves and their pick lists, open parcels, box types and what is proposed."""

from resolvers.documents import pick_list_documents
from resolvers.packing.boxes import (
    box_type_archive,
    box_type_restore,
    box_type_save,
    box_types,
    find_box_type,
)
from resolvers.packing.open_parcels import (
    DeliveryPacking,
    delivery_packing,
    find_open_parcel,
    open_parcels,
    parcel_cancel,
    parcel_open,
    parcel_scan,
    unpacked_parcels,
)
from resolvers.packing.proposal import (
    LeftUnits,
    Misfit,
    ParcelProposal,
    ProposedLine,
    ProposedParcel,
    UnitPosition,
    proposals,
)
from resolvers.packing.waves import (
    PickListLine,
    PickListPart,
    find_wave,
    pick_lists,
    wave,
    wave_cancel,
    wave_open,
    waves,
)

__all__ = [
    "DeliveryPacking",
    "LeftUnits",
    "Misfit",
    "ParcelProposal",
    "PickListLine",
    "PickListPart",
    "ProposedLine",
    "ProposedParcel",
    "UnitPosition",
    "box_type_archive",
    "box_type_restore",
    "box_type_save",
    "box_types",
    "delivery_packing",
    "find_box_type",
    "find_open_parcel",
    "find_wave",
    "open_parcels",
    "parcel_cancel",
    "parcel_open",
    "parcel_scan",
    "pick_list_documents",
    "pick_lists",
    "proposals",
    "unpacked_parcels",
    "wave",
    "wave_cancel",
    "wave_open",
    "waves",
]
