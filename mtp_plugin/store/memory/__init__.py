"""Every port in plain memory: for tests, for evaluation, and as the shortest reading of what a port means."""

from .alerts import MemoryAlerts
from .audit import MemoryAudit
from .bandits import MemoryBandits
from .cache import NoCache
from .catalog import MemoryCatalog
from .changes import MemoryChanges
from .consents import MemoryConsents
from .identity import MemoryIdentity
from .journal import MemoryJournal
from .leases import MemoryLeases
from .outcomes import MemoryOutcomes
from .registry import MemoryRegistry
from .rules import MemoryRules
from .segments import MemorySegments
from .slates import MemorySlates
from .subjects import MemorySubjects
from .webhooks import MemoryWebhooks

__all__ = [
    "MemoryAlerts",
    "MemoryAudit",
    "MemoryBandits",
    "NoCache",
    "MemoryCatalog",
    "MemoryConsents",
    "MemoryIdentity",
    "MemoryJournal",
    "MemoryLeases",
    "MemoryOutcomes",
    "MemoryChanges",
    "MemoryRegistry",
    "MemorySegments",
    "MemoryRules",
    "MemorySlates",
    "MemoryWebhooks",
    "MemorySubjects",
]
