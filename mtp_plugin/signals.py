"""Signals a shop can connect to; each sends the Flask application as sender."""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()

event_recorded = _signals.signal("mtp-event-recorded")
"""``event``: an :class:`~mtp_plugin.records.Event` that is durable now."""

slate_served = _signals.signal("mtp-slate-served")
"""``slate``: a :class:`~mtp_plugin.records.Slate` that went into a page or an answer."""

consent_changed = _signals.signal("mtp-consent-changed")
"""``decision``: the :class:`~mtp_plugin.ports.ConsentDecision` just made."""

model_changed = _signals.signal("mtp-model-changed")
"""``kind`` and ``version`` of the bundle that serves from now on."""
