"""A FastAPI shop with a lifespan of its own, and the same in Starlette alone."""

import json
import os
from contextlib import asynccontextmanager

from celery import Celery
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from z4j_fastapi import Z4J

celery = Celery("fastapi_shop", broker=os.environ.get("SHOP_BROKER", "memory://"))
celery.conf.task_default_queue = os.environ.get("SHOP_QUEUE", "shop")
Z4J_KEY = json.loads(os.environ.get("SHOP_Z4J_KEY", "{}"))


@celery.task
def charge(order_id):
    return order_id


@asynccontextmanager
async def lifespan(_app):
    yield {"shelves": 3}
    print("the shelves are empty", flush=True)


def create_app():
    app = FastAPI(lifespan=lifespan)

    @app.get("/order")
    def order():
        return {"id": charge.delay(911).id, "pid": os.getpid()}

    @app.get("/order-async")
    async def order_async():
        return {"id": charge.delay(911).id, "pid": os.getpid()}

    @app.get("/look")
    async def look():
        return {"pid": os.getpid()}

    Z4J(app, Z4J_KEY)
    return app


app = create_app()


def look_at_shelves(request):
    return JSONResponse({"pid": os.getpid(), "shelves": request.state.shelves})


plain = Starlette(routes=[Route("/look", look_at_shelves)], lifespan=lifespan)
Z4J(plain, Z4J_KEY)
