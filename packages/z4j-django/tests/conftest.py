"""A Django project of a shop, as its users write one, configured once without a DSN."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django
from z4j_core.agent import current

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ["DJANGO_SETTINGS_MODULE"] = "django_shop.settings"
try:
    django.setup()
finally:  # Celery takes it for a Django project wherever this is set, other tests' workers too
    del os.environ["DJANGO_SETTINGS_MODULE"]
if handle := current():  # these tests look at settings alone; the live ones start processes
    handle.close()
