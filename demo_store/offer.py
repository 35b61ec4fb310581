"""What is off the basket for now: a discount level that an experiment tests, and that the checkout honours."""

from __future__ import annotations

from typing import Any

EXPERIMENTS: dict[str, dict[str, Any]] = {
    "basket-offer": {
        "title": "Off the basket",
        "hypothesis": "A little off the whole basket brings more orders than it costs.",
        "variations": [
            {"name": "nothing off", "variables": {"percent": 0}},
            {"name": "5 % off", "variables": {"percent": 5}},
            {"name": "10 % off", "variables": {"percent": 10}},
        ],
        "goal": "revenue",
        "guardrails": ["conversion"],
        "note": "A demo: whoever fills this basket is simulated, or is you.",
    }
}
"""What this shop tests."""


def basket_offer() -> int:
    """Per cent off everything in the basket of this visitor. To be asked where the basket is shown: it is counted."""
    from .personalisation import current_mtp

    return int(current_mtp().variation("basket-offer").get("percent", 0))
