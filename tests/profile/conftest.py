"""Laws hold however busy the machine is: no test here is judged by its time."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
