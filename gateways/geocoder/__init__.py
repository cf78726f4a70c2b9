"""Geocoders: what tells where an address is on the map."""

from gateways.geocoder.calls import GEOCODER, MeasuredGeocoder
from gateways.geocoder.protocol import Geocoder, GeocoderError, PlaceToLocate
from gateways.geocoder.registry import connect_geocoder

__all__ = ["GEOCODER", "Geocoder", "GeocoderError", "MeasuredGeocoder", "PlaceToLocate", "connect_geocoder"]
