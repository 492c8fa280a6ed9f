import os

from django.http import JsonResponse
from django.urls import path

from .tasks import charge


def order(request):
    return JsonResponse({"id": charge.delay(911).id, "pid": os.getpid()})


async def order_async(request):
    return JsonResponse({"id": charge.delay(911).id, "pid": os.getpid()})


def look(request):
    return JsonResponse({"pid": os.getpid()})


def broken(request):
    raise RuntimeError("a bug of the shop")


urlpatterns = [
    path("order", order),
    path("order-async", order_async),
    path("look", look),
    path("broken", broken),
]
