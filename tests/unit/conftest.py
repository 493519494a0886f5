"""Laws are checked without a deadline: a busy machine must not fail a build."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
