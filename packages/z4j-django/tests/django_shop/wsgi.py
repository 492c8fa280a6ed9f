import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_shop.settings")
application = get_wsgi_application()

if os.environ.get("SHOP_ENQUEUES_AT_IMPORT"):
    from .tasks import charge

    charge.delay(1)
