"""A Flask shop with an app factory, as its documentation has it."""

import json
import os

import click
from celery import Celery
from flask import Flask, jsonify
from z4j_flask import Z4J

celery = Celery("flask_shop", broker=os.environ.get("SHOP_BROKER", "memory://"))
celery.conf.task_default_queue = os.environ.get("SHOP_QUEUE", "shop")
z4j = Z4J()


@celery.task
def charge(order_id):
    return order_id


def create_app():
    app = Flask("flask_shop")
    app.config["Z4J"] = json.loads(os.environ.get("SHOP_Z4J_KEY", "{}"))
    z4j.init_app(app)
    if os.environ.get("SHOP_ENQUEUES_AT_IMPORT") == "1":
        charge.delay(0)

    @app.get("/order")
    def order():
        return jsonify(id=charge.delay(911).id, pid=os.getpid())

    @app.get("/look")
    def look():
        return jsonify(pid=os.getpid())

    @app.cli.command("orders")
    @click.argument("count", type=int)
    def orders(count):
        for _ in range(count):
            click.echo(charge.delay(911).id)

    return app
