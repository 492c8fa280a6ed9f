"""Settings of the project; `SHOP_Z4J_KEY` is what a test puts into `Z4J`."""

import json
import os

SECRET_KEY = "of the tests"
DEBUG = os.environ.get("SHOP_DEBUG") == "1"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "django_shop.urls"
USE_TZ = True
INSTALLED_APPS = ["z4j_django", "django_shop"]
Z4J = json.loads(os.environ.get("SHOP_Z4J_KEY", "{}"))

CELERY_BROKER_URL = os.environ.get("SHOP_BROKER", "memory://")
CELERY_TASK_DEFAULT_QUEUE = os.environ.get("SHOP_QUEUE", "shop")
CELERY_TASK_CREATE_MISSING_QUEUES = True
