"""What a request, the shop and its other systems say of a visitor; one class each."""
