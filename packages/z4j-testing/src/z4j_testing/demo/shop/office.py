"""The back office, on Django: staff gives money back and asks for reports.

One file holds settings, views and addresses, as small Django projects do.
"""

from __future__ import annotations

import json
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

settings.configure(
    SECRET_KEY="of a demo that lives for minutes",  # noqa: S106  (signs nothing)
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["z4j_django"],
    MIDDLEWARE=[],
)
django.setup()

from . import tasks  # noqa: E402  (after the settings, as everything of a project)


@csrf_exempt
def refunds(request: HttpRequest) -> JsonResponse:
    """Give money back."""
    wanted: dict[str, Any] = json.loads(request.body)
    sent = tasks.refund.delay(wanted["order_id"], wanted["cents"], wanted["reason"])
    return JsonResponse({"task": sent.id})


def healthz(_request: HttpRequest) -> JsonResponse:
    """Whether somebody is in."""
    return JsonResponse({"ok": True})


urlpatterns = [path("refunds", refunds), path("healthz", healthz)]
application = get_wsgi_application()
