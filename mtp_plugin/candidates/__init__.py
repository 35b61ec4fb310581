"""Finding products worth considering: what each source learns, and the recommender that blends them.

``log`` is what is learnt from, ``train`` learns, ``recommender`` serves; every source has a file of its own.
"""
