"""Labels, packing slips and pick lists, behind signed addresses with a short life."""

from edge.documents.routes import document_routes

__all__ = ["document_routes"]
