"""What training computes; nothing that serves imports from here."""
