"""What experiments are judged by."""

from __future__ import annotations

from .result import Metric

METRICS = (
    Metric("revenue", "Revenue a visitor", money=True),
    Metric("conversion", "Visitors who order", share=True),
    Metric("order-value", "Average order value", money=True),
    Metric("margin", "Margin a visitor", money=True),
    Metric("ctr", "Clicks a slate seen", share=True),
    Metric("latency", "Milliseconds a slate took", better=-1),
)
"""Their order is that of pages and reports. Units are visitors throughout."""
