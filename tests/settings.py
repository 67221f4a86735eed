"""The console's settings over a folder of the test run's own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="openpersonalize-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["DATA_DIR"] = _folder
os.mkdir(os.path.join(_folder, "static"))  # noqa: PTH102, PTH118  where WhiteNoise looks

from console.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_USE_FINDERS = False  # looking at 2,000 icons for each new client takes a third of a second
DELETING_S = 0  # what is deleted is gone at once, but in the tests of that
if DATABASES["default"]["ENGINE"].endswith("postgresql"):  # noqa: F405
    DATABASES["default"]["OPTIONS"] = POSTGRES_OPTIONS | {"options": "-c lock_timeout=500"}  # noqa: F405  tests wait less
