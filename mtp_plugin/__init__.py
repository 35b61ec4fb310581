"""Micro-targeted personalisation for Flask shops.

Mount :class:`MTP` on an application; a visitor's events become a profile, the profile a slate, the slate a block inside
the page. Three files tell the rest: this one, :mod:`mtp_plugin.pipeline` (the path as code) and
:mod:`mtp_plugin.records` (what its stages hand to each other).
"""

from .catalog.mapped import CallableCatalog, MappedCatalog
from .errors import InputError, MTPError, SetupError, UnavailableError
from .extension import MTP
from .records import ConsentLevel, Placement, Product, Receipt, Slate, Strategy, Variant

__version__ = "0.1.0"

__all__ = [
    "MTP",
    "CallableCatalog",
    "ConsentLevel",
    "InputError",
    "MTPError",
    "MappedCatalog",
    "Placement",
    "Product",
    "Receipt",
    "SetupError",
    "Slate",
    "Strategy",
    "UnavailableError",
    "Variant",
]
