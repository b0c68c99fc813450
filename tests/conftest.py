"""What every test module gets: one hypothesis profile, so that a failure seen once is seen again."""

import os

from hypothesis import HealthCheck, settings

# The first example of a test often pays for a compile, so anything that is judged by the clock is off.
settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile(
    "dev", deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
