"""The commands of ``flask mtp``, one file a subject."""
