"""How probable it is that a visitor buys from a category, or buys a product, within a week."""
