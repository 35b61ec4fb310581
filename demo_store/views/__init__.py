"""The shop's pages, one blueprint a concern."""
